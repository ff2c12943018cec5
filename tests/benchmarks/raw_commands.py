"""The floor of commands: their statements by hand on the driver's connections, in one process, with nothing decided.

    python -m tests.benchmarks.raw_commands DATABASE_URL

Asked `{"complete": …}` it completes `queues` of steps, one queue for each connection; asked `{"create": …}` it makes
executions that are rows like a `pattern`'s. SQLite has one writer: there all queues share a connection.
"""

import asyncio
import json
import re
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import uvloop
from sqlalchemy.engine import make_url

from db.ids import IdKind, new_id
from db.runtime.moments import timestamp_text
from db.runtime.values import Step
from tests.benchmarks.processes import tell

TENANT = "default"
CONNECTIONS = 8

_LOCK = """
  select root.id as root_id, root.tree_revision, clock_timestamp() as now,
    (select execution_id from step_execution where id = $1) as execution_id
  from workflow_execution root
  where root.id = (select root_id from step_execution where id = $1 and tenant = $2)
  for update
"""
_STEPS = f"""
  select {", ".join(Step._fields)} from step_execution
  where execution_id = $1 and is_current order by position
"""
_COMPLETE = """
  update step_execution set status = 'Completed', completed_at = $2, output_data = $3, revision = $4 where id = $1
"""
_BEGIN = """
  update step_execution set status = 'InProgress', started_at = $2, entered_by = $3, revision = $4 where id = $1
"""
_ROOT = """
  update workflow_execution set revision = $2, last_activity_at = $3, tree_revision = $2, tree_changed_at = $3
  where id = $1
"""
_CHILD = "update workflow_execution set revision = $2, last_activity_at = $3 where id = $1"
_TREE = "update workflow_execution set tree_revision = $2, tree_changed_at = $3 where id = $1"
_CHANGE = """
  insert into journal (tenant, root_id, revision, execution_id, step_execution_id, kind, at, from_status, to_status,
    attempt, data)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10)
"""
_RUNNABLE = """
  select v.id, v.version, v.status, t.name, clock_timestamp() as now
  from workflow_template t left join workflow_template_version v on v.id = t.active_version_id
  where t.key = $1 and t.tenant = $2
"""
_OUTPUT = json.dumps({"answer": 1, "comment": "looks good to me"})


class SQLiteConnection:
    """As much of asyncpg's connection as is used here, on `sqlite3` and with the product's pragmas."""

    def __init__(self, path: str) -> None:
        self._raw = sqlite3.connect(path, isolation_level=None, cached_statements=512)
        self._raw.row_factory = sqlite3.Row
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "busy_timeout = 10000",
        ):
            self._raw.execute(f"PRAGMA {pragma}")
        self._raw.create_function("clock_timestamp", 0, lambda: timestamp_text(datetime.now(UTC)))

    async def fetch(self, text: str, *arguments: Any) -> list[Any]:
        return self._raw.execute(_spelled(text), arguments).fetchall()

    async def fetchrow(self, text: str, *arguments: Any) -> Any:
        return self._raw.execute(_spelled(text), arguments).fetchone()

    async def execute(self, text: str, *arguments: Any) -> None:
        self._raw.execute(_spelled(text), arguments)

    async def executemany(self, text: str, many: Sequence[Sequence[Any]]) -> None:
        self._raw.executemany(_spelled(text), many)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        self._raw.execute("BEGIN IMMEDIATE")
        yield
        self._raw.execute("COMMIT")

    async def close(self) -> None:
        self._raw.close()


_spellings: dict[str, str] = {}


def _spelled(text: str) -> str:
    if text not in _spellings:
        numbered = re.sub(r"\$(\d+)", r"?\1", text)
        _spellings[text] = numbered.replace("for update", "").replace("skip locked", "")
    return _spellings[text]


async def complete(connection: Any, step_id: str, images: Sequence[str]) -> None:
    """Complete a form and begin the next step: the root's lock, two steps, its execution, two changes."""
    async with connection.transaction():
        lock = await connection.fetchrow(_LOCK, step_id, TENANT)
        root_id, execution_id, now, revision = (
            lock[name] for name in ("root_id", "execution_id", "now", "tree_revision")
        )
        steps = await connection.fetch(_STEPS, execution_id)
        at = next(number for number, step in enumerate(steps) if step["id"] == step_id)
        after = steps[at + 1]["id"]
        await connection.execute(_COMPLETE, step_id, now, _OUTPUT, revision + 1)
        await connection.execute(_BEGIN, after, now, f'["t{at}"]', revision + 2)
        if execution_id == root_id:
            await connection.execute(_ROOT, root_id, revision + 2, now)
        else:
            await connection.execute(_CHILD, execution_id, revision + 2, now)
            await connection.execute(_TREE, root_id, revision + 2, now)
        place = (TENANT, root_id), (execution_id,)
        done = ("STEP_COMPLETED", now, "InProgress", "Completed", images[0])
        begun = ("STEP_STARTED", now, "NotStarted", "InProgress", images[1])
        changes = [
            (*place[0], revision + 1, *place[1], step_id, *done),
            (*place[0], revision + 2, *place[1], after, *begun),
        ]
        await connection.executemany(_CHANGE, changes)


