"""Who waits for work no more is given none (`runtime.md` T3): another gets it at once."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import ClientConnection

from tests.live.haproxy import HAProxy
from tests.process.clients import open_socket
from tests.process.numbers import numbers
from tests.process.workflows import create
from tests.servers import NO_TLS, ServerProcess

CLAIM = """
  mutation ($worker: String!) {
    claimSteps(input: {worker: $worker, waitSeconds: 30}) {
      ... on ClaimSuccess { claimed { step { claim { worker } } } }
    }
  }
"""


async def claim(socket: ClientConnection, worker: str) -> None:
    """Begin to wait for work; the operation's id is the worker's name."""
    payload = {"query": CLAIM, "variables": {"worker": worker}}
    await socket.send(json.dumps({"id": worker, "type": "subscribe", "payload": payload}))
    await handled(socket)


async def handled(socket: ClientConnection) -> None:
    """Return once all that was sent is known to the server."""
    await socket.send('{"type":"ping"}')
    assert json.loads(await socket.recv()) == {"type": "pong"}


async def test_a_claim_that_was_completed_before_its_answer_takes_nothing(
    served_database_url: str, tmp_path: Path
) -> None:
    with ServerProcess("--demo", "--database", served_database_url, cwd=tmp_path) as server:
        async with open_socket(server) as socket:
            await claim(socket, "ann")
            await claim(socket, "bob")
            await socket.send('{"id":"ann","type":"complete"}')
            await handled(socket)
            await create(server)
            answered = json.loads(await socket.recv())
    assert answered["id"] == "bob"
    assert answered["payload"]["data"]["claimSteps"]["claimed"] == [{"step": {"claim": {"worker": "bob"}}}]


async def test_a_claim_of_a_socket_that_is_gone_takes_nothing(
    served_database_url: str, tmp_path: Path
) -> None:
    with ServerProcess("--demo", "--database", served_database_url, cwd=tmp_path) as server:
        async with open_socket(server) as socket:
            async with open_socket(server) as leaving:
                await claim(leaving, "ann")
            await claim(socket, "bob")
            await create(server)
            answered = json.loads(await socket.recv())
    assert answered["payload"]["data"]["claimSteps"]["claimed"] == [{"step": {"claim": {"worker": "bob"}}}]


@pytest.mark.parametrize("is_proxied", [False, pytest.param(True, marks=pytest.mark.haproxy)])
async def test_a_claim_whose_client_hangs_up_takes_nothing(
    is_proxied: bool, served_database_url: str, tmp_path: Path
) -> None:
    with (
        ServerProcess("--demo", "--database", served_database_url, cwd=tmp_path) as server,
        reached(server, is_proxied) as url,
    ):
        async with httpx.AsyncClient(trust_env=False, timeout=60, verify=NO_TLS) as client:
            body = {"query": CLAIM, "variables": {"worker": "ann"}}
            leaving = asyncio.create_task(client.post(f"{url}/graphql", json=body))
            await until_claims_wait(server, 1)
            leaving.cancel()
            await asyncio.wait([leaving])
        await until_claims_wait(server, 0)
        async with open_socket(server) as socket:
            await claim(socket, "bob")
            await create(server)
            answered = json.loads(await socket.recv())
    assert answered["payload"]["data"]["claimSteps"]["claimed"] == [{"step": {"claim": {"worker": "bob"}}}]


@contextlib.contextmanager
def reached(server: ServerProcess, is_proxied: bool) -> Iterator[str]:
    """The address at which clients ask."""
    if not is_proxied:
        yield server.url
        return
    with HAProxy([int(server.url.rpartition(":")[2]), 1]) as proxy:
        proxy.wait_for(1, "DOWN", 1)
        yield proxy.url


async def until_claims_wait(server: ServerProcess, count: int) -> None:
    """Return once so many wait; sooner than a claim ends by itself."""
    async with asyncio.timeout(25):
        while (await numbers(server))("stepgraph_waiting_claims") != count:
            pass
