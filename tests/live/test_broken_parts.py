"""Parts that break and come back under load: no command is lost and no stream ends (`security.md` O3, `live.md` B2)."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest
from sqlalchemy.engine import make_url

from db.migrate import migrate
from tests.live.brokers import RedisServer
from tests.live.chaos.checking import Seen, Truth, violations
from tests.live.chaos.house import House, harmed_server
from tests.live.chaos.log import Log
from tests.live.chaos.scenario import TRANSPORTS, Scenario, running
from tests.live.chaos.serve import Harm
from tests.live.chaos.streams import JSON
from tests.live.postgresql_server import PostgreSQLServer

TIMES = 3
Break = Callable[[Scenario], Awaitable[None]]


class Load:
    """Writers, and clients that follow all changes over each transport; operations were `refused` for the moment."""

    def __init__(self, truth: Truth, clients: list[Seen], acknowledged: list[JSON]) -> None:
        self.found = violations(truth, clients, acknowledged)
        self.refused = 0
        self.connections: list[int] = []


async def under_load(database: str, broadcast: str, directory: Path, break_it: Break) -> Load:
    """Break it while commands are given; what is wrong then, and what clients noticed."""
    deeds = directory / "deeds.jsonl"
    server = harmed_server(database, directory, Harm(str(deeds)), broadcast)
    try:
        await asyncio.to_thread(server.start)
        house = House(database, None, [server], [deeds])
        with Log(directory / "log.jsonl") as log:
            load = await _run(Scenario(house, 1, log, 3), break_it)
        assert await asyncio.to_thread(server.stop, SIGTERM) == 0
        load.found += house.said()
        return load
    finally:
        await asyncio.to_thread(server.stop, SIGKILL)


async def _run(scenario: Scenario, break_it: Break) -> Load:
    async with running(*scenario.writers, scenario.judge):
        await scenario.writers[0].publish()
        await scenario.writers[0].create()
        clients = [await scenario.follow_all(transport) for transport in TRANSPORTS]
        writing = [
            asyncio.create_task(writer.run(_anybody, scenario.roots_of_writers))
            for writer in scenario.writers
        ]
        try:
            for _ in range(TIMES):
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
    acknowledged = [answer for writer in scenario.writers for answer in writer.acknowledged]
    load = Load(truth, [each.seen(truth) for each in clients], acknowledged)
    load.refused = sum(writer.refused for writer in scenario.writers)
    load.connections = [each.following.connections for each in clients]
    return load


async def _anybody(_: str) -> None:
    """Nobody follows the new tree."""


@pytest.mark.postgresql
async def test_a_database_that_is_killed_and_restarted_loses_nothing_and_ends_no_stream(
    postgresql_server: PostgreSQLServer, tmp_path: Path
) -> None:
    """A writer is only ever answered with a code that says to try again, or the run fails."""
    url = make_url(postgresql_server.url).set(drivername="postgresql+asyncpg")
    database = url.render_as_string(hide_password=False)
    await migrate(database)
    chance = random.Random(1)  # noqa: S311 – repeatable

    async def restart(_: Scenario) -> None:
        await asyncio.to_thread(postgresql_server.kill)
        await asyncio.sleep(chance.uniform(0, 1))  # it may be away for any time
        await asyncio.to_thread(postgresql_server.start)

    load = await under_load(database, "memory://", tmp_path, restart)
    assert load.found == []
    assert load.refused > 0
    assert load.connections == [1, 1]


@pytest.mark.postgresql
@pytest.mark.redis
async def test_no_command_fails_while_the_broker_is_away(
    migrated_postgresql_url: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    async def go_away(scenario: Scenario) -> None:
        redis_server.kill()
        await scenario.progress(60)
        await asyncio.to_thread(redis_server.start)

    load = await under_load(migrated_postgresql_url, redis_server.url, tmp_path, go_away)
    assert load.found == []
    assert (load.refused, load.connections) == (0, [1, 1])
