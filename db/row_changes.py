"""Inserting and updating rows: one at a time on any database, all of several tables at once on PostgreSQL."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Table, bindparam, insert, update
from sqlalchemy.types import TypeEngine

from db.statements import Statement, dialect_of


@dataclass(frozen=True, slots=True)
class Insert:
    """Insert rows of these columns."""

    table: Table
    names: tuple[str, ...]

    def each(self) -> Statement:
        """For one row at a time."""
        return Statement(insert(self.table).values({name: bindparam(name) for name in self.names}))

    def together(self, rows: str) -> str:
        """PostgreSQL's text for all rows of a record set called `r`, and whatever is joined to it."""
        names, values = (", ".join(f'{of}"{name}"' for name in self.names) for of in ("", "r."))
        return f"insert into {self.table.name} ({names}) select {values} from {rows}"

    def types(self) -> dict[str, TypeEngine[Any]]:
        """The columns that a row has."""
        return {name: self.table.c[name].type for name in self.names}


@dataclass(frozen=True, slots=True)
class Update:
    """Set these columns of rows that are found by their id, which a row has under `key`."""

    table: Table
    names: tuple[str, ...]

    def each(self) -> Statement:
        """For one row at a time."""
        # `key`: SQLAlchemy keeps the plain column names of an UPDATE for what it sets.
        values = {name: bindparam(name, type_=self.table.c[name].type) for name in self.names}
        return Statement(update(self.table).where(self.table.c.id == bindparam("key")).values(values))

    def together(self, rows: str) -> str:
        """PostgreSQL's text for all rows of a record set called `r`."""
        changes = ", ".join(f'"{name}" = r."{name}"' for name in self.names)
        return f"update {self.table.name} set {changes} from {rows} where {self.table.name}.id = r.key"

    def types(self) -> dict[str, TypeEngine[Any]]:
        """The columns that a row has."""
        return {"key": self.table.c.id.type, **{name: self.table.c[name].type for name in self.names}}


@lru_cache(maxsize=64)
def each_of(change: Insert | Update) -> Statement:
    """A change's statement for one row."""
    return change.each()


@lru_cache(maxsize=512)
def together(changes: tuple[Insert | Update, ...]) -> str:
    """One PostgreSQL statement for several changes of rows, each given its rows as a JSON array: $1, $2, …

    No two of the changes may concern the same row: which would win is not defined.
    """
    texts = [change.together(_record_set(change, number)) for number, change in enumerate(changes, 1)]
    return _one_statement([f"w{number} as ({text})" for number, text in enumerate(texts[:-1])], texts[-1])


@lru_cache(maxsize=512)
def together_at(changes: tuple[Insert | Update, ...]) -> str:
    """The same if a tree stands where it is said to and nobody has locked it: root id $1, revision $2, rows from $3.

    All is joined to the locked root, so nothing is written before it is locked (`live.md` J1). A root that has changed
    since the statement began is looked at again when it is locked, and then not found.
    """
    texts = [
        change.together(f"{_record_set(change, number)}, tree") for number, change in enumerate(changes, 3)
    ]
    withs = [f"w{number} as ({text})" for number, text in enumerate(texts[:-1])]
    return _one_statement([f"tree as ({_LOCK_AT})", *withs], texts[-1])


_LOCK_AT = "select from workflow_execution where id = $1::text and tree_revision = $2::integer for update skip locked"


def _one_statement(before: list[str], last: str) -> str:
    return f"with {', '.join(before)} {last}" if before else last


def _record_set(change: Insert | Update, number: int) -> str:
    dialect = dialect_of("postgresql")
    columns = ", ".join(f'"{name}" {type_.compile(dialect)}' for name, type_ in change.types().items())
    return f"json_to_recordset(${number}::text::json) as r({columns})"
