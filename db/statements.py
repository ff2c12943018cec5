"""Core statements, compiled once per database to the driver's own text (measured: `docs/decisions/0002`).

A command runs on the driver's connection, without SQLAlchemy between; what SQLAlchemy knows (names, types, dialect) is
used once, when the statement is first needed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import orjson
from sqlalchemy import JSON, Dialect
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.expression import Executable
from sqlalchemy.types import TypeEngine, UserDefinedType

from db.columns import Readable

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


def dialect_of(kind: DatabaseKind) -> Dialect:
    """SQLAlchemy's knowledge of a database, as a driver needs it."""
    return _DIALECTS[kind]


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
        return _read(raw, self.readers)


@dataclass(frozen=True, slots=True)
class Statement:
    """A Core statement whose parameters are all named (`bindparam`)."""

    clause: Executable

    def compiled(self, kind: DatabaseKind) -> Compiled:
        """Its text for a driver."""
        return _compile(self, kind)


class Records(UserDefinedType[list[Row]]):
    """Rows of these columns in one value: PostgreSQL's `array_agg(row(…))`, which asyncpg hands out as tuples."""

    cache_ok = True

    def __init__(self, *types: TypeEngine[Any]) -> None:
        self.types = types

    def get_col_spec(self, **_options: Any) -> str:
        return "record[]"

    def reader(self, dialect: Dialect) -> Convert:
        """Each row as domain values, and none as an empty list."""
        readers = [(i, read) for i, type_ in enumerate(self.types) if (read := _reader(type_, dialect))]
        return lambda raw: [_read(record, readers) for record in raw or ()]


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


def _read(raw: Sequence[Any], readers: Sequence[tuple[int, Convert]]) -> Row:
    values = list(raw)
    for index, read in readers:
        values[index] = read(values[index])
    return tuple(values)


def _reader(type_: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    if isinstance(type_, Readable):
        return type_.reader(dialect)
    if isinstance(type_.dialect_impl(dialect), JSON):
        # SQLAlchemy's asyncpg connections have a codec for JSON, the driver's own hand it out as text.
        return lambda raw: None if raw is None else orjson.loads(raw)
    return type_._cached_result_processor(dialect, None)
