"""The rows that are measured: templates and executions made through the API, and copies of those in great number."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from secrets import token_hex
from typing import Any

from sqlalchemy import Select, Table, TextClause, bindparam, func, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from db.connect import database_for
from db.ids import IdKind, new_id
from db.store import Store
from db.tables import (
    DEFAULT_TENANT,
    Journal,
    StepExecution,
    WorkflowExecution,
    WorkflowTemplate,
    WorkflowTemplateVersion,
    table_of,
)
from tests.api import Api

Row = dict[str, Any]

_EXECUTIONS = table_of(WorkflowExecution)
_STEPS = table_of(StepExecution)
_JOURNAL = table_of(Journal)
_TEMPLATES = table_of(WorkflowTemplate)
_VERSIONS = table_of(WorkflowTemplateVersion)
_COMPLETE = """
  mutation ($input: CompleteStepInput!) { completeStep(input: $input) { __typename } }
"""


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution and its steps (their ids) in definition order."""

    id: str
    root_id: str
    steps: tuple[str, ...]


def sequence(name: str, tasks: int) -> dict[str, Any]:
    """A definition of `tasks` forms in a row, so of `tasks` + 2 steps."""
    names = ["start", *(f"form-{number}" for number in range(1, tasks + 1)), "end"]
    schema = {"type": "object", "properties": {"answer": {"type": "integer"}}, "required": ["answer"]}
    forms = [
        {"id": step, "type": "human.form", "name": f"Form {step[5:]}", "outputSchema": schema}
        for step in names[1:-1]
    ]
    return {
        "id": name,
        "name": name,
        "steps": [
            {"id": "start", "type": "start", "name": "Start"},
            *forms,
            {"id": "end", "type": "end", "name": "End"},
        ],
        "stepTransitions": [
            {"id": f"t{number}", "fromStepId": names[number], "toStepId": names[number + 1]}
            for number in range(len(names) - 1)
        ],
    }


async def publish(url: str, definition: Mapping[str, Any]) -> str:
    """Publish and activate a template under a key of its own; returns the key."""
    key = f"{definition['name']}-{token_hex(4)}"
    async with database_for(url) as database:
        template = await Api(Store(database), DEFAULT_TENANT).publish(dict(definition), key)
    assert template["key"] == key
    return key


async def start(
    url: str, key: str, context: Mapping[str, Any] | None = None, completed: int = 0
) -> Execution:
    """Start an execution, and complete its first forms."""
    async with database_for(url) as database:
        api = Api(Store(database), DEFAULT_TENANT)
        started = await api.start(key, context=dict(context or {}))
        steps = tuple(step["id"] for step in started["steps"])
        for number, step in enumerate(steps[1 : completed + 1]):
            given = {"id": step, "outputData": output(number)}
            answer = await api.data(_COMPLETE, input=given)
            assert answer["completeStep"]["__typename"] == "TransitionSuccess", answer
    return Execution(started["id"], started["id"], steps)


def output(number: int) -> dict[str, Any]:
    """What a form is completed with."""
    return {"answer": number, "comment": "looks good to me"}


async def copies(
    url: str, pattern: Execution, count: int, *, under: Execution | None = None
) -> list[Execution]:
    """So many more executions that stand as `pattern` does, created one after the other until now.

    They are roots, or children of a root's first form.
    """
    made = [_new_ids(pattern, under) for _ in range(count)]
    begun = datetime.now(UTC) - timedelta(milliseconds=count)
    rows = [
        _execution_values(each, number, pattern, under)
        | {"created_at": begun + timedelta(milliseconds=number)}
        for number, each in enumerate(made)
    ]
    steps = [values for each in made for values in _steps_values(each, pattern)]
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            created_at = bindparam("created_at", type_=_EXECUTIONS.c.created_at.type)
            copying = _copying(_EXECUTIONS, _CHILD if under else _ROOT).bindparams(created_at)
            await connection.execute(copying, rows)
            await connection.execute(_copying(_STEPS, _STEP), steps)
            if under:
                grown = {"tree_size": _EXECUTIONS.c.tree_size + count}
                await connection.execute(
                    update(_EXECUTIONS).where(_EXECUTIONS.c.id == under.id).values(grown)
                )
    finally:
        await engine.dispose()
    return made


# What is another's in a copy, as SQL; all else is copied as the database has it.
_ID = {"id": "cast(:id as text)", "root_id": "cast(:root_id as text)"}
_STEP = {**_ID, "execution_id": "cast(:execution_id as text)"}
_ROOT = {**_ID, "path": "cast(:path as text)", "created_at": ":created_at"}
_CHILD = {
    **_ROOT,
    "parent_id": "cast(:root_id as text)",
    "parent_step_id": "cast(:parent_step_id as text)",
    "depth": "1",
    "child_index": "cast(:child_index as integer)",
    "tree_revision": "null",
    "tree_changed_at": "null",
    "tree_size": "null",
}


