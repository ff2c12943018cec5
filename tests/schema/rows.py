"""Rows of the database as plain Python values, read without the projection; JSON keeps its numbers' digits."""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Column, Table, Text, bindparam, cast, or_, select

from db import tables
from db.columns import Names
from db.session import Database
from db.statements import Statement
from db.tables import table_of

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        table_of(model)
        for model in (
            tables.WorkflowTemplate,
            tables.WorkflowTemplateVersion,
            tables.StepDefinition,
            tables.StepTransition,
            tables.StepGroup,
            tables.WorkflowExecution,
            tables.StepExecution,
            tables.StepChild,
            tables.Journal,
            tables.JournalEpoch,
        )
    )
}

Row = dict[str, Any]
Rows = dict[str, list[Row]]


class Digits(str):
    """A number that is no integer, as it was written: 1.0 is not 1, and 0.1 is not its nearest binary fraction."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Digits({self})"


def exact_json(text: str | bytes) -> Any:
    """JSON whose `repr` tells 1 from 1.0 and true, and which has no key twice."""
    return json.loads(text, parse_float=Digits, parse_constant=_refused, object_pairs_hook=_unique)


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    assert len(found) == len(pairs), f"a key twice among {[key for key, _ in pairs]}"
    return found


async def load_rows(database: Database, tenants: Collection[str]) -> Rows:
    """Every row that these tenants have, and what is nobody's; times are RFC 3339 texts."""
    return {name: await _load(database, table, tenants) for name, table in TABLES.items()}


async def _load(database: Database, table: Table, tenants: Collection[str]) -> list[Row]:
    shown = [
        cast(column, Text).label(column.name) if _is_json(column) else column for column in table.columns
    ]
    wanted = select(*shown)
    named = {f"tenant_{number}": tenant for number, tenant in enumerate(tenants)}
    if "tenant" in table.c:
        wanted = wanted.where(or_(*(table.c.tenant == bindparam(name) for name in named)))
    found = await database.rows(Statement(wanted), named if "tenant" in table.c else {})
    return [
        {column.name: _plain(column, value) for column, value in zip(table.columns, row, strict=True)}
        for row in found
    ]


def _is_json(column: Column[Any]) -> bool:
    return isinstance(column.type, JSON | Names)


def _plain(column: Column[Any], value: Any) -> Any:
    if value is not None and _is_json(column):
        return exact_json(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)
    return value
