"""Executions and steps in numbers that only the database itself can write in minutes (PostgreSQL)."""

from collections.abc import Mapping

import asyncpg
from sqlalchemy import Table

from db.tables import StepExecution, WorkflowExecution, table_of
from tests.benchmarks import samples
from tests.databases import connected

STEPS = 10

_EXECUTIONS = table_of(WorkflowExecution)
_STEPS = table_of(StepExecution)
_COUNTRIES = "array['GB', 'DE', 'FR', 'JP', 'US', 'IN', 'BR', 'NG', 'CA', 'AU']"
# Two in ten have failed and three are completed; which is not a matter of their age.
_HAS_FAILED, _IS_COMPLETED = "n * 7 % 10 < 2", "n * 7 % 10 between 2 and 4"
_CREATED = "timestamptz '2026-01-01' + n * interval '1 second'"
_EXECUTION_ID = "'exec_01' || lpad(n::text, 24, '0')"

# What is another's in a copy, as SQL over its number `n`; all else is as the pattern `p` has it.
_EXECUTION = {
    "id": _EXECUTION_ID,
    "root_id": _EXECUTION_ID,
    "correlation_id": _EXECUTION_ID,
    "path": f"{_EXECUTION_ID} || '/'",
    "name": "'Order ' || n % 1000",
    "context": f"jsonb_build_object('customer', jsonb_build_object('country', ({_COUNTRIES})[1 + n / 10 % 10]))",
    "created_at": _CREATED,
    "started_at": _CREATED,
    "last_activity_at": _CREATED,
    "runtime_status": f"case when {_HAS_FAILED} then 'Failed' when {_IS_COMPLETED} then 'Completed' else 'InProgress' end",
    "failed_at": f"case when {_HAS_FAILED} then {_CREATED} end",
    "failure_code": f"case when {_HAS_FAILED} then 'EXPRESSION_FAILED' end",
    "failure_message": f"case when {_HAS_FAILED} then 'a value is missing' end",
    "completed_at": f"case when {_IS_COMPLETED} then {_CREATED} end",
}
_STEP = {
    "id": "'step_01' || lpad(n::text, 20, '0') || lpad(p.position::text, 4, '0')",
    "root_id": _EXECUTION_ID,
    "execution_id": _EXECUTION_ID,
    "created_at": _CREATED,
    "started_at": f"case when p.started_at is not null then {_CREATED} end",
    "completed_at": f"case when p.completed_at is not null then {_CREATED} end",
}


# As they are where none of them has ended.
_ALL_IN_PROGRESS = _EXECUTION | {
    "runtime_status": "'InProgress'",
    **dict.fromkeys(("failed_at", "failure_code", "failure_message", "completed_at"), "null"),
}


async def fill(url: str, executions: int) -> None:
    """So many executions of ten steps each, one created every second."""
    key = await samples.publish(url, samples.sequence("many", STEPS - 2))
    await _copies(url, await samples.start(url, key), _EXECUTION, executions)


async def let_wait(url: str, key: str, executions: int) -> None:
    """So many more executions of a template, whose first forms wait."""
    await _copies(url, await samples.start(url, key), _ALL_IN_PROGRESS, executions)


async def _copies(url: str, pattern: samples.Execution, other: Mapping[str, str], count: int) -> None:
    connection = await connected(url)
    try:
        await _copy(connection, pattern, other, count)
    finally:
        await connection.close()


async def _copy(
    connection: asyncpg.Connection, pattern: samples.Execution, other: Mapping[str, str], count: int
) -> None:
    # Rows first: an index is built in a fraction of the time that it takes to fill it row by row.
    indexes = await connection.fetch(
        "select indexname as name, indexdef as definition from pg_indexes"
        " where tablename = any($1) and indexname not in (select conname from pg_constraint)",
        [_EXECUTIONS.name, _STEPS.name],
    )
    for index in indexes:
        await connection.execute(f"drop index {index['name']}")
    # What a row refers to is written by the same statement: to look for each would take longer than all the rest.
    await connection.execute("set session_replication_role = replica")
    await connection.execute(_copying(_EXECUTIONS, other, f"p.id = '{pattern.id}'", count))
    await connection.execute(_copying(_STEPS, _STEP, f"p.execution_id = '{pattern.id}'", count))
    for index in indexes:
        await connection.execute(index["definition"])
    await connection.execute("vacuum analyze")


def _copying(table: Table, other: Mapping[str, str], which: str, count: int) -> str:
    names = [column.name for column in table.columns]
    values = ", ".join(other.get(name, f"p.{name}") for name in names)
    # Of each number, for it depends on that: so the rows of an execution lie together, as they do where it was started.
    patterns = f"select p.* from {table.name} p where {which} and n > 0 offset 0"
    return (
        f"insert into {table.name} ({', '.join(names)})"
        f" select {values} from generate_series(1, {count}) n cross join lateral ({patterns}) p"
    )
