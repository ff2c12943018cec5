"""Two servers behind HAProxy are restarted in turn: no command fails, no follower misses anything (`security.md` O2)."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM

import httpx
import pytest

from tests.live.brokers import RedisServer
from tests.live.chaos.checking import Place, Truth, place_of, violations
from tests.live.chaos.clients import Following
from tests.live.chaos.house import House
from tests.live.chaos.log import Log
from tests.live.chaos.scenario import TRANSPORTS, Scenario, running
from tests.live.chaos.streams import JSON, ListStream
from tests.live.chaos.writers import Unexpected, Writer
from tests.live.haproxy import HAProxy
from tests.process.pairs import pair_of_servers
from tests.servers import NO_TLS, ServerProcess

SEED = 1
ROUNDS = 2
WRITERS = 3
PATIENCE = 30.0  # seconds; an event stream has a comment every 15
BREATH = 0.1  # seconds before each command of a writer, so that the servers have the machine


class OnceWriter(Writer):
    """Asks once: what is not answered, or answered with an error, has failed."""

    patience = PATIENCE

    async def ask(self, document: str, variables: JSON) -> JSON:
        data = await self._answer(document, variables)
        if data is None:
            raise Unexpected(f"{self.name} was not answered: {document} {variables}")
        return data

    async def step(self, root_id: str) -> bool:
        await asyncio.sleep(BREATH)
        return await super().step(root_id)

    def move(self) -> None:
        """There is one address."""


class Rolling(Scenario):
    """Writers that ask once, and clients that leave it to the servers to end a connection."""

    writer = OnceWriter
    patience = PATIENCE

    async def follow(self, root_id: str) -> None:
        """Clients of every third tree: those of its changes stay, and are many at the end."""
        if len(self.roots()) % 3 == 0:
            await super().follow(root_id)


class ProxiedHouse(House):
    """Two servers that are reached by the proxy alone."""

    def __init__(self, database: str, servers: list[ServerProcess], proxy: HAProxy) -> None:
        super().__init__(database, None, servers, [])
        self._proxy = proxy
        self._restarts = 0

    @property
    def ports(self) -> list[int]:
        return [self._proxy.port]

    async def restart(self, number: int) -> None:
        """One server, as somebody does who rolls out a release: the next one's turn is when the proxy has this one back."""
        server = self.servers[number]
        times = self._restarts // len(self.servers) + 1
        server.tell(SIGTERM)
        noticed = await asyncio.to_thread(self._proxy.wait_for, number, "DOWN", times)
        assert "code: 503" in noticed, "the proxy has learnt of the end from connections that failed"
        assert await asyncio.to_thread(server.wait) == 0
        await self.start(server)
        await asyncio.to_thread(self._proxy.wait_for, number, "UP", times)
        self._restarts += 1


@contextmanager
def proxied_house(database: str, broadcast: str, directory: Path) -> Iterator[ProxiedHouse]:
    """Everything running."""
    with pair_of_servers(database, broadcast, directory, "--shutdown-delay", "2") as pair:
        ports = [int(server.url.rpartition(":")[2]) for server in pair]
        with HAProxy(ports) as proxy:
            try:
                yield ProxiedHouse(database, list(pair), proxy)
            finally:
                (directory / "haproxy.txt").write_text("\n".join(proxy.said))


async def restart_all(house: ProxiedHouse, scenario: Rolling) -> tuple[Truth, list[Following]]:
    """Restart each server in turn under load; returns what is true then, and who followed from the beginning on."""
    writing: list[asyncio.Task[None]] = []
    async with running(*scenario.writers, scenario.judge):
        try:
            await scenario.judge.publish()
            root_id, lasting = await scenario.watched_tree()
            for transport in TRANSPORTS:
                lasting.append((await scenario.follow_all(transport)).following)
                lasting.append(scenario.client("list", None, None, ListStream(), transport).following)
            for writer in scenario.writers:
                run = writer.run(scenario.follow, scenario.roots_of_writers)
                writing.append(asyncio.create_task(run))
            for number in [*range(len(house.servers))] * ROUNDS:
                await scenario.progress(30)
                await house.restart(number)
                await scenario.judge.update(root_id, {"restarted": number})
                assert await scenario.until(lambda: all(each.is_live for each in lasting))
            for writer in scenario.writers:
                writer.is_to_stop = True
            await asyncio.gather(*writing)
            truth = await scenario.truth()
            await scenario.until(lambda: all(scenario.has_arrived(each, truth) for each in scenario.clients))
        finally:
            tasks = [*writing, *(each.task for each in scenario.clients)]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return truth, lasting


def acknowledged_places(acknowledged: list[JSON]) -> set[Place]:
    return {(answer["root"], change["revision"]) for answer in acknowledged for change in answer["changes"]}


@pytest.mark.postgresql
@pytest.mark.redis
@pytest.mark.haproxy
async def test_no_command_fails_and_no_follower_misses_a_change(
    migrated_postgresql_url: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    with (
        Log(tmp_path / "operations.jsonl") as log,
        proxied_house(migrated_postgresql_url, redis_server.url, tmp_path) as house,
    ):
        scenario = Rolling(house, SEED, log, WRITERS)
        truth, lasting = await restart_all(house, scenario)
        for server in house.servers:
            server.tell(SIGTERM)
        assert [server.wait() for server in house.servers] == [0, 0]
        assert house.said() == []
    acknowledged = [
        answer for writer in (*scenario.writers, scenario.judge) for answer in writer.acknowledged
    ]
    seen = [each.seen(truth) for each in scenario.clients]
    assert violations(truth, seen, acknowledged) == [], f"the log is in {tmp_path}"
    # A command that was carried out twice would have changes of which nobody was told.
    assert {place_of(change) for change in truth.changes} == acknowledged_places(acknowledged)
    # Whichever server they began at, three of the four restarts were theirs at least.
    assert [each.name for each in lasting if each.resumes < 2 * ROUNDS - 1] == []


@pytest.mark.haproxy
def test_the_metrics_are_not_for_the_open_network() -> None:
    """However the address is spelt: servers decode it. What is passed on finds nobody here."""
    with HAProxy([1, 1]) as proxy, httpx.Client(trust_env=False, verify=NO_TLS) as client:
        for path in ("/metrics", "/%6detrics", "/metrics?all"):
            assert client.get(proxy.url + path).status_code == 404
        assert client.get(proxy.url + "/healthz").status_code == 503
