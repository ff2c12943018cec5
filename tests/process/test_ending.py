"""How a process ends: told to, killed, and with commands in flight (`security.md` O2, O4)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM, Signals

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.databases import connected, sqlite_url
from tests.frontend_documents import document
from tests.process.clients import (
    Answer,
    Ask,
    StreamBroken,
    ask_over_websocket,
    http_client,
    open_socket,
    post,
    watch_over_events,
    watch_over_websocket,
)
from tests.process.quiet import said_since_start
from tests.process.raw import HANDSHAKE, connection, ended, text_frame
from tests.process.workflows import WATCH, Execution, complete, create, read_state, send, state_of
from tests.servers import ServerProcess

VERIFIED = {"verified": True}


async def closed_with(socket: ClientConnection) -> int | None:
    """Wait until the server closes; the code."""
    await socket.wait_closed()
    return socket.close_code


@pytest.fixture(params=[SIGTERM, pytest.param(SIGINT, marks=pytest.mark.postgresql)])
def number_and_url(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Signals, str]:
    """Each way to tell a process to end, and each kind of database."""
    if request.param is SIGTERM:
        return SIGTERM, sqlite_url(tmp_path / "x.db")
    return SIGINT, request.getfixturevalue("migrated_postgresql_url")


async def test_sockets_get_1012_streams_end_and_the_process_exits_with_0(
    number_and_url: tuple[Signals, str], tmp_path: Path
) -> None:
    """`live.md` H5: 1012, so that clients connect again; a stream ends without `complete` for the same reason."""
    number, url = number_and_url
    with ServerProcess("--demo", "--database", url, cwd=tmp_path) as server:
        execution = await create(server)
        async with (
            asyncio.timeout(60),
            open_socket(server) as idle,
            watch_over_websocket(server, WATCH, id=execution.id) as over_socket,
            watch_over_events(server, WATCH, id=execution.id) as over_events,
        ):
            for payloads in (over_socket, over_events):
                assert state_of(await anext(payloads))[0] == "IN_PROGRESS"
            server.tell(number)
            assert await closed_with(idle) == 1012
            with pytest.raises(ConnectionClosed) as closed:
                await anext(over_socket)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
            # A response that is cut off raises an error of httpx instead.
            with pytest.raises(StreamBroken):
                await anext(over_events)
        assert await asyncio.to_thread(server.wait) == 0
        assert said_since_start(server.output) == []


async def test_until_the_delay_is_over_all_goes_on_and_only_readyz_tells_of_the_end(tmp_path: Path) -> None:
    """A proxy that has not noticed yet sends on; Ctrl+C does not wait for it (the delay is longer than the test)."""
    options = ("--demo", "--database", sqlite_url(tmp_path / "x.db"), "--shutdown-delay", "600")
    with ServerProcess(*options, cwd=tmp_path) as server:
        execution = await create(server)
        async with (
            asyncio.timeout(60),
            watch_over_websocket(server, WATCH, id=execution.id) as before,
            http_client(server) as client,
        ):
            assert state_of(await anext(before))[0] == "IN_PROGRESS"
            server.tell(SIGTERM)
            while (await client.get("/readyz")).json()["status"] != "not ready":
                pass
            async with watch_over_events(server, WATCH, id=execution.id) as after:
                assert state_of(await anext(after))[0] == "IN_PROGRESS"
                await complete(server, execution.steps["verify"], VERIFIED)
                assert state_of(await anext(before))[0] == "COMPLETED"
                assert state_of(await anext(after))[0] == "COMPLETED"
            async with open_socket(server) as idle:
                server.tell(SIGINT)
                assert await closed_with(idle) == 1012
        assert await asyncio.to_thread(server.wait) == 0
        assert said_since_start(server.output) == []


async def test_who_is_in_a_handshake_or_says_nothing_is_closed_too(
    number_and_url: tuple[Signals, str], tmp_path: Path
) -> None:
    number, url = number_and_url
    with ServerProcess("--demo", "--database", url, cwd=tmp_path) as server:
        async with (
            asyncio.timeout(60),
            connection(server, b"") as silent,
            connection(server, HANDSHAKE[:60]) as half,
            connection(server, HANDSHAKE) as without_init,
        ):
            await without_init.readuntil(b"\r\n\r\n")
            async with http_client(server) as client:
                await client.get("/healthz")  # whoever came before is known to the server by now
            server.tell(number)
            assert await ended(silent) == await ended(half) == b""
            assert (await ended(without_init)) == b"\x88\x02" + (1012).to_bytes(2, "big")
        assert await asyncio.to_thread(server.wait) == 0
        assert said_since_start(server.output) == []


LARGE = "{ workflowExecution(id: $id) { " + " ".join(f"c{n}: context" for n in range(15)) + " } }"


def request(query: str, accept: str, **variables: str) -> bytes:
    body = json.dumps({"query": query, "variables": variables}).encode()
    return (
        f"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: {accept}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def test_clients_that_take_or_send_nothing_more_hold_nobody_up(
    number_and_url: tuple[Signals, str], tmp_path: Path
) -> None:
    """15 MB are on their way to some, and another's request never comes to its end."""
    number, url = number_and_url
    with ServerProcess("--demo", "--database", url, cwd=tmp_path) as server:
        execution = await create(server, context={"notes": "x" * 1_000_000})
        stream = request(f"subscription($id: ID!) {LARGE}", "text/event-stream", id=execution.id)
        query = request(f"query($id: ID!) {LARGE}", "application/json", id=execution.id)
        payload = {"query": f"subscription($id: ID!) {LARGE}", "variables": {"id": execution.id}}
        subscribe = json.dumps({"id": "1", "type": "subscribe", "payload": payload}).encode()
        frames = text_frame(b'{"type":"connection_init"}') + text_frame(subscribe)
        async with (
            asyncio.timeout(60),
            connection(server, stream) as events,
            connection(server, query) as response,
            connection(server, HANDSHAKE, frames) as socket,
            connection(server, query[:-1]),
        ):
            for reader in (events, response, socket):
                await reader.readuntil(b'"c0"')
            server.tell(number)
            assert await asyncio.to_thread(server.wait) == 0
        assert said_since_start(server.output) == []


