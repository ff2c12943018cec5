"""A server that must have nothing to say."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.databases import sqlite_url
from tests.servers import NO_TLS, READY_LINE, ServerProcess

# What uvicorn says of bytes that are no HTTP, or of more than HTTP/1.1: one line, without what was sent.
ADMITTED = {"WARNING:  Invalid HTTP request received.", "WARNING:  Unsupported upgrade request."}


def said_since_start(output: list[str]) -> list[str]:
    """What a server that was started once has said beyond its start screen."""
    assert output.count(READY_LINE) == 1
    return output[output.index(READY_LINE) + 1 :]


@contextmanager
def quiet_server(directory: Path) -> Iterator[ServerProcess]:
    """SQLite and the demo templates; fails at the end where it has said anything, hangs or does not answer."""
    with ServerProcess("--demo", "--database", sqlite_url(directory / "quiet.db"), cwd=directory) as server:
        yield server
        assert httpx.get(f"{server.url}/readyz", trust_env=False, verify=NO_TLS).json()["status"] == "ready"
        assert server.graphql("{ __typename }") == {"__typename": "Query"}
        assert server.stop() == 0
        assert [line for line in said_since_start(server.output) if line not in ADMITTED] == []
