"""`serve --auth jwt`: who may do what, by a token of an issuer that publishes its keys (`security.md` A1, A2)."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.databases import sqlite_url
from tests.issuer import AUDIENCE, ISSUER, SECRET, secret_token, token
from tests.key_server import KeyServer
from tests.live.brokers import REDIS_URL
from tests.servers import NO_TLS, ServerProcess

JWT = {"STEPGRAPH_AUTH": "jwt", "STEPGRAPH_JWT_ISSUER": ISSUER, "STEPGRAPH_JWT_AUDIENCE": AUDIENCE}
REFRESH_SECONDS = 1
CHANGES = "subscription { changes { __typename } }"
FIND = "{ workflowTemplates { totalCount } }"
CANCEL = """
  mutation ($id: ID!) { cancelWorkflowExecution(input: {id: $id}) { __typename } }
"""
RELEASE = "mutation ($input: ReleaseStepInput!) { releaseStep(input: $input) { __typename } }"


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    with KeyServer() as server:
        yield server


@pytest.fixture
def server(key_server: KeyServer, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that fetches its keys every second."""
    variables = {
        **JWT,
        "STEPGRAPH_JWT_JWKS_URL": key_server.url,
        "STEPGRAPH_JWT_REFRESH": f"{REFRESH_SECONDS}",
    }
    database = sqlite_url(tmp_path / "tokens.db")
    with ServerProcess("--demo", "--database", database, cwd=tmp_path, variables=variables) as running:
        yield running


def post(server: ServerProcess, query: str, shown: str | None, **variables: Any) -> httpx.Response:
    headers = {"accept": "application/graphql-response+json"} | (
        {"authorization": f"Bearer {shown}"} if shown else {}
    )
    body = {"query": query, "variables": variables}
    return httpx.post(
        f"{server.url}/graphql", json=body, headers=headers, timeout=60, trust_env=False, verify=NO_TLS
    )


def outcome(response: httpx.Response) -> Any:
    """The only root field of an answer, or the code of its error."""
    answer = response.json()
    if "errors" in answer:
        return answer["errors"][0]["extensions"]["code"]
    return next(iter(answer["data"].values()))


def test_scopes_say_who_may_do_what(server: ServerProcess) -> None:
    nobody, nothing = (None, token(scope=""))
    reader, worker, writer = (
        token(scope=each) for each in ("executions:read", "steps:work", "executions:write")
    )
    unknown = {"id": "step_01h455vb4pex5vsknk084sn02q"}
    not_found = {"__typename": "NotFound"}

    assert (post(server, FIND, nobody).status_code, outcome(post(server, FIND, nobody))) == (
        401,
        "UNAUTHENTICATED",
    )
    assert outcome(post(server, "{ __typename }", nobody)) == "UNAUTHENTICATED"
    assert outcome(post(server, "{ __typename }", nothing)) == "Query"
    refused = post(server, FIND, nothing)
    assert (refused.status_code, outcome(refused)) == (403, "FORBIDDEN")
    for each in (reader, worker, writer):
        assert outcome(post(server, FIND, each))["totalCount"] > 0
    for each in (nothing, reader, worker):
        assert outcome(post(server, CANCEL, each, **unknown)) == "FORBIDDEN"
    assert outcome(post(server, CANCEL, writer, **unknown)) == not_found
    assert outcome(post(server, RELEASE, reader, input={**unknown, "claimToken": "t"})) == "FORBIDDEN"
    assert outcome(post(server, RELEASE, worker, input={**unknown, "claimToken": "t"})) == not_found
    for without in (unknown, {**unknown, "claimToken": None}):
        assert outcome(post(server, RELEASE, worker, input=without)) == "FORBIDDEN"
        assert outcome(post(server, RELEASE, writer, input=without)) == not_found


def test_a_token_of_another_tenant_sees_nothing_of_the_default_one(server: ServerProcess) -> None:
    assert outcome(post(server, FIND, token(tenant="acme"))) == {"totalCount": 0}


