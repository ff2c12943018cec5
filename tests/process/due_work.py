"""Executions with due dates, retries and leases by the hundred, who tends them, and what must come of it."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from typing import Any

from tests.contract.graphs import JOIN, PARALLEL, TASK, batch, graph
from tests.contract.trees import Rows
from tests.frontend_documents import document
from tests.process.clients import Answer, post, watch_over_websocket
from tests.process.workflows import create, publish, send
from tests.servers import ServerProcess

JSON = dict[str, Any]

DATES = ("PT1S", "PT1.5S", "PT2S", "PT2.5S", "PT3S")
DATED = {f"dated{number}": {"type": TASK, "dueIn": due_in} for number, due_in in enumerate(DATES)}
TIMED = graph(
    "timed",
    {
        "split": PARALLEL,
        **DATED,
        "fragile": {"type": TASK, "retry": {"maxAttempts": 3, "backoff": "PT1S", "backoffRate": 2}},
        "leased": TASK,
        "join": JOIN,
    },
    "start split fragile join end",
    *(f"split {step_id} join" for step_id in (*DATED, "leased")),
)
FAMILY = graph("family", {"children": batch("timed")}, "start children end")
# What comes by itself in an execution of `timed`.
MARKS = Counter({"STEP_OVERDUE": len(DATES), "STEP_CREATED": 2, "STEP_CLAIM_EXPIRED": 1})
EACH = MARKS.total()

FOLLOW = """
  subscription Follow($after: String) {
    changes(after: $after) {
      ... on Change { revision kind attempt rootWorkflowExecutionId stepExecutionId data }
      ... on ChangesResync { why: reason }
    }
  }
