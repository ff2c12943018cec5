"""GraphQL over server-sent events, distinct connections mode (`live.md` W1)."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from starlette.types import Message

from server.operations.payload import Payload
from server.transports.endpoint import TransportLimits
from server.transports.sse import EventStreamLimits, EventStreams
from tests.protocol.serving import Toy, served_toy

COUNTER = "subscription { counter { value } }"
Event = tuple[str, Any]


class Events:
    """The events of a response, as an EventSource would see them, comments too."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def comment(self) -> str:
        """The next block, which is a comment."""
        (line,) = await self._block()
        assert line.startswith(":")
        return line

    async def next(self) -> Event:
        """Name and data of the next event; skips comments."""
        while (block := await self._block())[0].startswith(":"):
            pass
        name, data = block
        assert name.startswith("event: ")
        assert data.startswith("data:")
        text = data.removeprefix("data:").strip()
        return name.removeprefix("event: "), orjson.loads(text) if text else None

    async def ended(self) -> bool:
        """Whether nothing follows."""
        return [line async for line in self._lines] == []

    async def _block(self) -> list[str]:
        lines = []
        async for line in self._lines:
            if not line:
                return lines
            lines.append(line)
        raise EOFError


@asynccontextmanager
async def events_of(http: httpx.AsyncClient, query: str, method: str = "POST") -> AsyncIterator[Events]:
    request: dict[str, Any] = {"json": {"query": query}} if method == "POST" else {"params": {"query": query}}
    headers = {"accept": "text/event-stream"}
    async with http.stream(method, "/graphql", headers=headers, **request) as response:
        yield Events(response)


def counted(value: int) -> Event:
    return "next", {"data": {"counter": {"value": value}}}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_subscription_gives_next_for_every_change_and_complete_at_its_end(
    toy: Toy, http: httpx.AsyncClient, method: str
) -> None:
    async with events_of(http, COUNTER, method) as events:
        assert events.response.status_code == 200
        assert events.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert events.response.headers["cache-control"] == "no-store"
        assert await events.next() == counted(0)
        toy.world.change(1)
        assert await events.next() == counted(1)
        toy.world.end()
        assert await events.next() == counted(1)
        assert await events.next() == ("complete", None)
        assert await events.ended()
    await toy.world.until(sources=0)
    await http.get("/graphql")
    assert len(toy.endpoint.streams) == 0


@pytest.mark.parametrize(
    ("method", "query", "payload"),
    [
        ("POST", "{ hello }", {"data": {"hello": "world"}}),
        ("GET", "{ hello }", {"data": {"hello": "world"}}),
        ("POST", "mutation { change(value: 3) }", {"data": {"change": 3}}),
        ("POST", "{ projected }", {"data": {"projected": {"ready": "made"}}}),
    ],
)
async def test_queries_and_mutations_give_one_next_and_complete(
    http: httpx.AsyncClient, method: str, query: str, payload: dict[str, Any]
) -> None:
    async with events_of(http, query, method) as events:
        assert await events.next() == ("next", payload)
        assert await events.next() == ("complete", None)
        assert await events.ended()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ hello", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription($size: Int!) { counter(size: $size) { value } }", "BAD_USER_INPUT"),
        ("query($text: String!) { echo(text: $text) }", "BAD_USER_INPUT"),
        ("subscription { refused }", "NOT_FOUND"),
    ],
)
async def test_a_graphql_error_is_an_event_because_browsers_see_no_body_of_a_failed_stream(
    http: httpx.AsyncClient, query: str, code: str
) -> None:
    async with events_of(http, query) as events:
        assert events.response.status_code == 200
        name, payload = await events.next()
        assert (name, payload["errors"][0]["extensions"]["code"]) == ("next", code)
        assert "data" not in payload
        assert await events.next() == ("complete", None)


