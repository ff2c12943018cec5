"""What the database holds, row by row, and writing past the commands."""

from collections.abc import Generator, Mapping
from typing import Any

from sqlalchemy import Table, bindparam, insert, select, update

from db import tables
from db.requests import Fetch, Write
from db.runtime.changes import Change
from db.session import Database
from db.statements import Row, Statement
from db.tables import table_of

TABLES = tuple(
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
    )
)
EXECUTIONS, STEPS, JOURNAL = (
    table_of(model) for model in (tables.WorkflowExecution, tables.StepExecution, tables.Journal)
)

_ROWS = {
    table: Statement(
        select(*table.columns)
        .where(table.c.tenant == bindparam("tenant"))
        .order_by(*table.primary_key.columns)
    )
    for table in TABLES
}
_JOURNAL_OF = Statement(
    select(*JOURNAL.columns).where(JOURNAL.c.root_id == bindparam("root_id")).order_by(JOURNAL.c.revision)
)


def _named(table: Table, row: Row) -> dict[str, Any]:
    return dict(zip(table.columns.keys(), row, strict=True))


async def rows_of(database: Database, table: Table, tenant: str) -> list[dict[str, Any]]:
    """A tenant's rows of one table, by primary key."""
    return [_named(table, row) for row in await database.rows(_ROWS[table], {"tenant": tenant})]


async def everything(database: Database, tenant: str) -> dict[str, list[dict[str, Any]]]:
    """All rows that a tenant has."""
    return {table.name: await rows_of(database, table, tenant) for table in TABLES}


async def row_by_id(database: Database, table: Table, id_: str) -> dict[str, Any]:
    """One row."""
    statement = Statement(select(*table.columns).where(table.c.id == bindparam("id")))
    (row,) = await database.rows(statement, {"id": id_})
    return _named(table, row)


async def journal_of(database: Database, root_id: str) -> list[dict[str, Any]]:
    """A tree's journal by revision."""
    return [_named(JOURNAL, row) for row in await database.rows(_JOURNAL_OF, {"root_id": root_id})]


def change_of(row: Mapping[str, Any]) -> Change:
    """A journal row as the runtime's change."""
    names = Change.__dataclass_fields__
    return Change(**{name: row[name] for name in names})


def written(*writes: Write) -> Generator[Fetch | Write, list[Row], None]:
    """A script that only writes."""
    for write in writes:  # noqa: UP028  # a tuple's iterator takes nothing that is sent
        yield write


async def set_columns(database: Database, table: Table, id_: str, **values: Any) -> None:
    """Change one row by hand."""
    changes = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in values}
    statement = Statement(update(table).where(table.c.id == bindparam("row_id")).values(changes))
    await database.transact(
        written(Write(statement, [{"row_id": id_, **{f"new_{name}": v for name, v in values.items()}}]))
    )


async def insert_row(database: Database, table: Table, row: Mapping[str, Any]) -> None:
    """Insert one row by hand."""
    statement = Statement(insert(table).values({name: bindparam(name) for name in row}))
    await database.transact(written(Write(statement, [dict(row)])))