async def test_who_waits_for_work_is_answered_with_none(
    number_and_url: tuple[Signals, str], tmp_path: Path
) -> None:
    """Who waits asks another process, and holds up none that is about to end."""
    number, url = number_and_url
    claimed = "... on ClaimSuccess { claimed { claimToken } }"
    claim = f'mutation {{ claimSteps(input: {{worker: "ann", waitSeconds: 30}}) {{ {claimed} }} }}'
    with ServerProcess("--demo", "--database", url, cwd=tmp_path) as server:
        async with asyncio.timeout(60), connection(server, request(claim, "application/json")) as waiting:
            async with http_client(server) as client:
                await client.get("/healthz")  # who came before is known to the server by now
            server.tell(number)
            answered = await ended(waiting)
        assert answered.endswith(b'{"data":{"claimSteps":{"claimed":[]}}}')
        assert await asyncio.to_thread(server.wait) == 0
        assert said_since_start(server.output) == []


async def test_who_waits_for_a_revision_is_answered_that_it_did_not_come(
    number_and_url: tuple[Signals, str], tmp_path: Path
) -> None:
    """Five seconds are most of what there is to end in, and another process may have the revision."""
    number, url = number_and_url
    read = "query ($id: ID!) { workflowExecution(id: $id, minRevision: 99) { id } }"
    with ServerProcess("--demo", "--database", url, cwd=tmp_path) as server:
        execution = await create(server)
        query = request(read, "application/json", id=execution.id)
        async with asyncio.timeout(60), connection(server, query) as waiting:
            async with http_client(server) as client:
                await client.get("/healthz")  # who came before is known to the server by now
            server.tell(number)
            answered = await ended(waiting)
        assert b"it did not reach 99 before this server ended." in answered
        assert b'"code":"REVISION_NOT_REACHED"' in answered
        assert await asyncio.to_thread(server.wait) == 0
        assert said_since_start(server.output) == []


@asynccontextmanager
async def held_tree(url: str, execution_id: str) -> AsyncIterator[None]:
    """Another transaction holds the tree's root: commands on it wait (`live.md` J1)."""
    connection = await connected(url)
    try:
        async with connection.transaction():
            await connection.execute(
                "select 1 from workflow_execution where id = $1 for update", execution_id
            )
            yield
    finally:
        await connection.close()


async def waiting_for_locks(url: str, commands: int) -> None:
    """Return when so many transactions of the database wait."""
    waiting = """
        select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
    """
    connection = await connected(url)
    try:
        async with asyncio.timeout(60):
            while await connection.fetchval(waiting) != commands:
                pass
    finally:
        await connection.close()


