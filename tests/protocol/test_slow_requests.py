"""Who sends nothing, or never comes to the end of it, holds no connection for good (`security.md` A6)."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from server.transports.endpoint import TransportLimits
from server.transports.http import HTTPLimits
from server.transports.uvicorn_http import HEAD_TOO_LARGE, MAX_HEAD, UvicornHTTP
from tests.protocol.serving import Toy, served_toy

POST = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
ANSWERED = b'{"data":{"hello":"world"}}'
QUERY = b'{"query":"{ hello }"}'
# Under what uvicorn itself would wait for ever.
PATIENCE = 60


@pytest.fixture
async def hasty(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Toy]:
    monkeypatch.setattr(UvicornHTTP, "head_seconds", 0.3)
    async with served_toy(TransportLimits(http=HTTPLimits(body_seconds=0.3))) as toy:
        yield toy


async def everything(toy: Toy, *pieces: bytes) -> bytes:
    """What the server sends until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", toy.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.01)
        async with asyncio.timeout(PATIENCE):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize(
    "sent", [b"", b"\r\n", b"POST", b"POST /graphql HTTP/1.1\r\nHost: localh", POST + b"X: y\r\n"]
)
async def test_a_head_that_never_ends_closes_the_connection(hasty: Toy, sent: bytes) -> None:
    assert await everything(hasty, sent) == b""


async def test_so_does_the_head_of_a_second_request(hasty: Toy) -> None:
    first = POST + b"Content-Length: %d\r\n\r\n" % len(QUERY) + QUERY
    answer = await everything(hasty, first, POST)
    assert answer.count(b"HTTP/1.1") == 1
    assert answer.endswith(ANSWERED)


@pytest.mark.parametrize("length", [b"Content-Length: 100", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize("body", [b"", b"1\r\n{\r\n"])
async def test_a_body_that_never_ends_is_408(hasty: Toy, length: bytes, body: bytes) -> None:
    head, _, content = (await everything(hasty, POST + length + b"\r\n\r\n" + body)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    (error,) = json.loads(content)["errors"]
    assert error["extensions"] == {"code": "REQUEST_TIMEOUT"}
    assert "did not come within 0.3 s" in error["message"]


async def test_a_socket_that_is_slow_after_its_handshake_has_sent_its_head(hasty: Toy) -> None:
    handshake = (
        b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", hasty.port)
    writer.write(handshake)
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(2 * UvicornHTTP.head_seconds)
    writer.write(b"\x89\x80\x00\x00\x00\x00")  # a ping, to which a pong comes
    async with asyncio.timeout(PATIENCE):
        assert await reader.readexactly(2) == b"\x8a\x00"
    writer.close()


@pytest.mark.parametrize(
    "head",
    [
        b"X: " + b"a" * MAX_HEAD + b"\r\n\r\n",
        b"X: " + b"a" * MAX_HEAD,
        b"X" * MAX_HEAD,
        b"".join(b"X%d: a\r\n" % n for n in range(MAX_HEAD // 8)) + b"\r\n",
    ],
    ids=["one header", "a header without end", "a name without end", "many headers"],
)
async def test_a_head_that_is_too_large_is_431(hasty: Toy, head: bytes) -> None:
    assert await everything(hasty, POST, head) == HEAD_TOO_LARGE


@pytest.mark.parametrize(
    "rest",
    [b"0\r\nX: " + b"a" * 2 * MAX_HEAD, b"1;x=" + b"a" * 2 * MAX_HEAD],
    ids=["a trailer without end", "an extension of a chunk without end"],
)
async def test_nor_does_anything_else_grow_without_end(toy: Toy, rest: bytes) -> None:
    get = b"GET /graphql?query={hello} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert (await everything(toy, get, rest)).endswith(HEAD_TOO_LARGE)


async def test_what_follows_a_body_larger_than_any_head_is_answered(hasty: Toy) -> None:
    content = json.dumps({"query": "{ hello }" + " " * MAX_HEAD}).encode()
    request = POST + b"Content-Length: %d\r\n\r\n" % len(content) + content
    closing = request.replace(b"Host", b"Connection: close\r\nHost", 1)
    assert (await everything(hasty, request, closing)).count(ANSWERED) == 2
