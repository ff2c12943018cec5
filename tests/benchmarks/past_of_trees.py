"""What `asOf` costs beside now: `.venv/bin/python -m tests.benchmarks.past_of_trees`.

Three shapes of trees in a SQLite file and, where there is a server, in PostgreSQL; every step has changed five times. The
statement alone is timed, at the last revision and at half of it, when half of the changes had not happened.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from db.connect import database_for
from db.migrate import migrate
from db.store import Store
from db.tables import DEFAULT_TENANT, Journal, StepExecution, WorkflowExecution, table_of
from tests.api import Api
from tests.benchmarks import samples
from tests.benchmarks.test_reads import FLAT, TREE
from tests.databases import empty_postgresql, sqlite_url

CHANGES = 5

_EXECUTIONS, _STEPS, _JOURNAL = map(table_of, (WorkflowExecution, StepExecution, Journal))


@dataclass(frozen=True, slots=True)
class Shape:
    """A root with `children`, each of them with `steps`; without children the root has them itself."""

    children: int
    steps: int

    def __str__(self) -> str:
        return f"{self.children + 1} executions × {self.steps} steps × {CHANGES} changes"

    @property
    def document(self) -> str:
        text = TREE if self.children else FLAT
        return text.replace("($id: ID!)", "($id: ID!, $asOf: Int)").replace(
            "(id: $id)", "(id: $id, asOf: $asOf)"
        )


SHAPES = (Shape(0, 1000), Shape(99, 10), Shape(10, 10))


async def make(url: str, shape: Shape) -> tuple[str, int]:
    """The tree; returns its root and its last revision."""
    sequence = samples.sequence(f"past-{shape.children}-{shape.steps}", shape.steps - 2)
    key = await samples.publish(url, sequence)
    if shape.children:
        key = await samples.publish(url, _parent(key, shape))
    root = await samples.start(url, key)
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            revision = await _change(connection, root.id)
    finally:
        await engine.dispose()
    await samples.settle(url)
    return root.id, revision


def _parent(child: str, shape: Shape) -> dict[str, Any]:
    """As many steps as a child has, of which the first runs all children."""
    definition = samples.sequence(f"parent-{shape.children}-{shape.steps}", shape.steps - 2)
    run = {"type": "sys.sub_workflow", "mode": "BATCH", "childWorkflowTemplateKey": child}
    items = {"iterable": {"type": "EXPRESSION", "expr": {"src": f"[1..{shape.children}]"}}}
    definition["steps"][1] = {"id": "form-1", "name": "Run", **run, **items}
    return definition


async def _change(connection: AsyncConnection, root_id: str) -> int:
    """Five changes of every step after all that commands did, with images as commands write them."""
    found = await connection.execute(select(_JOURNAL).where(_JOURNAL.c.root_id == root_id))
    journal = list(found.mappings())
    pattern = next(dict(row) for row in journal if row["kind"] == "STEP_STARTED")
    revision = max(row["revision"] for row in journal)
    steps = (await connection.execute(select(_STEPS).where(_STEPS.c.root_id == root_id))).mappings().all()
    changes, touched = [], {}
    for _ in range(CHANGES):
        for step in steps:
            revision += 1
            changes.append(_image(pattern, step, revision))
            touched[step["id"]] = touched[step["execution_id"]] = revision
    await connection.execute(insert(_JOURNAL), changes)
    for table in (_STEPS, _EXECUTIONS):
        rows = [{"key": id_, "new": number} for id_, number in touched.items()]
        statement = update(table).where(table.c.id == bindparam("key")).values(revision=bindparam("new"))
        await connection.execute(statement, rows)
    await connection.execute(
        update(_EXECUTIONS).where(_EXECUTIONS.c.id == root_id).values(tree_revision=revision)
    )
    return revision


def _image(pattern: dict[str, Any], step: Any, revision: int) -> dict[str, Any]:
    own = {"id": step["id"], "stepId": step["step_id"], "name": step["name"], "revision": revision}
    data = pattern["data"] | own
    row = {name: value for name, value in pattern.items() if name not in ("position", "xid")}
    of_step = {"step_execution_id": step["id"], "execution_id": step["execution_id"]}
    return row | of_step | {"revision": revision, "data": data}


async def measure(url: str, shape: Shape, rounds: int) -> dict[str, float]:
    """Milliseconds of the statement, by what it shows."""
    root_id, revision = await make(url, shape)
    asked = {"now": None, "the last revision": revision, "half of it": revision // 2}
    async with database_for(url) as database:
        statements = {
            name: await _statement(database, shape, root_id, as_of) for name, as_of in asked.items()
        }
        times: dict[str, list[float]] = {name: [] for name in asked}
        for _ in range(rounds):
            for name, (text, arguments) in statements.items():
                begun = time.perf_counter()
                await database.read(text, arguments)
                times[name].append((time.perf_counter() - begun) * 1000)
    return {name: median(each) for name, each in times.items()}


async def _statement(
    database: Any, shape: Shape, root_id: str, as_of: int | None
) -> tuple[str, Sequence[Any]]:
    """What a request asks of the database, and that its answer is the tree."""
    asked: list[tuple[str, Sequence[Any]]] = []
    api = Api(Store(database), DEFAULT_TENANT)
    read = api.database.read

    async def recorded(text: str, arguments: Sequence[Any]) -> str | None:
        asked.append((text, arguments))
        return await read(text, arguments)

    api.database.read = recorded  # type: ignore[method-assign]  # to listen
    shown = await api.data(shape.document, id=root_id, asOf=as_of)
    assert json.dumps(shown).count('"stepId"') == (shape.children + 1) * shape.steps
    (statement,) = asked
    return statement


def main(rounds: int) -> None:
    with TemporaryDirectory() as directory, empty_postgresql() as postgresql:
        for url in (postgresql, sqlite_url(Path(directory) / "past.db")):
            asyncio.run(migrate(url))
            for shape in SHAPES:
                times = asyncio.run(measure(url, shape, rounds))
                told = " | ".join(f"{what} {each:.2f} ms" for what, each in times.items())
                print(f"{url.split('+')[0]:12}{shape!s:45}{told}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Time what asOf costs beside now.")
    parser.add_argument("--rounds", type=int, default=50)
    main(parser.parse_args().rounds)
