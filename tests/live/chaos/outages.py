"""Parts that break and come back under load: no command is lost and no stream ends (`security.md` O3, `live.md` B2).

`python -m tests.live.chaos.outages --seconds 60` has, for so long each, PostgreSQL stopped at once and started again every
few seconds, and Redis away in one piece, the latter on each database.
"""

import argparse
import asyncio
import contextlib
import random
import secrets
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGTERM

import httpx

from db.migrate import migrate
from tests.databases import empty_postgresql
from tests.live.brokers import RedisServer
from tests.live.chaos.checking import Seen, Truth, violations
from tests.live.chaos.house import House, Setting, database_of, harmed_server
from tests.live.chaos.log import Log
from tests.live.chaos.scenario import TRANSPORTS, Scenario, running
from tests.live.chaos.serve import Harm
from tests.live.chaos.streams import JSON
from tests.live.postgresql_server import PostgreSQLServer
from tests.servers import NO_TLS

LONGEST_AWAY = 1.0  # seconds, of a database that is started again
LONGEST_BETWEEN = 4.0  # seconds, from when it serves to its next end
HANGS = 60  # seconds after which what has come back is not waited for any more
Break = Callable[[Scenario], Awaitable[None]]


@dataclass
class Load:
    """What writers, and clients that follow all changes over each transport, made of it.

    `refused` operations were answered with a code that says to try again; `connections` are those of each client.
    """

    truth: Truth
    clients: list[Seen]
    acknowledged: list[JSON]
    found: list[str]
    refused: int
    connections: list[int]


