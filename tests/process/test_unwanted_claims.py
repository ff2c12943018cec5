"""Who waits for work no more is given none (`runtime.md` T3): another gets it at once."""

import json
from pathlib import Path

from websockets.asyncio.client import ClientConnection

from tests.process.clients import open_socket
from tests.process.workflows import create
from tests.servers import ServerProcess

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