class Pattern:
    """A new execution's rows, to be written again under new ids."""

    def __init__(self, execution: Any, steps: Sequence[Any], changes: Sequence[Any]) -> None:
        self._execution = dict(execution)
        self._steps = [dict(step) for step in steps]
        # Its place in the journal is the database's to give.
        self._changes = [
            {name: value for name, value in dict(change).items() if name not in ("position", "xid")}
            for change in changes
        ]
        self._made_at = self._execution["created_at"]
        self._insert_execution = _insert("workflow_execution", self._execution)
        self._insert_step = _insert("step_execution", self._steps[0])
        self._insert_change = _insert("journal", self._changes[0])

    @classmethod
    async def load(cls, connection: Any, id_: str) -> "Pattern":
        return cls(
            await connection.fetchrow("select * from workflow_execution where id = $1", id_),
            await connection.fetch(
                "select * from step_execution where execution_id = $1 order by position", id_
            ),
            await connection.fetch("select * from journal where execution_id = $1 order by revision", id_),
        )

    def new_ids(self) -> dict[str, str]:
        """A new id for each of the pattern's."""
        steps = {step["id"]: new_id(IdKind.STEP_EXECUTION) for step in self._steps}
        return {self._execution["id"]: new_id(IdKind.EXECUTION), **steps}

    async def write(self, connection: Any, key: str, ids: dict[str, str]) -> None:
        """What `createWorkflowExecution` writes."""
        async with connection.transaction():
            runnable = await connection.fetchrow(_RUNNABLE, key, TENANT)
            values = {**ids, self._made_at: runnable["now"]}
            values[self._execution["path"]] = f"{ids[self._execution['id']]}/"
            await connection.execute(self._insert_execution, *_renewed(self._execution, values))
            await connection.executemany(self._insert_step, [_renewed(step, values) for step in self._steps])
            await connection.executemany(
                self._insert_change, [_renewed(change, values) for change in self._changes]
            )


def _renewed(row: dict[str, Any], values: dict[Any, Any]) -> list[Any]:
    return [values.get(value, value) for value in row.values()]


def _insert(table: str, row: dict[str, Any]) -> str:
    numbers = ", ".join(f"${number + 1}" for number in range(len(row)))
    return f"insert into {table} ({', '.join(row)}) values ({numbers})"


class Floor:
    """The connections, and the two questions."""

    def __init__(self, connections: Sequence[Any]) -> None:
        self._connections = connections

    async def complete(self, queues: list[list[str]], images: list[str]) -> dict[str, Any]:
        async def work(connection: Any, steps: list[str]) -> None:
            for step in steps:
                await complete(connection, step, images)

        jobs = [work(*pair) for pair in zip(self._connections, queues, strict=True)]
        return {"done": sum(map(len, queues)), **await timed(jobs)}

    async def create(self, key: str, pattern: str, each: int) -> dict[str, Any]:
        loaded = await Pattern.load(self._connections[0], pattern)
        ids = [[loaded.new_ids() for _ in range(each)] for _ in self._connections]

        async def work(connection: Any, many: list[dict[str, str]]) -> None:
            for one in many:
                await loaded.write(connection, key, one)

        jobs = [work(*pair) for pair in zip(self._connections, ids, strict=True)]
        return {"done": each * len(ids), **await timed(jobs), "last": ids[0][-1][pattern]}


async def timed(jobs: list[Any]) -> dict[str, float]:
    begun, before = time.perf_counter(), time.process_time()
    await asyncio.gather(*jobs)
    return {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - before}


@asynccontextmanager
async def connections_to(url: str) -> AsyncIterator[list[Any]]:
    """One for each queue; on SQLite the same one."""
    async with AsyncExitStack() as stack:
        if url.startswith("sqlite"):
            connection = SQLiteConnection(make_url(url).database or "")
            stack.push_async_callback(connection.close)
            yield [connection] * CONNECTIONS
            return
        dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        opened = [
            await asyncpg.connect(dsn, server_settings={"jit": "off", "timezone": "UTC"})
            for _ in range(CONNECTIONS)
        ]
        for each in opened:
            stack.push_async_callback(each.close)
        yield opened


async def answer_questions(url: str) -> None:
    """Until there are no more."""
    async with connections_to(url) as connections:
        floor = Floor(connections)
        tell("ready")
        while line := await asyncio.to_thread(sys.stdin.readline):
            ((verb, asked),) = json.loads(line).items()
            tell(await (floor.complete if verb == "complete" else floor.create)(**asked))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(answer_questions(sys.argv[1]))
