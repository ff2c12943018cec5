"""Under which names a server answers, so that no page drives it under a name of its own (`security.md` A6)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.databases import sqlite_url
from tests.issuer import AUDIENCE, ISSUER, SECRET
from tests.process.raw import exchange
from tests.servers import ServerProcess

TOKENS = {
    "STEPGRAPH_AUTH": "jwt",
    "STEPGRAPH_JWT_ISSUER": ISSUER,
    "STEPGRAPH_JWT_AUDIENCE": AUDIENCE,
    "STEPGRAPH_JWT_SECRET": SECRET,
}
LOOPBACK = ["localhost", "LOCALHOST", "localhost:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8000"]
FOREIGN = [
    "evil.example",
    "evil.example:{port}",
    "localhost.evil.example",
    "evil.localhost",
    "127.0.0.1.evil.example",
    "127.0.0.2",
    "localhost@evil.example",
    "localhost evil.example",
    "[::1",
    "",
]
LISTED = ["stepgraph.test", "stepgraph.test:81", "a.internal.example", "b.a.INTERNAL.example", "localhost"]


def query(host: str, accept: str) -> bytes:
    content = json.dumps({"query": "{ __typename }"}).encode()
    head = f"Accept: {accept}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}"
    return f"POST /graphql HTTP/1.1\r\nHost: {host}\r\n{head}\r\n\r\n".encode() + content


def handshake(host: str) -> bytes:
    """Of the page of that name, as a browser would send it."""
    head = (
        f"Origin: http://{host.lower()}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws"
    )
    return f"GET /graphql HTTP/1.1\r\nHost: {host}\r\n{head}\r\n\r\n".encode()


def get(path: str, host: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def requests(host: str) -> dict[str, bytes]:
    """One over each transport, and one to each other address, by the status of success."""
    return {
        "200 http": query(host, "application/json"),
        "200 events": query(host, "text/event-stream"),
        "101 websocket": handshake(host),
        **{f"200 {path}": get(path, host) for path in ("/healthz", "/readyz", "/metrics")},
    }


@contextmanager
def serving(directory: Path, **variables: str) -> Iterator[ServerProcess]:
    options = ("--database", sqlite_url(directory / "hosts.db"))
    with ServerProcess(*options, cwd=directory, variables=variables) as server:
        yield server


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    hosts = "stepgraph.test,*.internal.example"
    with serving(tmp_path_factory.mktemp("listing"), STEPGRAPH_ALLOWED_HOSTS=hosts) as server:
        yield server


async def statuses(server: ServerProcess, host: str) -> dict[str, int]:
    filled = host.format(port=server.url.rpartition(":")[2])
    return {name: (await exchange(server, sent)).status for name, sent in requests(filled).items()}


def admitted() -> dict[str, int]:
    return {name: int(name.split()[0]) for name in requests("")}


@pytest.mark.parametrize("host", LOOPBACK)
async def test_a6_without_tokens_a_server_on_loopback_answers_to_loopback_names(
    server: ServerProcess, host: str
) -> None:
    assert await statuses(server, host) == admitted()


@pytest.mark.parametrize("host", FOREIGN)
async def test_a6_and_to_no_other_over_any_transport(server: ServerProcess, host: str) -> None:
    assert await statuses(server, host) == dict.fromkeys(admitted(), 400)


async def test_a6_a_request_without_a_name_is_answered_to_nobody(server: ServerProcess) -> None:
    response = await exchange(server, b"GET /healthz HTTP/1.0\r\n\r\n")
    assert response.status == 400
    assert response.body.startswith(b"Invalid host header: ")


async def test_a6_a_mutation_under_a_foreign_name_is_not_run(server: ServerProcess) -> None:
    document = 'mutation { createWorkflowExecution(input: {workflowTemplateKey: "verify"}) { __typename } }'
    count = "{ workflowExecutions { totalCount } }"
    before = server.graphql(count)
    content = json.dumps({"query": document}).encode()
    head = f"Content-Type: application/json\r\nContent-Length: {len(content)}"
    response = await exchange(
        server, f"POST /graphql HTTP/1.1\r\nHost: evil.example\r\n{head}\r\n\r\n".encode() + content
    )
    assert (response.status, server.graphql(count)) == (400, before)


async def test_a6_the_list_adds_names_and_patterns(listing: ServerProcess) -> None:
    for host in LISTED:
        assert await statuses(listing, host) == admitted()
    for host in ("evil.example", "internal.example", "a.stepgraph.test"):
        assert await statuses(listing, host) == dict.fromkeys(admitted(), 400)


async def test_a6_a_refusal_names_the_setting_and_no_name(listing: ServerProcess) -> None:
    response = await exchange(listing, get("/healthz", "evil.example"))
    assert b"--allowed-hosts (STEPGRAPH_ALLOWED_HOSTS)" in response.body
    assert not any(name in response.body for name in (b"stepgraph.test", b"internal", b"localhost", b"evil"))


async def test_a6_with_tokens_the_name_is_whatever_a_proxy_passes_on(tmp_path: Path) -> None:
    with serving(tmp_path, **TOKENS) as server:
        answered = await statuses(server, "api.example")
    assert answered == admitted() | {"200 http": 401, "200 events": 401}
