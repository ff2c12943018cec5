"""Live lists over both transports, across two server processes (`live.md` H6, W1)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.folding import folded
from tests.frontend_documents import document
from tests.live.brokers import RedisServer
from tests.process.clients import EVENT_STREAM, LIVE, TRANSPORTS, Answer, Ask, http_client
from tests.process.pairs import pair_of_servers
from tests.process.test_two_processes import has_status
from tests.process.workflows import complete, create
from tests.servers import ServerProcess

EXECUTIONS, WORK = document("WatchExecutions"), document("WatchWorkQueue")
RUNNING = {"runtimeStatus": {"eq": "IN_PROGRESS"}}


@pytest.fixture
def mortal_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server that the test may kill."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


class Client:
    """Folds a live list."""

    def __init__(self, payloads: AsyncIterator[Answer]) -> None:
        self.kinds: list[list[str]] = []
        self._payloads = payloads
        self._page: list[Any] = []

    async def shows(self, *ids: str) -> None:
        """Return when these are on the page, in this order, and it has begun."""
        async with asyncio.timeout(60):
            while not self.kinds or [entry["id"] for entry in self._page] != list(ids):
                answer = await anext(self._payloads)
                assert "errors" not in answer, answer
                ((_, event),) = answer["data"].items()
                self.kinds.append([entry["kind"] for entry in event["entries"]])
                self._page = folded(self._page, event["entries"])


async def see_it_on_all(acting: ServerProcess, executions: list[Client], work: list[Client]) -> None:
    """An execution comes and goes, on every list."""
    made = await create(acting)
    for client in executions:
        await client.shows(made.id)
    for client in work:
        await client.shows(made.steps["verify"])
    await complete(acting, made.steps["verify"], {"verified": True})
    for client in (*executions, *work):
        await client.shows()


@pytest.mark.postgresql
@pytest.mark.redis
async def test_h6_what_one_process_does_is_on_the_lists_of_both_over_both_transports(
    migrated_postgresql_url: str, mortal_redis: RedisServer, tmp_path: Path
) -> None:
    with pair_of_servers(migrated_postgresql_url, mortal_redis.url, tmp_path) as (one, other):
        for server in (one, other):
            await has_status(server, "ready")
        async with (
            LIVE["websocket"](one, EXECUTIONS, where=RUNNING) as near,
            LIVE["events"](other, EXECUTIONS, where=RUNNING) as far,
            LIVE["events"](one, WORK) as near_work,
            LIVE["websocket"](other, WORK) as far_work,
        ):
            executions, work = [Client(near), Client(far)], [Client(near_work), Client(far_work)]
            for client in (*executions, *work):
                await client.shows()
                assert client.kinds == [[]]
            await see_it_on_all(one, executions, work)
            await see_it_on_all(other, executions, work)
            # B2: by polling.
            mortal_redis.kill()
            await see_it_on_all(one, executions, work)


@pytest.mark.parametrize("transport", ["websocket", "events"])
async def test_h6_a_page_that_cannot_be_is_refused_at_the_start(
    live_server: ServerProcess, transport: str
) -> None:
    ask: Ask = TRANSPORTS[transport]
    for document_, name in ((EXECUTIONS, "workflowExecutions"), (WORK, "workflowStepExecutions")):
        answer = await ask(live_server, document_, first=501)
        (error,) = answer["errors"]
        assert error["message"] == "first is 501; it must be from 0 to 500."
        assert (error["path"], error["extensions"]["code"]) == ([name], "BAD_USER_INPUT")


async def test_w1_an_event_of_a_list_has_no_id_to_go_on_from(live_server: ServerProcess) -> None:
    body = {"query": EXECUTIONS}
    async with (
        asyncio.timeout(60),
        http_client(live_server) as client,
        client.stream("POST", "/graphql", json=body, headers=EVENT_STREAM) as response,
    ):
        fields = set()
        async for line in response.aiter_lines():
            if not line and "data" in fields:
                break
            fields.add(line.partition(":")[0])
        assert fields - {""} == {"event", "data"}
