"""Who asks is known for a time, and may do so much; both are looked at for every event (`live.md` W4)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.requests import HTTPConnection
from websockets.exceptions import ConnectionClosed

from server.operations.operations import Forbidden, Operation, Viewer
from server.transports.endpoint import TransportLimits
from server.transports.sse import EventStreamLimits
from server.transports.websocket_connection import WebSocketLimits
from server.trust.authentication import TokenExpired, Unauthenticated
from tests.protocol.raw_client import RawClient, raw_client
from tests.protocol.serving import Toy, served_toy
from tests.protocol.test_sse import Events
from tests.protocol.test_sse import counted as counted_event
from tests.protocol.test_websocket import COUNTER, counted
from tests.protocol.toy import ToyViewer

EXPIRED = (4403, "The token has expired.")
# Nothing but what is tested looks at a socket or a stream in less than minutes.
RARELY = TransportLimits(
    events=EventStreamLimits(keepalive=250), websocket=WebSocketLimits(stall_timeout=1_000)
)
PATIENCE = 60  # seconds, under what `RARELY` would take


class Tokens:
    """An `Authenticate` that knows its tokens by heart. `lifetime` of `brief` begins when it is shown."""

    def __init__(self) -> None:
        self.viewers = {name: ToyViewer() for name in ("one", "two", "brief")}
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self, connection: HTTPConnection[Any]) -> ToyViewer:
        self.asked += 1
        await self.may_answer.wait()
        shown = getattr(connection.state, "connection_init", connection.headers).get("authorization")
        if shown is None:
            raise Unauthenticated("There is no token.")
        if shown == "old":
            raise TokenExpired
        if shown == "fault":
            raise RuntimeError("the password is swordfish")
        if shown not in self.viewers:
            raise Unauthenticated("The token's signature is not this server's.")
        if shown == "brief":
            return ToyViewer(expires_at=datetime.now(UTC) + timedelta(seconds=0.5))
        return self.viewers[shown]

    def expire(self, name: str) -> None:
        """A token that was good until now."""
        self.viewers[name].expires_at = datetime.now(UTC) - timedelta(seconds=1)


class Rights:
    """An `Authorise`: operations of these names are allowed no more, and those that their scope is missing for."""

    def __init__(self) -> None:
        self.withdrawn: set[str | None] = set()

    def __call__(self, operation: Operation, viewer: Viewer) -> None:
        if operation.name in self.withdrawn:
            raise Forbidden(f"{operation.name} is nothing for you.")
        if operation.name == "Scoped" and "executions:read" not in viewer.scopes:
            raise Forbidden("The scope executions:read is missing.")


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def rights() -> Rights:
    return Rights()


@pytest.fixture
async def toy(tokens: Tokens, rights: Rights) -> AsyncIterator[Toy]:
    async with served_toy(RARELY, authenticate=tokens, authorise=rights) as serving:
        yield serving


@asynccontextmanager
async def shown(toy: Toy, token: str) -> AsyncIterator[RawClient]:
    async with raw_client(toy) as client:
        await client.init({"authorization": token})
        yield client


@asynccontextmanager
async def streamed(http: httpx.AsyncClient, query: str, token: str) -> AsyncIterator[Events]:
    headers = {"accept": "text/event-stream", "authorization": token}
    async with http.stream("POST", "/graphql", json={"query": query}, headers=headers) as response:
        assert response.status_code == 200
        yield Events(response)


async def post(http: httpx.AsyncClient, query: str, token: str | None, accept: str) -> httpx.Response:
    headers = {"accept": accept} | ({"authorization": token} if token else {})
    return await http.post("/graphql", json={"query": query}, headers=headers)


def code_of(payload: dict[str, Any]) -> str:
    (error,) = payload["errors"]
    code: str = error["extensions"]["code"]
    return code


# Authentication


@pytest.mark.parametrize(
    ("payload", "closed"),
    [
        (None, (4401, "There is no token.")),
        ({"authorization": "forged"}, (4401, "The token's signature is not this server's.")),
        ({"authorization": "old"}, EXPIRED),
    ],
)
async def test_a_bad_token_closes_with_4401_and_an_expired_one_with_4403(
    toy: Toy, payload: dict[str, Any] | None, closed: tuple[int, str]
) -> None:
    async with raw_client(toy) as client:
        await client.send({"type": "connection_init", "payload": payload})
        assert await client.closed() == closed


async def test_a_token_whose_time_is_over_when_it_is_shown_closes_with_4403(toy: Toy, tokens: Tokens) -> None:
    tokens.expire("one")
    async with raw_client(toy) as client:
        await client.send({"type": "connection_init", "payload": {"authorization": "one"}})
        assert await client.closed() == EXPIRED


async def test_a_socket_is_asked_for_its_token_once(toy: Toy, tokens: Tokens) -> None:
    async with shown(toy, "one") as client:
        for operation_id in "123":
            await client.subscribe(operation_id, "{ viewer }")
            assert (await client.receive())["payload"] == {"data": {"viewer": "default"}}
            await client.receive()
    assert tokens.asked == 1


async def test_what_comes_before_a_token_is_known_waits_for_it(toy: Toy, tokens: Tokens) -> None:
    tokens.may_answer.clear()
    async with raw_client(toy) as client:
        await client.send({"type": "connection_init", "payload": {"authorization": "one"}})
        await client.subscribe("1", "{ hello }")
        tokens.may_answer.set()
        assert await client.receive() == {"type": "connection_ack"}
        assert (await client.receive())["payload"] == {"data": {"hello": "world"}}


async def test_a_token_that_nobody_judges_in_time_closes_with_4408(tokens: Tokens) -> None:
    tokens.may_answer.clear()
    limits = TransportLimits(websocket=WebSocketLimits(init_timeout=0.05))
    async with served_toy(limits, authenticate=tokens) as toy, raw_client(toy) as client:
        await client.send({"type": "connection_init", "payload": {"authorization": "one"}})
        assert await client.closed() == (4408, "Connection initialisation timeout")


async def test_a_socket_whose_token_is_being_judged_gets_1012_from_a_drain(toy: Toy, tokens: Tokens) -> None:
    tokens.may_answer.clear()
    async with raw_client(toy) as client:
        await client.send({"type": "connection_init", "payload": {"authorization": "one"}})
        await toy.endpoint.close()
        assert (await client.closed())[0] == 1012
        tokens.may_answer.set()


async def test_what_nobody_expects_of_a_token_is_masked(
    toy: Toy, http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    async with raw_client(toy) as client:
        await client.send({"type": "connection_init", "payload": {"authorization": "fault"}})
        assert await client.closed() == (4500, "Internal server error")
    response = await post(http, "{ hello }", "fault", "application/json")
    assert (response.status_code, code_of(response.json())) == (500, "INTERNAL_SERVER_ERROR")
    assert "swordfish" not in response.text
    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    "accept", ["application/json", "application/graphql-response+json", "text/event-stream"]
)
@pytest.mark.parametrize(
    ("token", "message"),
    [
        (None, "There is no token."),
        ("forged", "The token's signature is not this server's."),
        ("old", "The token has expired."),
    ],
)
async def test_a_request_without_a_good_token_is_401_and_runs_nothing(
    toy: Toy, http: httpx.AsyncClient, accept: str, token: str | None, message: str
) -> None:
    response = await post(http, "mutation { change(value: 1) }", token, accept)
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert response.json() == {"errors": [{"message": message, "extensions": {"code": "UNAUTHENTICATED"}}]}
    assert toy.world.value == 0


async def test_a_request_with_a_good_token_is_answered(http: httpx.AsyncClient) -> None:
    response = await post(http, "{ hello }", "one", "application/json")
    assert response.json() == {"data": {"hello": "world"}}


# The end of a token


async def test_an_event_after_the_end_of_a_token_is_not_sent_and_its_socket_closes(
    toy: Toy, tokens: Tokens
) -> None:
    async with shown(toy, "one") as client:
        await client.subscribe("1", COUNTER)
        assert await client.receive() == counted(0)
        tokens.expire("one")
        toy.world.change(1)
        with pytest.raises(ConnectionClosed, match="4403"):
            await client.receive()
        assert await client.closed() == EXPIRED
    await toy.world.until(sources=0)


@pytest.mark.parametrize(
    "message", ['{"type":"ping"}', '{"id":"2","type":"subscribe","payload":{"query":"{ hello }"}}']
)
async def test_nothing_is_answered_after_the_end_of_a_token(toy: Toy, tokens: Tokens, message: str) -> None:
    async with shown(toy, "one") as client:
        tokens.expire("one")
        await client.send(message)
        with pytest.raises(ConnectionClosed, match="4403"):
            await client.receive()


async def test_a_mutation_after_the_end_of_a_token_is_not_run(toy: Toy, tokens: Tokens) -> None:
    async with shown(toy, "one") as client:
        tokens.expire("one")
        await client.subscribe("1", "mutation { change(value: 1) }")
        assert await client.closed() == EXPIRED
    assert toy.world.value == 0


@pytest.mark.parametrize("query", [COUNTER, "{ slow }", None])
async def test_the_end_of_a_token_closes_its_socket_though_nothing_is_sent(
    toy: Toy, query: str | None
) -> None:
    async with asyncio.timeout(PATIENCE), shown(toy, "brief") as client:
        if query is not None:
            await client.subscribe("1", query)
        assert await client.closed() == EXPIRED
        toy.world.may_finish.set()
    await toy.world.until(sources=0)


async def test_the_end_of_one_token_leaves_the_shared_run_to_the_others(toy: Toy, tokens: Tokens) -> None:
    """`live.md` H3: also where it was the token of whom the run was begun for."""
    async with shown(toy, "one") as first, shown(toy, "two") as second:
        for client in (first, second):
            await client.subscribe("1", COUNTER)
            assert await client.receive() == counted(0)
        assert toy.world.sources == 1
        tokens.expire("one")
        toy.world.change(1)
        assert await first.closed() == EXPIRED
        assert await second.receive() == counted(1)
        toy.world.change(2)
        assert await second.receive() == counted(2)
        assert toy.world.sources == 1


async def test_an_event_after_the_end_of_a_token_is_not_sent_and_its_stream_ends_without_complete(
    toy: Toy, http: httpx.AsyncClient, tokens: Tokens
) -> None:
    async with streamed(http, COUNTER, "one") as events:
        assert await events.next() == counted_event(0)
        tokens.expire("one")
        toy.world.change(1)
        assert await events.ended()
    await toy.world.until(sources=0)


async def test_the_end_of_a_token_ends_its_stream_though_nothing_is_sent(
    toy: Toy, http: httpx.AsyncClient
) -> None:
    async with asyncio.timeout(PATIENCE), streamed(http, COUNTER, "brief") as events:
        assert await events.next() == counted_event(0)
        assert await events.ended()
    await toy.world.until(sources=0)


async def test_a_reader_that_takes_nothing_is_dropped_at_the_end_of_its_token(toy: Toy) -> None:
    query = "subscription { counter(size: 20000000) { text } }"
    async with asyncio.timeout(PATIENCE), raw_client(toy, max_queue=1) as client:
        await client.init({"authorization": "brief"})
        await client.subscribe("1", query)
        await toy.world.until(sources=1)
        await toy.world.until(sources=0)


# Rights


@pytest.mark.parametrize(
    "query",
    [
        "query Refused { hello }",
        "mutation Refused { change(value: 1) }",
        "subscription Refused { counter { value } }",
    ],
)
async def test_what_a_viewer_may_not_is_refused_on_every_transport(
    toy: Toy, http: httpx.AsyncClient, rights: Rights, query: str
) -> None:
    rights.withdrawn.add("Refused")
    told = {"message": "Refused is nothing for you.", "extensions": {"code": "FORBIDDEN"}}
    async with streamed(http, query, "one") as events:
        assert await events.next() == ("next", {"errors": [told]})
        assert await events.next() == ("complete", None)
    if not query.startswith("subscription"):
        response = await post(http, query, "one", "application/graphql-response+json")
        assert (response.status_code, response.json()) == (403, {"errors": [told]})
        older = await post(http, query, "one", "application/json")
        assert (older.status_code, older.json()) == (200, {"errors": [told]})
    async with shown(toy, "one") as client:
        await client.subscribe("1", query)
        assert await client.receive() == {"id": "1", "type": "error", "payload": [told]}
        await client.roundtrip()
    assert (toy.world.value, toy.world.reads) == (0, 0)


async def test_a_right_that_is_withdrawn_ends_its_subscription_before_the_next_event(
    toy: Toy, rights: Rights
) -> None:
    async with shown(toy, "one") as client:
        for name in "AB":
            await client.subscribe(name, f"subscription {name} {{ counter {{ value }} }}")
            assert await client.receive() == counted(0, name)
        rights.withdrawn.add("A")
        toy.world.change(1)
        messages = [await client.receive(), await client.receive()]
        assert counted(1, "B") in messages
        (told,) = [message for message in messages if message["id"] == "A"]
        assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", "FORBIDDEN")
        await toy.world.until(sources=1)


async def test_a_right_that_is_withdrawn_completes_its_stream_with_the_error(
    toy: Toy, http: httpx.AsyncClient, rights: Rights
) -> None:
    async with streamed(http, "subscription A { counter { value } }", "one") as events:
        assert await events.next() == counted_event(0)
        rights.withdrawn.add("A")
        toy.world.change(1)
        name, payload = await events.next()
        assert (name, code_of(payload)) == ("next", "FORBIDDEN")
        assert await events.next() == ("complete", None)
    await toy.world.until(sources=0)


async def test_rights_are_those_of_each_viewer_and_viewers_of_other_scopes_share_nothing(
    toy: Toy, tokens: Tokens
) -> None:
    query = "subscription Scoped { counter { value } }"
    tokens.viewers["two"].scopes = frozenset({"executions:read"})
    async with shown(toy, "two") as reader, shown(toy, "one") as other:
        await reader.subscribe("1", query)
        assert await reader.receive() == counted(0)
        await other.subscribe("1", query)
        assert (await other.receive())["payload"][0]["message"] == "The scope executions:read is missing."
        assert toy.world.sources == 1