@dataclass
class DatabaseOutages:
    """Ends a PostgreSQL server, starts it again and waits until it is in use. `back` is how many seconds that took."""

    postgresql: PostgreSQLServer
    end: Callable[[PostgreSQLServer], None]
    seed: int
    back: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311 – repeatable

    async def once(self, scenario: Scenario) -> None:
        await asyncio.to_thread(self.end, self.postgresql)
        await asyncio.sleep(self.chance.uniform(0, LONGEST_AWAY))  # it may be away for any time
        await asyncio.to_thread(self.postgresql.start)
        begun = time.monotonic()
        async with asyncio.timeout(HANGS):
            await _is_ready(scenario.house)
            await scenario.judge.create()
        self.back.append(time.monotonic() - begun)

    async def again_and_again(self, scenario: Scenario, seconds: float) -> None:
        """For so long, every few seconds."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await self.once(scenario)
            await asyncio.sleep(self.chance.uniform(0, LONGEST_BETWEEN))


async def broker_away(scenario: Scenario, redis: RedisServer, seconds: float = 0) -> None:
    """For so long at least, and until clients have seen much of what happens meanwhile."""
    redis.kill()
    until = time.monotonic() + seconds
    await scenario.progress(60)
    await asyncio.sleep(max(until - time.monotonic(), 0))
    await asyncio.to_thread(redis.start)


async def under_load(
    database: str, broadcast: str, directory: Path, break_it: Break, times: int = 1, seed: int = 1
) -> Load:
    """Break it so often while commands are given; logs are left in the directory."""
    deeds = directory / "deeds.jsonl"
    server = harmed_server(database, directory, Harm(str(deeds)), broadcast)
    try:
        await asyncio.to_thread(server.start)
        house = House(database, None, [server], [deeds])
        with Log(directory / "log.jsonl") as log:
            load = await _run(Scenario(house, seed, log, 3), break_it, times)
        assert await asyncio.to_thread(server.stop, SIGTERM) == 0
        load.found += [f"a server said: {line}" for line in house.said()]
        return load
    finally:
        await asyncio.to_thread(server.stop, SIGKILL)
        (directory / "server.txt").write_text("\n".join(server.output))


async def _run(scenario: Scenario, break_it: Break, times: int) -> Load:
    async with running(*scenario.writers, scenario.judge):
        await scenario.writers[0].publish()
        await scenario.writers[0].create()
        clients = [await scenario.follow_all(transport) for transport in TRANSPORTS]
        writing = [
            asyncio.create_task(writer.run(_anybody, scenario.roots_of_writers))
            for writer in scenario.writers
        ]
        try:
            for _ in range(times):
                await scenario.progress(30)
                await break_it(scenario)
            await scenario.progress(30)
            for writer in scenario.writers:
                writer.is_to_stop = True
            await asyncio.gather(*writing)
            truth = await scenario.truth()
            await scenario.until(lambda: all(scenario.has_arrived(each, truth) for each in clients))
        finally:
            tasks = [*writing, *(each.task for each in clients)]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    everybody = (*scenario.writers, scenario.judge)
    acknowledged = [answer for writer in everybody for answer in writer.acknowledged]
    seen = [each.seen(truth) for each in clients]
    return Load(
        truth,
        seen,
        acknowledged,
        violations(truth, seen, acknowledged),
        sum(writer.refused for writer in scenario.writers),
        [each.following.connections for each in clients],
    )


async def _anybody(_: str) -> None:
    """Nobody follows the new tree."""


async def _is_ready(house: House) -> None:
    """Return when a proxy would send requests to the server."""
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS) as client:
        while (await client.get(f"{house.servers[0].url}/readyz")).json()["status"] != "ready":  # noqa: ASYNC110 – another process's
            await asyncio.sleep(0.05)  # another process is asked


def _told(name: str, load: Load, directory: Path) -> list[str]:
    """Print what a run came to; what was wrong in it."""
    print(
        f"{name}: {len(load.acknowledged)} acknowledged commands, {len(load.truth.changes)} changes in"
        f" {len(load.truth.trees)} trees; {load.refused} operations told to try again; the streams took"
        f" {load.connections} connections; {len(load.found)} violations; logs in {directory}",
        *load.found,
        sep="\n  ",
        flush=True,
    )
    return load.found


def _restart_database(seconds: float, seed: int, directory: Path) -> list[str]:
    postgresql = PostgreSQLServer()
    outages = DatabaseOutages(postgresql, PostgreSQLServer.stop_at_once, seed)
    try:
        postgresql.start()

        async def break_it(scenario: Scenario) -> None:
            await outages.again_and_again(scenario, seconds)

        with empty_postgresql(postgresql.url) as database:
            asyncio.run(migrate(database))
            load = asyncio.run(under_load(database, "memory://", directory, break_it, seed=seed))
    finally:
        postgresql.remove()
    back = sorted(outages.back)
    name = (
        f"database stopped at once {len(back)} times (seed {seed}), in use again after"
        f" {back[len(back) // 2]:.1f} s (median), {back[-1]:.1f} s (longest)"
    )
    return _told(name, load, directory)


def _take_broker_away(kind: str, seconds: float, seed: int, directory: Path) -> list[str]:
    redis = RedisServer(directory)

    async def break_it(scenario: Scenario) -> None:
        await broker_away(scenario, redis, seconds)

    with database_of(Setting(kind, "redis"), directory) as database:
        try:
            redis.start()
            load = asyncio.run(under_load(database, redis.url, directory, break_it, seed=seed))
        finally:
            redis.kill()
    if load.refused or set(load.connections) != {1}:
        load.found.append("clients have noticed it")
    return _told(f"{kind}, Redis away for {seconds:.0f} s (seed {seed})", load, directory)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.live.chaos.outages", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long each")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 30))
    given = parser.parse_args()
    directories = [Path(tempfile.mkdtemp(prefix="outages-")) for _ in range(3)]
    found = _restart_database(given.seconds, given.seed, directories[0])
    for kind, directory in zip(("sqlite", "postgresql"), directories[1:], strict=True):
        found += _take_broker_away(kind, given.seconds, given.seed, directory)
    sys.exit(bool(found))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