async def status_in(url: str, execution_id: str) -> tuple[str, int]:
    """What the database holds of an execution: its status, and its revision, which rises with every change."""
    connection = await connected(url)
    try:
        row = await connection.fetchrow(
            "select runtime_status, tree_revision from workflow_execution where id = $1", execution_id
        )
    finally:
        await connection.close()
    return row["runtime_status"], row["tree_revision"]


@pytest.mark.postgresql
async def test_a_command_in_flight_is_finished(migrated_postgresql_url: str, tmp_path: Path) -> None:
    """Over HTTP it is answered too; a socket is closed before, and its client asks again elsewhere."""
    url = migrated_postgresql_url
    with ServerProcess("--demo", "--database", url, cwd=tmp_path) as server:
        one, other = await create(server), await create(server)
        async with asyncio.timeout(60), open_socket(server) as idle:
            async with held_tree(url, one.id), held_tree(url, other.id):
                over_http = asyncio.create_task(verify(post, server, one))
                over_websocket = asyncio.create_task(verify(ask_over_websocket, server, other))
                await waiting_for_locks(url, 2)
                server.tell(SIGTERM)
                assert await closed_with(idle) == 1012
                async with http_client(server) as client:
                    ready = await client.get("/readyz")
                assert (ready.status_code, ready.json()["status"]) == (503, "not ready")
            answer = await over_http
            with pytest.raises(ConnectionClosed):
                await over_websocket
        assert await asyncio.to_thread(server.wait) == 0
        assert said_since_start(server.output) == []
    result = answer["data"]["completeStep"]
    assert await status_in(url, one.id) == ("Completed", result["revision"])
    assert await status_in(url, other.id) == ("Completed", result["revision"])


@pytest.mark.postgresql
async def test_a_command_that_cannot_end_keeps_nobody_waiting_and_is_not_done(
    migrated_postgresql_url: str, tmp_path: Path
) -> None:
    """One over HTTP and one over WebSocket hang in the database, and the process exits all the same."""
    url = migrated_postgresql_url
    with ServerProcess("--demo", "--database", url, cwd=tmp_path) as server:
        one, other = await create(server), await create(server)
        before = [await status_in(url, each.id) for each in (one, other)]
        async with held_tree(url, one.id), held_tree(url, other.id):
            commands = [
                asyncio.create_task(verify(post, server, one)),
                asyncio.create_task(verify(ask_over_websocket, server, other)),
            ]
            await waiting_for_locks(url, 2)
            server.tell(SIGTERM)
            assert await asyncio.to_thread(server.wait) == 0
            answers = await asyncio.gather(*commands, return_exceptions=True)
            assert all(isinstance(answer, Exception) for answer in answers), answers
            await waiting_for_locks(url, 0)
        assert [await status_in(url, each.id) for each in (one, other)] == before


async def verify(ask: Ask, server: ServerProcess, execution: Execution) -> Answer:
    """Complete the step that waits."""
    given = {"id": execution.steps["verify"], "outputData": VERIFIED}
    return await ask(server, document("CompleteStep"), input=given)


async def test_what_was_acknowledged_is_there_once_after_a_kill(
    served_database_url: str, tmp_path: Path
) -> None:
    """`security.md` O4, killed right after the acknowledgement; clients find the server on its port again."""
    with ServerProcess("--demo", "--database", served_database_url, cwd=tmp_path) as server:
        done, waiting = await create(server), await create(server)
        given = {"id": done.steps["verify"], "outputData": VERIFIED}
        result = await send(server, "CompleteStep", "TransitionSuccess", input=given)
        assert server.stop(SIGKILL) == -SIGKILL
        server.start()
        status, steps, revision = await read_state(server, done.id)
        assert (status, set(steps.values()), revision) == ("COMPLETED", {"COMPLETED"}, result["revision"])
        twice = await send(server, "CompleteStep", "InvalidTransition", input=given)
        assert twice["current"] == "COMPLETED"
        async with asyncio.timeout(60), watch_over_websocket(server, WATCH, id=waiting.id) as payloads:
            assert state_of(await anext(payloads))[0] == "IN_PROGRESS"
            await complete(server, waiting.steps["verify"], VERIFIED)
            assert [state_of(payload)[0] async for payload in payloads] == ["COMPLETED"]
