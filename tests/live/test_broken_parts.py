"""Parts that break and come back under load: no command is lost and no stream ends (`security.md` O3, `live.md` B2).

For longer: `make outages SECONDS=60`.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from db.migrate import migrate
from tests.databases import empty_postgresql
from tests.live.brokers import RedisServer
from tests.live.chaos.outages import DatabaseOutages, broker_away, under_load
from tests.live.chaos.scenario import Scenario
from tests.live.postgresql_server import PostgreSQLServer

TIMES = 3


@pytest.mark.postgresql
@pytest.mark.parametrize("end", [PostgreSQLServer.kill, PostgreSQLServer.stop_at_once])
def test_a_database_that_ends_and_is_restarted_loses_nothing_and_ends_no_stream(
    end: Callable[[PostgreSQLServer], None], postgresql_server: PostgreSQLServer, tmp_path: Path
) -> None:
    """A writer is only ever answered with a code that says to try again, or the run fails."""
    outages = DatabaseOutages(postgresql_server, end, seed=1)
    with empty_postgresql(postgresql_server.url) as database:
        asyncio.run(migrate(database))
        load = asyncio.run(under_load(database, "memory://", tmp_path, outages.once, TIMES))
    assert load.found == []
    assert load.refused > 0
    assert load.connections == [1, 1]
    assert len(outages.back) == TIMES


@pytest.mark.postgresql
@pytest.mark.redis
async def test_no_command_fails_while_the_broker_is_away(
    served_database_url: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    async def break_it(scenario: Scenario) -> None:
        await broker_away(scenario, redis_server)

    load = await under_load(served_database_url, redis_server.url, tmp_path, break_it, TIMES)
    assert load.found == []
    assert (load.refused, load.connections) == (0, [1, 1])