async def test_a_source_that_fails_ends_with_a_masked_error(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    async with events_of(http, "subscription { broken }") as events:
        assert await events.next() == ("next", {"data": {"broken": 1}})
        _, payload = await events.next()
        assert payload["errors"][0]["message"] == "Internal server error"
        assert await events.next() == ("complete", None)
    (record,) = caplog.records
    assert payload["errors"][0]["extensions"]["id"] in record.getMessage()


async def test_a_malformed_body_is_400_and_no_stream(http: httpx.AsyncClient) -> None:
    headers = {"accept": "text/event-stream", "content-type": "application/json"}
    response = await http.post("/graphql", content=b"{", headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (
        400,
        "application/json; charset=utf-8",
    )


async def test_a_mutation_by_get_is_405(toy: Toy, http: httpx.AsyncClient) -> None:
    query = {"query": "mutation { change(value: 7) }"}
    response = await http.get("/graphql", params=query, headers={"accept": "text/event-stream"})
    assert (response.status_code, toy.world.value) == (405, 0)


async def test_a_client_that_takes_json_too_gets_a_stream_for_a_subscription(http: httpx.AsyncClient) -> None:
    accept = "application/graphql-response+json, application/json, text/event-stream"
    body = {"query": "subscription { refused }"}
    response = await http.post("/graphql", json=body, headers={"accept": accept})
    assert response.headers["content-type"].startswith("text/event-stream")


async def test_a_client_that_goes_frees_the_source_at_once(toy: Toy, http: httpx.AsyncClient) -> None:
    async with events_of(http, COUNTER) as events:
        await events.next()
        assert len(toy.endpoint.streams) == 1
    await toy.world.until(sources=0)
    assert len(toy.subscriptions) == 0


async def test_a_silent_stream_is_kept_alive_by_comments() -> None:
    limits = TransportLimits(events=EventStreamLimits(keepalive=0.02))
    async with (
        served_toy(limits) as toy,
        httpx.AsyncClient(base_url=toy.origin, trust_env=False) as http,
        events_of(http, COUNTER) as events,
    ):
        assert await events.next() == counted(0)
        assert [await events.comment(), await events.comment()] == [":", ":"]
        toy.world.change(1)
        assert await events.next() == counted(1)


async def test_a_drain_ends_streams_without_complete_so_that_clients_connect_again(
    toy: Toy, http: httpx.AsyncClient
) -> None:
    async with events_of(http, COUNTER) as events:
        await events.next()
        await toy.endpoint.close()
        assert await events.ended()
    assert toy.world.sources == 0


async def test_a_stream_that_is_asked_for_while_the_server_drains_ends_at_once(
    toy: Toy, http: httpx.AsyncClient
) -> None:
    await toy.endpoint.close()
    async with events_of(http, COUNTER) as events:
        with pytest.raises(EOFError):
            await events.next()
    assert toy.world.sources == 0


@asynccontextmanager
async def stalled_reader(toy: Toy) -> AsyncIterator[asyncio.StreamReader]:
    """A client that has read the beginning of an event, which is longer than all buffers, and no more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", toy.port, limit=1024)
    body = orjson.dumps({"query": "subscription { counter(size: 20000000) { text } }"})
    head = (
        "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Accept: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await reader.readuntil(b"event: next")
    yield reader
    writer.close()


async def is_broken_off(reader: asyncio.StreamReader) -> bool:
    """Read what was on its way; whether it ends in the midst of the event."""
    try:
        return not (await reader.read()).endswith(b"\r\n")
    except ConnectionResetError:
        return True


async def test_a_reader_that_takes_nothing_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    limits = TransportLimits(events=EventStreamLimits(keepalive=0.02, stall_timeout=0.1))
    async with served_toy(limits) as toy, stalled_reader(toy) as reader:
        await toy.world.until(sources=0)
        assert await is_broken_off(reader)
    assert not caplog.records


async def test_a_reader_that_takes_nothing_holds_up_no_drain() -> None:
    """As an ASGI server sees it: what is being sent when the streams are to end is given up soon."""
    streams = EventStreams(EventStreamLimits(stall_timeout=1_000, close_timeout=0.01))
    is_stalled = asyncio.Event()

    async def payloads() -> AsyncGenerator[Payload, None]:
        yield Payload(b"{}")
        await asyncio.Event().wait()

    async def send(message: Message) -> None:
        if b"next" in message.get("body", b""):
            is_stalled.set()
            await asyncio.Event().wait()

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async with asyncio.timeout(60):
        response = asyncio.create_task(streams.respond(payloads())({"type": "http"}, receive, send))
        await is_stalled.wait()
        streams.close_all()
        await response
