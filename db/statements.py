"""Core statements, compiled once per database to the driver's own text (measured: `docs/decisions/0002`).

A command runs on the driver's connection, without SQLAlchemy between; what SQLAlchemy knows (names, types, dialect) is
used once, when the statement is first needed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import orjson
from sqlalchemy import JSON, Dialect, Table, TypeDecorator, bindparam, insert, update
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.expression import Executable
from sqlalchemy.types import TypeEngine

from db.runtime.expressions import EvaluationRequest

DatabaseKind = Literal["sqlite", "postgresql"]
Row = tuple[Any, ...]
Convert = Callable[[Any], Any]


def _json_text(value: Any) -> str:
    return orjson.dumps(value).decode()


_DIALECTS: Mapping[DatabaseKind, Dialect] = {
    "sqlite": SQLiteDialect_pysqlite(json_serializer=_json_text, json_deserializer=orjson.loads),
    "postgresql": PGDialect_asyncpg(  # type: ignore[no-untyped-call]  # SQLAlchemy's
        json_serializer=_json_text, json_deserializer=orjson.loads
    ),
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement's text for one driver, and how values go in and rows come out."""

    text: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]
    binders: tuple[tuple[int, Convert], ...]
    readers: tuple[tuple[int, Convert], ...]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Values in the text's order, as the driver takes them."""
        given = {**self.constants, **values} if self.constants else values
        arguments = [given[name] for name in self.names]
        for index, bind in self.binders:
            arguments[index] = bind(arguments[index])
        return arguments

    def row(self, raw: Sequence[Any]) -> Row:
        """A driver's row as domain values."""
        values = list(raw)
        for index, read in self.readers:
            values[index] = read(values[index])
        return tuple(values)


@dataclass(frozen=True, slots=True)
class Statement:
    """A Core statement whose parameters are all named (`bindparam`)."""

    clause: Executable

    def compiled(self, kind: DatabaseKind) -> Compiled:
        """Its text for a driver."""
        return _compile(self, kind)


@lru_cache(maxsize=512)
def _compile(statement: Statement, kind: DatabaseKind) -> Compiled:
    dialect = _DIALECTS[kind]
    compiled = statement.clause.compile(dialect=dialect)  # type: ignore[attr-defined]  # every Core statement has it
    names = tuple(compiled.positiontup or ())
    types = [compiled.binds[name].type for name in names]
    binders = [(i, type_._cached_bind_processor(dialect)) for i, type_ in enumerate(types)]
    columns = [entry[3] for entry in compiled._result_columns]
    readers = [(i, _reader(type_, dialect)) for i, type_ in enumerate(columns)]
    return Compiled(
        text=str(compiled),
        names=names,
        constants={name: bind.value for name, bind in compiled.binds.items() if not bind.required},
        binders=tuple((i, bind) for i, bind in binders if bind),
        readers=tuple((i, read) for i, read in readers if read),
    )


def _reader(type_: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    if isinstance(type_, TypeDecorator):
        inner = _reader(type_.load_dialect_impl(dialect), dialect)
        outer = type_.process_result_value
        return lambda raw: outer(inner(raw) if inner else raw, dialect)
    if isinstance(type_.dialect_impl(dialect), JSON):
        # SQLAlchemy's asyncpg connections have a codec for JSON, the driver's own hand it out as text.
        return lambda raw: None if raw is None else orjson.loads(raw)
    return type_._cached_result_processor(dialect, None)


@dataclass(frozen=True, slots=True)
class Fetch:
    """Run a statement; its rows are sent back."""

    statement: Statement
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Write:
    """Run a statement once for each of these values; nothing is sent back."""

    statement: Statement
    many: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Insert:
    """Insert rows of these columns."""

    table: Table
    names: tuple[str, ...]

    def each(self) -> Statement:
        """For one row at a time."""
        return Statement(insert(self.table).values({name: bindparam(name) for name in self.names}))

    def together(self, rows: str) -> str:
        """PostgreSQL's text for all rows of a record set called `r`."""
        names = ", ".join(f'"{name}"' for name in self.names)
        return f"insert into {self.table.name} ({names}) select {names} from {rows}"

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
    *before, last = texts
    withs = ", ".join(f"w{number} as ({text})" for number, text in enumerate(before))
    return f"with {withs} {last}" if before else last


def _record_set(change: Insert | Update, number: int) -> str:
    dialect = _DIALECTS["postgresql"]
    columns = ", ".join(f'"{name}" {type_.compile(dialect)}' for name, type_ in change.types().items())
    return f"json_to_recordset(${number}::text::json) as r({columns})"


@dataclass(frozen=True, slots=True)
class WriteRows:
    """Insert and update rows of several tables, in one round trip where the database can; nothing is sent back."""

    changes: Sequence[tuple[Insert | Update, Sequence[Mapping[str, Any]]]]


@dataclass(frozen=True, slots=True)
class Ask:
    """Evaluate expressions; a list of their outcomes is sent back."""

    requests: Sequence[EvaluationRequest]


# What a transaction's logic, the same for both databases, may ask for; it is sent the answer.
Request = Fetch | Write | WriteRows | Ask