def _copying(table: Table, other: Mapping[str, str]) -> TextClause:
    names = [column.name for column in table.columns]
    values = ", ".join(other.get(name, name) for name in names)
    return text(
        f"insert into {table.name} ({', '.join(names)}) select {values} from {table.name} where id = :pattern"
    )


def _new_ids(pattern: Execution, under: Execution | None) -> Execution:
    id_ = new_id(IdKind.EXECUTION)
    steps = tuple(new_id(IdKind.STEP_EXECUTION) for _ in pattern.steps)
    return Execution(id_, under.id if under else id_, steps)


def _execution_values(copy: Execution, number: int, pattern: Execution, under: Execution | None) -> Row:
    values = {"pattern": pattern.id, "id": copy.id, "root_id": copy.root_id}
    if under is None:
        return {**values, "path": f"{copy.id}/"}
    path = f"{under.id}/{copy.id}/"
    return {**values, "path": path, "parent_step_id": under.steps[1], "child_index": number}


def _steps_values(copy: Execution, pattern: Execution) -> list[Row]:
    pairs = zip(pattern.steps, copy.steps, strict=True)
    return [
        {"pattern": old, "id": new, "root_id": copy.root_id, "execution_id": copy.id} for old, new in pairs
    ]


async def children(url: str, roots: Sequence[Execution]) -> list[Execution]:
    """The children of roots, in the roots' order and by index."""
    found: list[Execution] = []
    for root in roots:
        steps = (
            select(_STEPS.c.execution_id, _STEPS.c.id)
            .join_from(_STEPS, _EXECUTIONS, _EXECUTIONS.c.id == _STEPS.c.execution_id)
            .where(_EXECUTIONS.c.parent_id == root.id)
            .order_by(_EXECUTIONS.c.child_index, _STEPS.c.position)
        )
        for id_, rows in groupby(await _read(url, steps), key=lambda row: row[0]):
            found.append(Execution(id_, root.id, tuple(row[1] for row in rows)))
    return found


async def images(url: str, execution: Execution) -> list[str]:
    """What the journal shows of a form that was completed, and of the next one that was begun."""
    data = select(_JOURNAL.c.data).where(
        _JOURNAL.c.root_id == execution.root_id, _JOURNAL.c.step_execution_id.in_(execution.steps[1:3])
    )
    found = await _read(url, data.order_by(_JOURNAL.c.revision))
    return [json.dumps(row[0]) for row in found[-2:]]


async def stand(url: str, execution_id: str) -> Any:
    """How an execution, its steps and its journal stand, without ids and times."""
    steps, journal = _STEPS.c, _JOURNAL.c
    # What was there before the copy was made is not in its journal, and a tree's revisions count every child's.
    ask = (
        select(_EXECUTIONS.c.runtime_status, _EXECUTIONS.c.name).where(_EXECUTIONS.c.id == execution_id),
        select(steps.step_id, steps.status, steps.entered_by, steps.attempt, steps.output_data)
        .where(steps.execution_id == execution_id)
        .order_by(steps.position),
        select(journal.kind, journal.from_status, journal.to_status)
        .where(journal.execution_id == execution_id)
        .order_by(journal.revision),
    )
    return [await _read(url, statement) for statement in ask]


async def work_done(url: str, key: str) -> list[Any]:
    """How many changes of each kind a template's executions have had since the first of them was started."""
    ours = (
        select(_EXECUTIONS.c.id)
        .join_from(_TEMPLATES, _VERSIONS, _VERSIONS.c.template_id == _TEMPLATES.c.id)
        .join(_EXECUTIONS, _EXECUTIONS.c.version_id == _VERSIONS.c.id)
        .where(_TEMPLATES.c.key == key)
    )
    kinds = select(_JOURNAL.c.kind, func.count()).where(_JOURNAL.c.execution_id.in_(ours))
    return await _read(url, kinds.group_by(_JOURNAL.c.kind).order_by(_JOURNAL.c.kind))


async def _read(url: str, statement: Select[Any]) -> list[Any]:
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return list((await connection.execute(statement)).all())
    finally:
        await engine.dispose()


async def await_commits(url: str, awaited: bool) -> None:
    """Whether PostgreSQL answers a commit after (its default) or before the disk has it; for new connections."""
    name = make_url(url).database
    change = "reset synchronous_commit" if awaited else "set synchronous_commit = off"
    await _run(url, f'alter database "{name}" {change}')


async def settle(url: str) -> None:
    """Let the planner know the rows; nothing of it is left for a round to pay."""
    await _run(url, "analyze" if url.startswith("sqlite") else "vacuum analyze")


async def _run(url: str, statement: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()
