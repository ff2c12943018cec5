"""`serve --workers`: several processes on one address, which a parent keeps running (`live.md` 2, `security.md` O2)."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM, Signals
from typing import Any

import psutil
import pytest
from sqlalchemy.engine import make_url
from websockets.asyncio.client import ClientConnection

from server.live.broadcast import Doorbell
from server.live.ring import Ring
from tests.databases import POSTGRESQL, execute
from tests.frontend_documents import document
from tests.live.brokers import REDIS_URL
from tests.live.ears import started
from tests.process.clients import open_socket
from tests.process.numbers import numbers
from tests.process.quiet import said_since_start
from tests.process.workflows import WATCH, create, state_of
from tests.servers import ServerProcess, run_command

pytestmark = pytest.mark.redis

WORKERS = 2
Sockets = dict[int, ClientConnection]


@pytest.fixture
def several(served_database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    """Two processes on each database in turn. What PostgreSQL holds travels through PostgreSQL, as a rule."""
    is_postgresql = served_database_url.startswith("postgresql")
    broadcast = served_database_url if is_postgresql else REDIS_URL
    options = ("--demo", "--workers", str(WORKERS), "--database", served_database_url)
    with ServerProcess(*options, "--broadcast", broadcast, cwd=tmp_path) as server:
        yield server


def worker_ids(server: ServerProcess) -> set[int]:
    """The process ids of the workers that run."""
    return {child.pid for child in psutil.Process(server.process.pid).children() if _is_worker(child)}


def _is_worker(child: psutil.Process) -> bool:
    try:
        return "server.worker" in child.cmdline()
    except psutil.NoSuchProcess:  # killed, and nobody has waited for it yet
        return False


def worker_of(server: ServerProcess, socket: ClientConnection) -> int:
    """The process id of the worker that accepted a connection."""
    port = socket.local_address[1]
    for pid in worker_ids(server):
        with contextlib.suppress(psutil.NoSuchProcess):
            if any(each.raddr and each.raddr.port == port for each in psutil.Process(pid).net_connections()):
                return pid
    raise AssertionError("no worker has the connection")


@asynccontextmanager
async def socket_of_each(server: ServerProcess) -> AsyncIterator[Sockets]:
    """An open socket of every worker, by process id; waits until there are so many workers."""
    sockets: Sockets = {}
    async with AsyncExitStack() as stack, asyncio.timeout(60):
        while len(sockets) < WORKERS:
            socket = await stack.enter_async_context(open_socket(server))
            sockets.setdefault(worker_of(server, socket), socket)
        yield sockets


async def ask(socket: ClientConnection, name: str, **variables: Any) -> dict[str, Any]:
    """The answer of a mutation over a socket: the result of its only field."""
    payload = {"query": document(name), "variables": variables}
    await socket.send(json.dumps({"id": name, "type": "subscribe", "payload": payload}))
    message = json.loads(await socket.recv())
    assert message["type"] == "next", message
    assert json.loads(await socket.recv()) == {"id": name, "type": "complete"}
    (result,) = message["payload"]["data"].values()
    return dict(result)


async def test_it_is_announced_once_and_says_how_many_there_are(several: ServerProcess) -> None:
    """And migrated and given the demo templates once: by the parent."""
    async with socket_of_each(several) as sockets:
        assert set(sockets) == worker_ids(several)
    assert f"  Workers        {WORKERS} processes" in several.output
    assert several.stop() == 0
    assert said_since_start(several.output) == []


async def test_what_is_committed_through_one_worker_is_seen_live_through_another(
    several: ServerProcess,
) -> None:
    execution = await create(several)
    broadcast = next(line.split()[-1] for line in several.output if line.startswith("  Broadcast"))
    async with socket_of_each(several) as sockets, started(Doorbell(broadcast)) as ear:
        acting, watching = sockets.values()
        payload = {"query": WATCH, "variables": {"id": execution.id}}
        await watching.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        before = state_of(json.loads(await watching.recv())["payload"])
        given = {"id": execution.steps["verify"], "outputData": {"verified": True}}
        result = await ask(acting, "CompleteStep", input=given)
        assert result["__typename"] == "TransitionSuccess"
        after = state_of(json.loads(await watching.recv())["payload"])
        assert (before[0], after[0]) == ("IN_PROGRESS", "COMPLETED")
        await ear.hears(Ring(execution.id, before[2], after[2]))


async def test_of_two_commands_at_once_through_two_workers_one_succeeds(several: ServerProcess) -> None:
    async with socket_of_each(several) as sockets:
        for _ in range(10):
            execution = await create(several)
            given = {"id": execution.steps["verify"], "outputData": {"verified": True}}
            results = await asyncio.gather(
                *(ask(socket, "CompleteStep", input=given) for socket in sockets.values())
            )
            assert sorted(each["__typename"] for each in results) == [
                "InvalidTransition",
                "TransitionSuccess",
            ]


async def test_a_worker_that_is_killed_is_replaced_and_the_others_go_on(several: ServerProcess) -> None:
    async with socket_of_each(several) as sockets:
        (killed, its_socket), (other, other_socket) = sockets.items()
        psutil.Process(killed).kill()
        await its_socket.wait_closed()
        async with socket_of_each(several) as new_sockets:
            assert other in new_sockets
            assert killed not in new_sockets
        assert await (await other_socket.ping()) > 0
    assert several.stop() == 0
    assert said_since_start(several.output) == [
        f"worker process {killed} ended with SIGKILL and is started again"
    ]


async def test_whoever_is_asked_tells_the_numbers_of_all_workers_also_of_one_that_was_killed(
    several: ServerProcess,
) -> None:
    """What a worker has counted stays; how it stood goes with it."""
    execution = await create(several)
    asked = {"id": "1", "type": "subscribe", "payload": {"query": WATCH, "variables": {"id": execution.id}}}
    async with socket_of_each(several) as sockets:
        for socket in sockets.values():
            await socket.send(json.dumps(asked))
            assert json.loads(await socket.recv())["type"] == "next"
        await _until_told(several, "stepgraph_subscribers", WORKERS, field="workflowExecution")
        (killed, its_socket), (_, other_socket) = sockets.items()
        psutil.Process(killed).kill()
        await its_socket.wait_closed()
        await _until_told(several, "stepgraph_subscribers", 1, field="workflowExecution")
        assert await (await other_socket.ping()) > 0
        found = await numbers(several)
        subscribed = {"type": "subscription", "name": "WatchExecution", "outcome": "ok"}
        assert found("stepgraph_operations_total", **subscribed) == WORKERS
        assert found("stepgraph_deliveries_total", field="workflowExecution") >= WORKERS
        assert found("stepgraph_commands_total", kind="createWorkflowExecution", outcome="done") == 1


async def _until_told(server: ServerProcess, name: str, number: float, **labels: str) -> None:
    """Ask until the workers have written it down, which they do every two seconds."""
    async with asyncio.timeout(60):
        while (await numbers(server))(name, **labels) != number:
            pass


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
async def test_told_to_end_all_workers_close_their_sockets_with_1012(
    several: ServerProcess, number: Signals
) -> None:
    async with socket_of_each(several) as sockets:
        workers = worker_ids(several)
        several.tell(number)
        for socket in sockets.values():
            await socket.wait_closed()
            assert socket.close_code == 1012
    assert await asyncio.to_thread(several.wait) == 0
    assert not any(psutil.pid_exists(each) for each in workers)
    assert said_since_start(several.output) == []


async def test_workers_whose_parent_is_killed_drain_and_leave_the_port(several: ServerProcess) -> None:
    async with socket_of_each(several) as sockets:
        workers = [psutil.Process(each) for each in worker_ids(several)]
        several.stop(SIGKILL)
        for socket in sockets.values():
            await socket.wait_closed()
            assert socket.close_code == 1012
    await asyncio.to_thread(psutil.wait_procs, workers, 30)
    several.start()
    assert len(worker_ids(several)) == WORKERS


@pytest.mark.postgresql
async def test_it_gives_up_when_a_worker_cannot_start_again(
    migrated_postgresql_url: str, tmp_path: Path
) -> None:
    url, name = migrated_postgresql_url, make_url(migrated_postgresql_url).database
    options = ("--workers", str(WORKERS), "--database", url, "--broadcast", REDIS_URL)
    with ServerProcess(*options, cwd=tmp_path) as server:
        async with socket_of_each(server) as sockets:
            killed, (other, other_socket) = next(iter(sockets)), list(sockets.items())[1]
            await asyncio.to_thread(execute, POSTGRESQL, f"alter database {name} allow_connections false")
            psutil.Process(killed).kill()
            await other_socket.wait_closed()
            assert other_socket.close_code == 1012
        assert await asyncio.to_thread(server.wait) == 1
        assert not psutil.pid_exists(other)
        assert said_since_start(server.output)[-1].startswith(
            "A worker process ended 5 times in a row right after its start, the last time so: The database "
        )


@pytest.mark.postgresql
def test_what_keeps_a_worker_from_starting_is_told_in_one_line(
    migrated_postgresql_url: str, tmp_path: Path
) -> None:
    role = f"{make_url(migrated_postgresql_url).database}_role"
    execute(migrated_postgresql_url, f"create role {role} login connection limit 1")
    try:
        execute(migrated_postgresql_url, f"grant all on all tables in schema public to {role}")
        url = make_url(migrated_postgresql_url).set(username=role).render_as_string(hide_password=False)
        options = ("--workers", "2", "--database", url, "--broadcast", REDIS_URL)
        ended = run_command("serve", "--port", "0", *options, cwd=tmp_path)
    finally:
        execute(migrated_postgresql_url, f"drop owned by {role}; drop role {role}")
    assert (ended.code, ended.output) == (1, "")
    assert ended.errors.count("\n") == 1, ended.errors
    assert "too many connections" in ended.errors