"""
AT_ONCE = 8


@dataclass
class Tender:
    """Follows all changes at one server, and does what has more come by itself: it claims every step "leased" once, for a
    second, and fails every attempt at "fragile" but the last. Its commands go to each of its servers in turn.

    `seen` is when each revision of each tree was told, by the test's own clock.
    """

    changes: AsyncIterator[Answer]
    servers: Iterator[ServerProcess]
    tasks: asyncio.TaskGroup
    seen: dict[tuple[str, int], datetime] = field(default_factory=dict)
    _come: Counter[str] = field(default_factory=Counter)
    _few: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def come(self, roots: Sequence[str] | None = None) -> int:
        """How many things that came by themselves it was told of, in these trees or in all."""
        return self._come.total() if roots is None else sum(self._come[root] for root in roots)

    async def until(self, come: int, roots: Sequence[str] | None = None) -> None:
        """Return once so many things have come by themselves, in these trees or in all."""
        while self.come(roots) < come:
            self._take(await anext(self.changes))

    async def hear_of_all(self, rows: Rows) -> None:
        """Return once it was told of all changes in the trees that have begun."""
        begun = [journal for journal in rows.journal.values() if len(journal) > 1]
        told = {(row["root_id"], row["revision"]) for journal in begun for row in journal}
        while told - set(self.seen):
            self._take(await anext(self.changes))
        assert set(self.seen) - told == set()

    def _take(self, answer: Answer) -> None:
        assert "errors" not in answer, answer
        change = answer["data"]["changes"]
        assert "why" not in change, change
        place = change["rootWorkflowExecutionId"], change["revision"]
        assert place not in self.seen, f"told twice: {change}"
        self.seen[place] = datetime.now(UTC)
        if change["kind"] in MARKS:
            self._come[place[0]] += 1
        elif change["kind"] == "STEP_STARTED":
            self._tend(change["stepExecutionId"], change["data"]["stepId"], change["attempt"])

    def _tend(self, id_: str, step_id: str, attempt: int) -> None:
        if step_id == "leased":
            self.tasks.create_task(self._claim(id_))
        elif step_id == "fragile" and attempt <= MARKS["STEP_CREATED"]:
            self.tasks.create_task(self._fail(id_))

    async def _claim(self, id_: str) -> None:
        given = {"worker": "ann", "ids": [id_], "leaseSeconds": 1}
        # Where others are at the tree all the time one may get nothing.
        while not (await self._send("ClaimSteps", "ClaimSuccess", given))["claimed"]:
            pass

    async def _fail(self, id_: str) -> None:
        await self._send("FailStep", "TransitionSuccess", {"id": id_, "message": "It broke."})

    async def _send(self, name: str, expected: str, given: JSON) -> JSON:
        async with self._few:
            return await send(next(self.servers), name, expected, input=given)


@asynccontextmanager
async def tended(watched: ServerProcess, *others: ServerProcess) -> AsyncIterator[Tender]:
    """A tender that follows the changes at one server from now on, and gives its commands to that and to the others."""
    await publish(watched, TIMED, "timed")
    await publish(watched, FAMILY, "family")
    # One that never begins: its cursor is a place before all others. Asked for by its root it is there at once.
    never_begun = await create(watched, "timed", start=False)
    known = await post(watched, document("Journal"), first=1, rootId=never_begun.id)
    after = known["data"]["changes"]["pageInfo"]["endCursor"]
    async with (
        watch_over_websocket(watched, FOLLOW, after=after) as changes,
        asyncio.TaskGroup() as tasks,
    ):
        yield Tender(changes, cycle((watched, *others)), tasks)


async def begin(servers: Sequence[ServerProcess], alone: int, families: int = 0, size: int = 0) -> list[str]:
    """The ids of new trees of one execution of `timed`, and of families of several, made at each server in turn."""
    inputs: list[tuple[str, JSON]] = [("timed", {})] * alone
    inputs += [("family", {"context": {"items": list(range(size))}})] * families
    turns = zip(cycle(servers), inputs, strict=False)

    async def work() -> list[str]:
        return [(await create(server, key, **more)).id for server, (key, more) in turns]

    made = await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return [id_ for each in made for id_ in each]


def assert_each_came_once(rows: Rows) -> None:
    """Whatever comes by itself has come once, at or after its moment by the journal's clock, and nothing else has."""
    for root_id, journal in rows.journal.items():
        assert [row["revision"] for row in journal] == list(range(1, len(journal) + 1))
        assert rows.executions[root_id]["tree_revision"] == len(journal)
    come: dict[str, Counter[str]] = defaultdict(Counter)
    for mark, moment in marks(rows):
        assert mark["at"] >= moment, mark
        come[mark["execution_id"]][mark["kind"]] += 1
    begun = {
        id_
        for id_, steps in rows.current.items()
        if "fragile" in steps and rows.executions[id_]["started_at"]
    }
    assert come == dict.fromkeys(begun, MARKS)
    for id_ in begun:
        last = rows.step(id_, "fragile")
        assert (last["attempt"], last["status"], last["retry_at"]) == (3, "InProgress", None)


def marks(rows: Rows) -> Iterator[tuple[JSON, datetime]]:
    """Each change that came by itself, with the moment for which it was set; fails where one has none, or none has come."""
    for journal in rows.journal.values():
        set_: dict[tuple[str, ...], datetime] = {}
        for row in journal:
            if row["kind"] in MARKS:
                yield row, set_.pop(_item(row["kind"], row))
            elif (expected := _expected(row)) is not None:
                kind, moment = expected
                set_[_item(kind, row)] = datetime.fromisoformat(moment)
        assert set_ == {}, "it never came"


def _item(kind: str, row: JSON) -> tuple[str, ...]:
    """What comes by itself in an execution: at one step, no two of a kind wait for their moment."""
    return kind, row["execution_id"], row["data"]["stepId"]


def _expected(row: JSON) -> tuple[str, str] | None:
    """What a change sets a moment for, and the moment."""
    match row["kind"], row["data"]:
        case "STEP_STARTED", {"dueAt": str(moment)}:
            return "STEP_OVERDUE", moment
        case "STEP_RETRY_SCHEDULED", {"retryAt": str(moment)}:
            return "STEP_CREATED", moment
        case "STEP_CLAIMED", {"claim": {"leaseExpiresAt": str(moment)}}:
            return "STEP_CLAIM_EXPIRED", moment
    return None


def assert_none_was_early(tender: Tender, rows: Rows) -> None:
    """By the test's own clock, whatever the journal says."""
    for mark, moment in marks(rows):
        assert tender.seen[mark["root_id"], mark["revision"]] >= moment, mark
