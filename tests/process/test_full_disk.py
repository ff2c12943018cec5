"""A full disk: writes are refused with a code, all else goes on, and it is over without a restart (`security.md` O5).

The database's files lie on a tmpfs, so ENOSPC comes from the kernel; of PostgreSQL those of a tablespace, and 53100 comes
from PostgreSQL itself. Where its write-ahead log has no room PostgreSQL ends, which is O3.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from db.connect import database_for
from db.migrate import migrate
from tests.contract.graphs import TASK, graph
from tests.contract.tables import STEPS, set_columns
from tests.databases import sqlite_url
from tests.frontend_documents import document
from tests.live.postgresql_server import PostgreSQLServer
from tests.process.clients import Answer, ask_over_websocket, http_client, post, watch_over_websocket
from tests.process.quiet import said_since_start
from tests.process.small_disk import SmallDisk, small_disk
from tests.process.workflows import WATCH, Execution, create, publish, read_state, send
from tests.servers import ServerProcess

LATE = graph("late", {"task": TASK}, "start task end")
DUE = 40
REFUSED = "The database has no room left at the moment. Try again."
OVERDUE = "{ workflowStepExecutions(where: {isOverdue: true}) { totalCount } }"


@dataclass(frozen=True)
class Stored:
    """A migrated database, and the disk that it is on."""

    url: str
    disk: SmallDisk


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stored]:
    with small_disk(tmp_path / "disk", megabytes=24) as disk:
        if request.param == "sqlite":
            url = sqlite_url(disk.directory / "small.db")
            asyncio.run(migrate(url))
            yield Stored(url, disk)
            return
        server: PostgreSQLServer = request.getfixturevalue("postgresql_server")
        yield from in_tablespace(server, disk)


def in_tablespace(server: PostgreSQLServer, disk: SmallDisk) -> Iterator[Stored]:
    """A database of this server whose tables are on the disk."""
    temporary = Path(tempfile.gettempdir())
    for parent in disk.directory.parents:  # pytest's own directories are for nobody else
        if temporary in parent.parents:
            parent.chmod(0o755)
    place = disk.directory / "tables"
    place.mkdir()
    if os.geteuid() == 0:
        shutil.chown(place, "postgres")
    url = make_url(server.url).set(drivername="postgresql+asyncpg", database="small")
    text = url.render_as_string(hide_password=False)
    asyncio.run(
        told(server, f"create tablespace small location '{place}'", "create database small tablespace small")
    )
    try:
        asyncio.run(migrate(text))
        yield Stored(text, disk)
    finally:
        asyncio.run(told(server, "drop database small with (force)", "drop tablespace small"))


async def told(server: PostgreSQLServer, *statements: str) -> None:
    connection = await asyncpg.connect(server.url, timeout=10)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def make_due(url: str, executions: list[Execution], seconds: int) -> None:
    """Their tasks are due so soon; past the program, which would be told."""
    due_at = datetime.now(UTC) + timedelta(seconds=seconds)
    async with database_for(url) as database:
        for execution in executions:
            await set_columns(database, STEPS, execution.steps["task"], due_at=due_at)


async def start(server: ServerProcess, key: str) -> Answer:
    """Start an execution with as much in its context as fits no page."""
    context = {"filling": os.urandom(10_000).hex()}
    given = {"workflowTemplateKey": "late", "idempotencyKey": key, "context": context}
    return await post(server, document("StartExecution"), input=given)


async def until_refused(server: ServerProcess) -> str:
    """Start executions until one is refused; returns its key."""
    for number in range(2_000):
        answer = await start(server, f"filling-{number}")
        if "errors" in answer:
            (error,) = answer["errors"]
            assert (error["message"], error["extensions"]) == (REFUSED, {"code": "STORAGE_FULL"})
            return f"filling-{number}"
    raise AssertionError("the disk is never full")


async def test_writes_are_refused_while_all_else_goes_on_until_there_is_room(
    stored: Stored, tmp_path: Path
) -> None:
    with ServerProcess("--database", stored.url, cwd=tmp_path) as server:
        await publish(server, LATE, "late")
        watched = await create(server, "late")
        due = [await create(server, "late") for _ in range(DUE)]
        async with watch_over_websocket(server, WATCH, id=watched.id) as payloads:
            await anext(payloads)
            await make_due(stored.url, due, seconds=3)
            stored.disk.fill()
            key = await until_refused(server)
            await reads_go_on(server, watched)
            await asyncio.to_thread(server.wait_for, has_said("the timer waits"))
            await refusals_flood_no_log(server)
            stored.disk.make_room()
            again = await start_again(server, key)
            assert again["workflowExecution"]["runtimeStatus"] == "IN_PROGRESS"
            await complete_watched(server, watched, payloads)
            await until_all_are_overdue(server)
        assert server.stop() == 0
    said = said_since_start(server.output)
    # Each once and not for every refusal; those of commands again after ten seconds.
    assert sum("the timer waits, trying again: StorageFull" in line for line in said) == 1, said
    assert len(said) < 10, said
    assert all("no room" in line for line in said), said


def has_said(text: str) -> Any:
    return lambda lines: any(text in line for line in lines)


async def reads_go_on(server: ServerProcess, execution: Execution) -> None:
    """Over HTTP and over new sockets; and no proxy is to send requests elsewhere, where it is as full."""
    assert (await read_state(server, execution.id))[0] == "IN_PROGRESS"
    answer = await ask_over_websocket(server, document("ExecutionDetail"), id=execution.id)
    assert answer["data"]["workflowExecution"]["runtimeStatus"] == "IN_PROGRESS"
    async with watch_over_websocket(server, WATCH, id=execution.id) as payloads:
        assert "errors" not in await anext(payloads)
    async with http_client(server) as client:
        assert (await client.get("/readyz")).json()["status"] == "ready"


async def refusals_flood_no_log(server: ServerProcess) -> None:
    answers = await asyncio.gather(*(start(server, f"flood-{number}") for number in range(100)))
    codes = {error["extensions"]["code"] for answer in answers for error in answer.get("errors", ())}
    assert codes == {"STORAGE_FULL"}


async def start_again(server: ServerProcess, key: str) -> Any:
    """What was refused was not done: under its key it is done now."""
    given = {"workflowTemplateKey": "late", "idempotencyKey": key}
    answer = await post(server, document("StartExecution"), input=given)
    assert "errors" not in answer, answer
    return next(iter(answer["data"].values()))


async def complete_watched(
    server: ServerProcess, execution: Execution, payloads: AsyncIterator[Answer]
) -> None:
    """Whoever watched before is told."""
    given = {"id": execution.steps["task"], "outputData": {}}
    await send(server, "CompleteStep", "TransitionSuccess", input=given)
    async with asyncio.timeout(60):
        states = [answer["data"]["workflowExecution"]["runtimeStatus"] async for answer in payloads]
    assert states[-1] == "COMPLETED"


async def until_all_are_overdue(server: ServerProcess) -> None:
    """The timer does what came due meanwhile."""
    async with asyncio.timeout(60):
        while (await post(server, OVERDUE))["data"]["workflowStepExecutions"]["totalCount"] < DUE:
            pass
