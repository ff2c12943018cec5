"""One run: a fleet works on what is being created, some of it is killed and some frozen past its leases, to the end."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from random import Random
from signal import SIGCONT, SIGKILL, SIGSTOP

from sqlalchemy import func, select

from db.connect import database_for
from db.session import Database
from db.statements import Statement
from db.tables import DEFAULT_TENANT
from tests.contract.tables import EXECUTIONS, JOURNAL, STEPS, rows_of
from tests.live.fleet.checking import Truth, violations
from tests.live.fleet.notes import JSON, read
from tests.live.fleet.work import create, executions, publish
from tests.servers import ROOT, environment

CREWS, IN_CREW = 10, 5
LEAST_HELD = 2
SECONDS_WITHOUT_PROGRESS = 60
PAUSE = 0.05  # between two looks at what other processes do

_LEFT = Statement(select(func.count()).where(EXECUTIONS.c.runtime_status != "Completed"))
_DONE = Statement(select(func.count()).where(STEPS.c.type == "sys.task", STEPS.c.status == "Completed"))
_HELD = Statement(select(STEPS.c.id, STEPS.c.status, STEPS.c.claim_token).where(STEPS.c.type == "sys.task"))


class Crew:
    """A process of workers, and its notes."""

    def __init__(self, path: Path, seed: int, urls: Sequence[str]) -> None:
        self._path = path
        arguments = [str(path), str(seed), str(IN_CREW), *urls]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.live.fleet.crew", *arguments], cwd=ROOT, env=environment()
        )

    def notes(self) -> list[JSON]:
        return list(read(self._path))

    def held(self) -> dict[str, str]:
        """The steps that its workers have and have not begun to complete, by their tokens."""
        notes = self.notes()
        sent = {note["token"] for note in notes if note["what"] == "sends"}
        claimed = {note["token"]: note["step"] for note in notes if note["what"] == "claimed"}
        return {token: step for token, step in claimed.items() if token not in sent}

    async def catch(self) -> dict[str, str]:
        """Stop it while two of its workers or more hold steps; tries until it is caught so. What they hold."""
        while True:
            self._process.send_signal(SIGSTOP)
            await asyncio.to_thread(os.waitid, os.P_PID, self._process.pid, os.WSTOPPED)
            if len(held := self.held()) >= LEAST_HELD:
                return held
            self.go_on()
            await asyncio.sleep(PAUSE)  # it goes on working

    def go_on(self) -> None:
        self._process.send_signal(SIGCONT)

    def kill(self) -> None:
        self._process.send_signal(SIGKILL)
        self._process.wait()

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None


@dataclass
class Report:
    """What a run came to; `killed` and `frozen` are the steps that those held then, by token."""

    truth: Truth
    notes: list[JSON]
    expected: int
    killed: dict[str, str]
    frozen: dict[str, str]
    found: list[str]


@contextmanager
def fleet_of(directory: Path, seed: int, urls: Sequence[str]) -> Iterator[list[Crew]]:
    """All crews at work; killed at the end."""
    with ExitStack() as stack:
        crews = [Crew(directory / f"crew{number}.jsonl", seed, urls) for number in range(CREWS)]
        for crew in crews:
            stack.callback(crew.kill)
        yield crews


async def run(database_url: str, urls: Sequence[str], steps: int, seed: int, directory: Path) -> Report:
    """Let a fleet do so many steps through these servers."""
    chance = Random(seed)  # noqa: S311 – repeatable
    async with database_for(database_url) as database:
        await publish(urls[0])
        with fleet_of(directory, seed, urls) as crews:
            await _until(lambda: _all_wait(crews))
            creating = asyncio.create_task(create(urls, executions(steps, chance)))
            doomed, stopped = chance.sample(crews, 2)
            await _has_done(database, steps // 10)
            killed = await doomed.catch()
            doomed.kill()
            await _has_done(database, steps // 5)
            frozen = await stopped.catch()
            await _until(lambda: _are_taken(database, frozen))
            stopped.go_on()
            await creating
            await _has_done(database, steps)
            await _until(lambda: _have_answers(stopped, frozen))
            others = [crew for crew in crews if crew is not doomed]
            assert not any(crew.has_ended for crew in others), "a crew has failed; its words are above"
            await _until(lambda: _all_is_acknowledged(others))
            notes = [note for crew in crews for note in crew.notes()]
        (left,) = await database.rows(_LEFT, {})
        truth = await _truth(database)
    found = violations(truth, notes, steps) + [f"{left[0]} executions are left"] * (left[0] > 0)
    return Report(truth, notes, steps, killed, frozen, found)


async def _until(told: Callable[[], Awaitable[bool]]) -> None:
    while not await told():  # noqa: ASYNC110 – other processes are at it
        await asyncio.sleep(PAUSE)  # other processes are at it


async def _has_done(database: Database, steps: int) -> None:
    """Return when so many steps are completed; fails where nothing happens any more."""
    seen, clock = -1, asyncio.get_running_loop().time
    since = clock()
    while seen < steps:
        ((done,),) = await database.rows(_DONE, {})
        if done > seen:
            seen, since = done, clock()
        assert clock() < since + SECONDS_WITHOUT_PROGRESS, f"{done} of {steps} steps are done, and no more"
        await asyncio.sleep(PAUSE)  # other processes are at it


async def _all_wait(crews: Sequence[Crew]) -> bool:
    """Whether every worker has asked for work, of which there is none."""
    return sum(note["what"] == "asks" for crew in crews for note in crew.notes()) >= CREWS * IN_CREW


async def _are_taken(database: Database, held: dict[str, str]) -> bool:
    """Whether others have taken these steps."""
    steps = {id_: (status, token) for id_, status, token in await database.rows(_HELD, {})}
    return all(steps[id_] not in {("InProgress", token), ("InProgress", None)} for token, id_ in held.items())


async def _have_answers(crew: Crew, held: dict[str, str]) -> bool:
    """Whether the crew has tried to complete these."""
    return held.keys() <= {note["token"] for note in crew.notes() if note["what"] == "answered"}


async def _all_is_acknowledged(crews: Sequence[Crew]) -> bool:
    """Whether every worker has the answer to its last completion."""
    counts = Counter(note["what"] for crew in crews for note in crew.notes())
    return counts["sends"] == counts["answered"]


async def _truth(database: Database) -> Truth:
    steps = {
        row["id"]: row for row in await rows_of(database, STEPS, DEFAULT_TENANT) if row["type"] == "sys.task"
    }
    journal = await rows_of(database, JOURNAL, DEFAULT_TENANT)
    return Truth(steps, sorted(journal, key=itemgetter("root_id", "revision")))
