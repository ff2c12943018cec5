"""Whatever is sent is answered, and never as the server's own fault (`security.md` A6): 2,000 spoilt requests and frames.

    make hostile COUNT=20000

sends more of them. Number 17 is the same one each time.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable

import pytest

from tests.process.clients import http_client
from tests.process.hostile.mutations import frame, http_request
from tests.process.raw import HANDSHAKE, connected, read_frame, read_response, text_frame
from tests.servers import ServerProcess

COUNT = int(os.environ.get("STEPGRAPH_TEST_MUTATIONS", "2000"))
AT_ONCE = 16
# An operation has 10 seconds, which a wait for work or for a revision may precede.
PATIENCE = 60

INIT = text_frame(b'{"type":"connection_init"}')
# Its answer shows that the frame before it has been read.
END = text_frame(b'{"type":"ping","payload":{"end":true}}')

Send = Callable[[ServerProcess, int], Awaitable[None]]


async def over_http(server: ServerProcess, number: int) -> None:
    async with connected(server) as (reader, writer):
        writer.write(http_request(number))
        response = await read_response(reader)
        assert response.status < 500, (number, response)
        content_type = response.headers["content-type"].partition(";")[0]
        if content_type == "text/event-stream" or response.status == 431:
            return
        assert content_type in ("application/json", "application/graphql-response+json", "text/html")
        assert b"INTERNAL_SERVER_ERROR" not in response.body, (number, response.body)
        if content_type != "text/html":
            assert json.loads(response.body).keys() <= {"data", "errors"}


async def over_websocket(server: ServerProcess, number: int) -> None:
    async with connected(server) as (reader, writer):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(INIT + frame(number) + END)
        while True:
            opcode, payload = await read_frame(reader)
            if opcode == 0x88:
                code = int.from_bytes(payload[:2], "big")
                assert 4400 <= code < 4500, (number, payload)
                return
            assert b"INTERNAL_SERVER_ERROR" not in payload, (number, payload)
            message = json.loads(payload)
            if message == {"type": "pong", "payload": {"end": True}}:
                return


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize(
    ("send", "share"), [(over_http, 0.75), (over_websocket, 0.25)], ids=["http", "websocket"]
)
async def test_nothing_that_is_spoilt_is_the_servers_fault(
    server: ServerProcess, send: Send, share: float
) -> None:
    numbers = iter(range(int(COUNT * share)))

    async def sender() -> None:
        for number in numbers:
            async with asyncio.timeout(PATIENCE):
                await send(server, number)

    async with asyncio.TaskGroup() as senders:
        for _ in range(AT_ONCE):
            senders.create_task(sender())
    async with http_client(server) as client:
        assert (await client.get("/readyz")).json()["status"] == "ready"
        metrics = (await client.get("/metrics")).text
    assert "stepgraph_unexpected_errors_total 0.0" in metrics
