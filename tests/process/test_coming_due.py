"""What comes by itself in running servers: told on every stream, and not missed by one that was down (T1, T2, S4)."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from db.connect import database_for
from tests.contract.graphs import TASK, graph
from tests.contract.tables import STEPS, set_columns
from tests.frontend_documents import document
from tests.process.clients import LIVE, Answer, Watch, post
from tests.process.quiet import said_since_start
from tests.process.workflows import Execution, create, publish, send
from tests.servers import ServerProcess

PAST = datetime(2020, 1, 1, tzinfo=UTC)
LATE = graph("late", {"task": TASK}, "start task end")
RETRIED = graph(
    "retried", {"task": {"type": TASK, "retry": {"maxAttempts": 2, "backoff": "PT1S"}}}, "start task end"
)
PATIENT = graph(
    "patient", {"task": {"type": TASK, "retry": {"maxAttempts": 2, "backoff": "PT1H"}}}, "start task end"
)


@contextmanager
def served(database_url: str, directory: Path) -> Iterator[ServerProcess]:
    with ServerProcess("--database", database_url, cwd=directory) as server:
        yield server


class Stream:
    """One subscription, read until it has told something."""

    def __init__(self, payloads: AsyncIterator[Answer]) -> None:
        self._payloads = payloads

    async def tells(self, what: Callable[[Any], bool]) -> Any:
        """The next event that is this."""
        async for answer in self._payloads:
            assert "errors" not in answer, answer
            (event,) = answer["data"].values()
            if what(event):
                return event
        raise AssertionError("the stream has ended")


def task_of(shown: Any) -> Any:
    """The only task that waits for somebody, of an execution."""
    (task,) = [step for step in shown["steps"] if step["stepId"] == "task"]
    return task


def has_change(*kinds: str) -> Callable[[Any], bool]:
    """Whether an event of a tree's stream has changes of these kinds, or that of the journal's is one."""

    def told(event: Any) -> bool:
        changes = event.get("changes", [event])
        return set(kinds) <= {change.get("kind") for change in changes}

    return told


@pytest.mark.parametrize("watch", LIVE.values(), ids=LIVE)
async def test_t1_that_a_step_is_overdue_is_told_on_every_stream(
    served_database_url: str, tmp_path: Path, watch: Watch
) -> None:
    with served(served_database_url, tmp_path) as server:
        await publish(server, LATE, "late")
        made = await create(server, "late")
        where = {"isOverdue": True}
        order = [{"field": "DUE_AT", "direction": "ASC"}]
        async with AsyncExitStack() as stack:

            async def opened(name: str, **variables: Any) -> Stream:
                return Stream(await stack.enter_async_context(watch(server, document(name), **variables)))

            known = await post(server, document("Journal"), first=500, rootId=made.id)
            after = known["data"]["changes"]["pageInfo"]["endCursor"]
            execution = await opened("WatchExecution", id=made.id)
            tree = await opened("FollowTree", rootId=made.id)
            changes = await opened("FollowChanges", after=after)
            of_tree = await opened("FollowChanges", rootId=made.id, after=after)
            late = await opened("WatchWorkQueue", where=where, orderBy=order)
            await execution.tells(lambda shown: not task_of(shown)["isOverdue"])
            await tree.tells(lambda event: "root" in event)
            assert (await late.tells(lambda _: True))["entries"] == []

            given = {"id": made.steps["task"], "dueAt": "2020-01-01T00:00:00Z"}
            await send(server, "SetStepDueDate", "TransitionSuccess", input=given)
            await execution.tells(lambda shown: task_of(shown)["isOverdue"])
            event = await tree.tells(has_change("STEP_OVERDUE"))
            (change,) = [each for each in event["changes"] if each["kind"] == "STEP_OVERDUE"]
            assert (change["data"]["isOverdue"], change["actor"]) == (True, None)
            for each in (changes, of_tree):
                assert (await each.tells(has_change("STEP_OVERDUE")))["stepExecutionId"] == given["id"]
            event = await late.tells(lambda event: bool(event["entries"]))
            assert [(each["kind"], each["id"]) for each in event["entries"]] == [("ENTER", given["id"])]

            later = {**given, "dueAt": "2100-01-01T00:00:00Z"}
            await send(server, "SetStepDueDate", "TransitionSuccess", input=later)
            event = await late.tells(lambda event: bool(event["entries"]))
            assert [each["kind"] for each in event["entries"]] == ["LEAVE"]
        assert said_since_start(server.output) == []


async def test_s4_the_next_attempt_starts_by_itself_when_its_time_comes(
    served_database_url: str, tmp_path: Path
) -> None:
    with served(served_database_url, tmp_path) as server:
        await publish(server, RETRIED, "retried")
        made = await create(server, "retried")
        async with LIVE["websocket"](server, document("WatchExecution"), id=made.id) as payloads:
            stream = Stream(payloads)
            await fail(server, made)
            shown = await stream.tells(lambda shown: task_of(shown)["attempt"] == 2)
        assert task_of(shown)["status"] == "IN_PROGRESS"


async def test_t2_what_came_due_while_no_server_ran_is_done_when_one_starts(
    served_database_url: str, tmp_path: Path
) -> None:
    with served(served_database_url, tmp_path) as server:
        await publish(server, LATE, "late")
        await publish(server, PATIENT, "patient")
        late, claimed, failed = [await create(server, key) for key in ("late", "late", "patient")]
        await send(
            server,
            "SetStepDueDate",
            "TransitionSuccess",
            input={"id": late.steps["task"], "dueAt": "2100-01-01T00:00:00Z"},
        )
        claim = {"worker": "ann", "ids": [claimed.steps["task"]], "leaseSeconds": 3600}
        await send(server, "ClaimSteps", "ClaimSuccess", input=claim)
        await fail(server, failed)
        server.stop(SIGKILL)
        async with database_for(served_database_url) as database:
            await set_columns(database, STEPS, late.steps["task"], due_at=PAST)
            await set_columns(database, STEPS, claimed.steps["task"], lease_expires_at=PAST)
            await set_columns(database, STEPS, failed.steps["task"], retry_at=PAST)
        server.start()
        for made, told in (
            (late, lambda task: task["isOverdue"]),
            (failed, lambda task: (task["attempt"], task["status"]) == (2, "IN_PROGRESS")),
        ):
            async with LIVE["websocket"](server, document("WatchExecution"), id=made.id) as payloads:
                await Stream(payloads).tells(lambda shown, told=told: told(task_of(shown)))  # type: ignore[misc]  # a default binds it
        async with LIVE["websocket"](
            server, document("FollowChanges"), rootId=claimed.id, after=await beginning(server, claimed)
        ) as payloads:
            await Stream(payloads).tells(has_change("STEP_CLAIM_EXPIRED"))


async def beginning(server: ServerProcess, made: Execution) -> str:
    """The cursor of an execution's first change."""
    known = await post(server, document("Journal"), first=1, rootId=made.id)
    cursor: str = known["data"]["changes"]["pageInfo"]["endCursor"]
    return cursor


async def fail(server: ServerProcess, made: Execution) -> None:
    given = {"id": made.steps["task"], "message": "It broke."}
    await send(server, "FailStep", "TransitionSuccess", input=given)