def test_pages_and_health_need_no_token(server: ServerProcess) -> None:
    for path in ("/healthz", "/readyz", "/graphql"):
        response = httpx.get(
            f"{server.url}{path}", headers={"accept": "text/html"}, trust_env=False, verify=NO_TLS
        )
        assert response.status_code == 200


async def closing_of_a_socket(server: ServerProcess, shown: str) -> None:
    """Returns when a socket that subscribes is closed because of its token."""
    async with socket(server, shown) as connection:
        await connection.send(orjson.dumps(subscribe(CHANGES)).decode())
        await connection.wait_closed()
        assert connection.close_code == 4403


async def end_of_a_stream(server: ServerProcess, shown: str) -> None:
    """Returns when an event stream ends because of its token, which is without `complete`."""
    headers = {"accept": "text/event-stream", "authorization": f"Bearer {shown}"}
    async with (
        httpx.AsyncClient(trust_env=False, verify=NO_TLS, timeout=60) as client,
        client.stream("POST", f"{server.url}/graphql", json={"query": CHANGES}, headers=headers) as response,
    ):
        assert response.status_code == 200
        assert "complete" not in "".join([text async for text in response.aiter_text()])


over_both = pytest.mark.parametrize("end", [closing_of_a_socket, end_of_a_stream])


@over_both
async def test_a_subscription_ends_within_2_seconds_of_its_token(
    server: ServerProcess, end: Callable[[ServerProcess, str], Awaitable[None]]
) -> None:
    expires = int(time.time()) + 3
    await end(server, token(exp=expires))
    assert expires <= time.time() < expires + 2


@over_both
async def test_a_subscription_ends_with_the_refresh_after_its_key_was_withdrawn(
    server: ServerProcess, key_server: KeyServer, end: Callable[[ServerProcess, str], Awaitable[None]]
) -> None:
    async with asyncio.timeout(60), socket(server, token("two")) as other:
        ending = asyncio.create_task(end(server, token("one")))
        await asyncio.sleep(0.5)  # it is open
        assert not ending.done()
        key_server.kids = ["two"]
        withdrawn = time.time()
        await ending
        assert time.time() < withdrawn + REFRESH_SECONDS + 2
        assert outcome(post(server, FIND, token("one"))) == "UNAUTHENTICATED"
        await other.send('{"type":"ping"}')
        while orjson.loads(await other.recv())["type"] != "pong":
            pass
    assert "Traceback" not in "\n".join(server.output)


@asynccontextmanager
async def socket(server: ServerProcess, shown: str) -> AsyncIterator[ClientConnection]:
    """An acknowledged socket that has shown this token."""
    protocols = [Subprotocol("graphql-transport-ws")]
    async with connect(server.websocket_url, subprotocols=protocols, proxy=None) as connection:
        payload = {"authorization": f"Bearer {shown}"}
        await connection.send(orjson.dumps({"type": "connection_init", "payload": payload}).decode())
        assert orjson.loads(await connection.recv()) == {"type": "connection_ack"}
        yield connection


def subscribe(query: str) -> dict[str, Any]:
    return {"id": "1", "type": "subscribe", "payload": {"query": query}}


@pytest.mark.redis
def test_a_secret_reaches_every_worker_process_and_no_output(
    migrated_postgresql_url: str, tmp_path: Path
) -> None:
    variables = {**JWT, "STEPGRAPH_JWT_SECRET": SECRET}
    options = ("--workers", "2", "--database", migrated_postgresql_url, "--broadcast", REDIS_URL)
    with ServerProcess(*options, cwd=tmp_path, variables=variables) as running:
        for _ in range(10):
            assert outcome(post(running, FIND, secret_token())) == {"totalCount": 0}
            assert outcome(post(running, FIND, token())) == "UNAUTHENTICATED"
    assert SECRET not in "\n".join(running.output)
