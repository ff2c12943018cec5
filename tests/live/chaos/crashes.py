"""A server that is killed again and again: what was acknowledged is there once, and nothing is there by half (O4).

`python -m tests.live.chaos.crashes --kills 500`. The clients are those of the chaos; they give every command under an
idempotency key until it is answered, so at the end each of their commands must be there exactly once.
"""

import argparse
import asyncio
import contextlib
import random
import secrets
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from signal import SIGKILL

import orjson

from tests.live.chaos.checking import Truth, place_of, violations
from tests.live.chaos.deaths import POINTS
from tests.live.chaos.house import House, Setting, database_of
from tests.live.chaos.jobs import Jobs
from tests.live.chaos.log import Log
from tests.live.chaos.scenario import Scenario, running
from tests.live.chaos.serve import VARIABLE, Harm
from tests.live.chaos.streams import JSON
from tests.live.chaos.writers import Writer
from tests.servers import ServerProcess

AT_ANY_TIME = "any time"
LONGEST_LIFE = 0.6  # seconds, of a server that is killed at any time
REPEATED = 200  # commands of each writer, the last ones, that are given once more at the end


@dataclass
class Report:
    """What a run came to. `owned` are roots of trees in which nothing comes by itself; `ready` is in seconds."""

    truth: Truth
    acknowledged: list[JSON]
    owned: list[str]
    found: list[str]
    deaths: Counter[str] = field(default_factory=Counter)
    ready: list[float] = field(default_factory=list)


def doubled(truth: Truth, acknowledged: list[JSON], owned: list[str]) -> list[str]:
    """Changes in trees of these roots that no command was answered with: a command was carried out twice."""
    told = {(answer["root"], change["revision"]) for answer in acknowledged for change in answer["changes"]}
    places = [place_of(change) for change in truth.changes]
    return [
        f"{each} is no acknowledged command's" for each in places if each[0] in owned and each not in told
    ]


class Crashes:
    """One server, started after each of its deaths."""

    def __init__(self, database: str, directory: Path, seed: int) -> None:
        self.log_path = directory / "deeds.jsonl"
        self.chance = random.Random(seed)  # noqa: S311 – repeatable
        self.ready: list[float] = []
        self.deaths: Counter[str] = Counter()
        self._variables = {VARIABLE: ""}
        self.server = ServerProcess(
            "--database", database, cwd=directory, variables=self._variables, program="tests.live.chaos.serve"
        )

    def start(self, dies_at: str = "", passes: int = 0) -> bool:
        """Whether it came to serve; it may die before."""
        harm = Harm(str(self.log_path), dies_at=dies_at, passes=passes)
        self._variables[VARIABLE] = orjson.dumps(asdict(harm)).decode()
        begun = time.monotonic()
        try:
            self.server.start()
        except AssertionError:
            if not dies_at:
                raise
            return False
        self.ready.append(time.monotonic() - begun)
        return True

    async def live_and_die(self, point: str) -> None:
        """Start, be killed at the point, and be gone."""
        if point == AT_ANY_TIME:
            await asyncio.to_thread(self.start)
            await asyncio.sleep(self.chance.uniform(0, LONGEST_LIFE))  # at any time
            self.server.tell(SIGKILL)
        else:
            await asyncio.to_thread(self.start, point, self.chance.randint(0, POINTS[point]))
        code = await asyncio.to_thread(self.server.wait)
        assert code == -SIGKILL, f"the server ended with {code}: {self.server.output[-20:]}"
        self.deaths[point] += 1

    def deck(self, kills: int) -> list[str]:
        """Every point as often as any other, in a random order."""
        points = [*POINTS, AT_ANY_TIME]
        decks = [self.chance.sample(points, len(points)) for _ in range(kills // len(points) + 1)]
        return [point for deck in decks for point in deck][:kills]


async def _anybody(_: str) -> None:
    """Nobody follows the new tree."""


async def _run(crashes: Crashes, database: str, kills: int, log: Log) -> Report:
    await asyncio.to_thread(crashes.start)
    house = House(database, None, [crashes.server], [crashes.log_path])
    scenario = Scenario(house, crashes.chance.randrange(1 << 30), log, 3)
    writers = list(scenario.writers)
    jobs = Jobs("jobs", house.ports, scenario.own_chance(), log)
    scenario.writers.append(jobs)
    async with running(*scenario.writers, scenario.judge):
        await writers[0].publish()
        await jobs.publish()
        crashes.server.stop(SIGKILL)
        tasks = [
            asyncio.create_task(each.run(_anybody, lambda: [id_ for one in writers for id_ in one.trees]))
            for each in writers
        ]
        tasks.append(asyncio.create_task(jobs.work()))
        try:
            for point in crashes.deck(kills):
                await crashes.live_and_die(point)
                for task in tasks:
                    if task.done():
                        await task
            await asyncio.to_thread(crashes.start)
            for each in scenario.writers:
                each.is_to_stop = True
            await asyncio.gather(*tasks)
            truth = await _settled(scenario)
            found = [*jobs.found, *[line for each in writers for line in await _repeated(each)]]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    acknowledged = [answer for writer in scenario.writers for answer in writer.acknowledged]
    owned = [id_ for writer in writers for id_ in writer.trees]
    found += violations(truth, [], acknowledged) + doubled(truth, acknowledged, owned)
    found += [f"a server said: {line}" for line in house.said()]
    return Report(truth, acknowledged, owned, found, crashes.deaths, crashes.ready)


async def _settled(scenario: Scenario) -> Truth:
    """What the final queries answer, once nothing comes by itself any more."""
    before = await scenario.truth()
    while True:
        await asyncio.sleep(1.5)  # longer than a lease
        after = await scenario.truth()
        if len(after.changes) == len(before.changes):
            return after
        before = after


async def _repeated(writer: Writer) -> list[str]:
    """Commands that are answered otherwise when they are given once more under their keys."""
    found = []
    for answer in writer.acknowledged[-REPEATED:]:
        (again,) = (await writer.ask(*writer.sent[answer["key"]])).values()
        if {**answer, **again} != answer:
            found.append(f"{answer['key']} was answered {answer} and then {again}")
    return found


def run(database_kind: str, kills: int, seed: int, directory: Path) -> Report:
    """A run of its own database; logs are left in the directory."""
    with database_of(Setting(database_kind, "memory"), directory) as url, Log(directory / "log.jsonl") as log:
        crashes = Crashes(url, directory, seed)
        try:
            return asyncio.run(_run(crashes, url, kills, log))
        finally:
            crashes.server.stop(SIGKILL)
            (directory / "server.txt").write_text("\n".join(crashes.server.output))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.live.chaos.crashes", description=__doc__)
    parser.add_argument("--kills", type=int, default=500, help="half of them on each database")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 30))
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    given = parser.parse_args()
    kinds = given.database or ["sqlite", "postgresql"]
    found = []
    for kind in kinds:
        directory = Path(tempfile.mkdtemp(prefix=f"crashes-{kind}-"))
        report = run(kind, given.kills // len(kinds), given.seed, directory)
        found += report.found
        ready = sorted(report.ready)
        print(
            f"{kind} seed {given.seed}: {report.deaths.total()} kills {dict(report.deaths)},"
            f" {len(report.acknowledged)} acknowledged commands, {len(report.truth.changes)} changes in"
            f" {len(report.truth.trees)} trees; ready after {ready[len(ready) // 2]:.1f} s (median),"
            f" {ready[-1]:.1f} s (longest); {len(report.found)} violations; logs in {directory}",
            *report.found,
            sep="\n  ",
            flush=True,
        )
    sys.exit(bool(found))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
