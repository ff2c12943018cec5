"""`STEPGRAPH_LOG=json`: a line for every operation, with ids and without what was sent; request ids (`security.md` O1)."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import sqlite_url
from tests.frontend_documents import document
from tests.process.clients import http_client, open_socket
from tests.process.workflows import WATCH, create
from tests.servers import ServerProcess

SECRET = "swordfish"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that logs as JSON."""
    options = ("--demo", "--log", "json", "--database", sqlite_url(tmp_path / "logged.db"))
    with ServerProcess(*options, cwd=tmp_path) as running:
        yield running


def events(server: ServerProcess) -> list[dict[str, Any]]:
    """The log of a server that has ended."""
    assert server.stop() == 0
    return [json.loads(line) for line in server.output if line.startswith("{")]


async def test_an_operation_is_one_event_with_its_ids(server: ServerProcess) -> None:
    execution = await create(server)
    variables = {"input": {"id": execution.steps["verify"], "outputData": {"verified": True, "note": SECRET}}}
    async with http_client(server) as client:
        response = await client.post(
            "/graphql",
            json={"query": document("CompleteStep"), "variables": variables},
            headers={"x-request-id": "r-1", "authorization": f"Bearer {SECRET}"},
        )
    assert response.headers["x-request-id"] == "r-1"
    (event,) = [each for each in events(server) if each.get("request_id") == "r-1"]
    assert event["message"] == "operation"
    assert (event["operation_type"], event["operation"], event["outcome"]) == (
        "mutation",
        "CompleteStep",
        "ok",
    )
    assert (event["tenant"], event["execution_ids"]) == ("default", [execution.id])
    assert event["seconds"] > 0
    assert SECRET not in "\n".join(server.output)


async def test_operations_of_a_socket_have_the_id_of_its_handshake(server: ServerProcess) -> None:
    execution = await create(server)
    async with open_socket(server) as socket:
        payload = {"query": WATCH, "variables": {"id": execution.id}}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        await socket.recv()
        await socket.send(
            json.dumps({"id": "2", "type": "subscribe", "payload": {"query": "{ __typename }"}})
        )
        await socket.recv()
    subscribed, asked = [
        each for each in events(server) if each.get("operation_type") in {"subscription", "query"}
    ]
    assert subscribed["request_id"] == asked["request_id"]
    assert (subscribed["operation"], subscribed["execution_ids"]) == ("WatchExecution", [execution.id])
    assert "execution_ids" not in asked


async def test_an_unexpected_error_has_the_id_that_the_client_was_shown(
    server: ServerProcess, tmp_path: Path
) -> None:
    execution = await create(server)
    with contextlib.closing(sqlite3.connect(tmp_path / "logged.db")) as connection:
        connection.execute("alter table journal rename to elsewhere")
    variables = {"input": {"id": execution.steps["verify"], "outputData": {"verified": True, "note": SECRET}}}
    body = {"query": document("CompleteStep"), "variables": variables}
    async with http_client(server) as client:
        response = await client.post("/graphql", json=body)
    (shown,) = response.json()["errors"]
    assert shown["message"] == "Internal server error"
    assert "journal" not in response.text
    (event,) = [each for each in events(server) if each["level"] == "error" and "error_id" in each]
    assert event["error_id"] == shown["extensions"]["id"]
    assert event["request_id"] == response.headers["x-request-id"]
    assert event["tenant"] == "default"
    assert "no such table" in event["traceback"]
    assert SECRET not in "\n".join(server.output)


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "line%0Abreak{}", '"}'])
async def test_a_request_id_that_is_none_is_replaced(live_server: ServerProcess, given: str) -> None:
    async with http_client(live_server) as client:
        first = await client.get("/healthz", headers={"x-request-id": given})
        second = await client.get("/healthz", headers={"x-request-id": given})
    ids = {first.headers["x-request-id"], second.headers["x-request-id"]}
    assert len(ids) == 2
    assert all(len(each) == 32 and each.isalnum() for each in ids)


async def test_bytes_that_are_no_http_are_an_event_too(server: ServerProcess) -> None:
    """What uvicorn says goes the same way."""
    _, port = server.url.rsplit(":", 1)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    writer.write(b"nothing\r\n\r\n")
    await reader.read()
    writer.close()
    (event,) = [each for each in events(server) if each["logger"] == "uvicorn.error"]
    assert (event["level"], event["message"]) == ("warning", "Invalid HTTP request received.")
