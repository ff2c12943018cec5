"""The example workers of `docs/workers.md`: they do their work, and lose nothing when servers end or claims are lost."""

import asyncio
import re
from datetime import timedelta
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM, Signals

import pytest

from db.connect import database_for
from tests.contract.tables import STEPS, row_by_id, set_columns
from tests.docs.owners import runs_files
from tests.servers import ServerProcess
from tests.workers.running import (
    EXAMPLES,
    Task,
    Worker,
    complete,
    onboard,
    publish_failing,
    start,
    take,
    working,
)

LONG = 3600  # seconds of work that no test waits for
DONE_ONCE = ["STEP_CLAIMED", "STEP_COMPLETED"]


def end_lease(database_url: str, task: Task) -> None:
    """Let the lease of a claim pass at once."""

    async def run() -> None:
        async with database_for(database_url) as database:
            ends = (await row_by_id(database, STEPS, task.id))["lease_expires_at"]
            await set_columns(database, STEPS, task.id, lease_expires_at=ends - timedelta(hours=1))

    asyncio.run(run())


def wait_until_claimed(task: Task) -> None:
    while not task.is_claimed():
        pass


@pytest.mark.parametrize("name", ["worker.py", "worker.ts"])
def test_an_example_has_fewer_than_40_lines(name: str) -> None:
    """Not counted: empty ones, and those that only tell."""
    lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if not re.fullmatch(r'\s*((#|//).*|""".*""")?', line)]) < 40


@runs_files(*(EXAMPLES / name for name in ("worker.graphql", "worker.py", "worker.ts")))
def test_it_completes_what_waits_and_what_comes(command: list[str], server: ServerProcess) -> None:
    tasks = [onboard(server, name) for name in ("Ann", "Ben", "Cleo")]
    with working(command, server) as worker:
        assert [worker.told() for _ in tasks] == [(task.id, "TransitionSuccess") for task in tasks]
        tasks += [onboard(server, name) for name in ("Dan", "Eve")]
        assert [worker.told() for _ in range(2)] == [(task.id, "TransitionSuccess") for task in tasks[3:]]
    names = [task.state()["outputData"] for task in tasks]
    assert names == [{"username": name} for name in ("ann", "ben", "cleo", "dan", "eve")]
    assert [task.kinds() for task in tasks] == [DONE_ONCE] * 5


def test_it_goes_on_after_the_server_was_away(command: list[str], server: ServerProcess) -> None:
    """While it waited for work, and while it worked: then it completes under the claim that it had."""
    with working(command, server) as worker:
        first = onboard(server, "Ann")
        assert worker.told() == (first.id, "TransitionSuccess")
        for signal in (SIGTERM, SIGKILL):
            restart(server, signal)
            following = onboard(server, "Ben", seconds=2)
            wait_until_claimed(following)
            restart(server, signal)
            assert worker.told() == (following.id, "TransitionSuccess")
            assert following.kinds() == DONE_ONCE
    assert first.kinds() == DONE_ONCE


def restart(server: ServerProcess, signal: Signals) -> None:
    server.stop(signal)
    server.start()


def test_its_heartbeats_keep_the_claim_until_somebody_takes_it(
    command: list[str], server: ServerProcess, served_database_url: str
) -> None:
    """And then it lets the work be, and takes the next step."""
    lost = onboard(server, "Ann", seconds=LONG)
    with working(command, server, lease_seconds=3) as worker:
        wait_until_claimed(lost)
        leases = {lost.state()["claim"]["leaseExpiresAt"]}
        while len(leases) < 3:
            leases.add(lost.state()["claim"]["leaseExpiresAt"])
        token = take_over(lost, served_database_url)
        assert worker.told() == (lost.id, "ClaimLost")
        following = onboard(server, "Ben")
        assert worker.told() == (following.id, "TransitionSuccess")
        assert lost.is_claimed("rival")
        complete(lost, token, "ann")


def take_over(task: Task, database_url: str) -> str:
    """Let the lease pass and somebody else claim the step; the token."""
    while not (token := take(task, "rival")):
        end_lease(database_url, task)
    return token


def test_a_frozen_one_loses_its_claim_without_harm(
    command: list[str], server: ServerProcess, served_database_url: str
) -> None:
    """It comes back past its lease with its work done: while another works on the step, and after that one is done."""
    with working(command, server) as worker:
        first = freeze_at_work(worker, server)
        token = take_over(first, served_database_url)
        worker.tell(SIGCONT)
        assert worker.told() == (first.id, "ClaimLost")
        complete(first, token, "rival")
        second = freeze_at_work(worker, server)
        complete(second, take_over(second, served_database_url), "rival")
        worker.tell(SIGCONT)
        assert worker.told() == (second.id, "InvalidTransition")
        following = onboard(server, "Ben")
        assert worker.told() == (following.id, "TransitionSuccess")
    for lost in (first, second):
        assert lost.state()["outputData"] == {"username": "rival"}
        assert lost.kinds() == ["STEP_CLAIMED", "STEP_CLAIM_EXPIRED", *DONE_ONCE]


def freeze_at_work(worker: Worker, server: ServerProcess) -> Task:
    """Stop a worker that has claimed a step, and not completed it; tries until it is caught so."""
    while True:
        task = onboard(server, "Ann", seconds=1)
        wait_until_claimed_or_ended(task)
        worker.tell(SIGSTOP)
        if task.is_claimed():
            return task
        worker.tell(SIGCONT)
        assert worker.told() == (task.id, "TransitionSuccess")


def wait_until_claimed_or_ended(task: Task) -> None:
    while not task.is_claimed() and task.state()["status"] == "IN_PROGRESS":
        pass


def test_work_that_fails_fails_the_step(command: list[str], server: ServerProcess) -> None:
    """The retry policy says what follows: here a second attempt, and no third."""
    publish_failing(server)
    task = start(server, "failing", {})
    with working(command, server) as worker:
        failed = [worker.told() for _ in range(2)]
    assert [result for _, result in failed] == ["TransitionSuccess"] * 2
    step = task.state()
    assert [step["id"], step["attempt"], step["status"]] == [failed[1][0], 2, "FAILED"]
    assert re.search("employee|toLowerCase", step["failure"]["message"])
