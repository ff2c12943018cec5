"""What the databases spell differently in Core statements."""

from typing import Any

from sqlalchemy import JSON, BigInteger, BindParameter, ColumnElement, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from db.columns import Timestamp


class OneOf(ColumnElement[bool]):
    """Whether a column holds one of the texts of a list, one parameter that is bound under `name`."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[str], name: str) -> None:
        self.column = column
        self.texts: BindParameter[Any] = bindparam(name, type_=JSON())


@compiles(OneOf, "sqlite")
def _sqlite(element: OneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = compiler.process(element.column, **options), compiler.process(element.texts, **options)
    return f"{column} IN (SELECT value FROM json_each({texts}))"


@compiles(OneOf, "postgresql")
def _postgresql(element: OneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = compiler.process(element.column, **options), compiler.process(element.texts, **options)
    return f"{column} IN (SELECT json_array_elements_text({texts}))"


class Later(ColumnElement[Any]):
    """The time so many seconds from now, by the database's clock."""

    inherit_cache = False

    def __init__(self, seconds: ColumnElement[int]) -> None:
        self.seconds = seconds
        self.type = Timestamp()


@compiles(Later, "sqlite")
def _later_sqlite(element: Later, compiler: SQLCompiler, **options: Any) -> str:
    return f"clock_timestamp({compiler.process(element.seconds, **options)})"


@compiles(Later, "postgresql")
def _later_postgresql(element: Later, compiler: SQLCompiler, **options: Any) -> str:
    return f"(clock_timestamp() + {compiler.process(element.seconds, **options)} * interval '1 second')"


class JSONRows(FunctionElement[Any]):
    """All rows of a query as one JSON array, each an array of these columns; null or empty where there are none."""

    type = JSON()
    inherit_cache = True


@compiles(JSONRows, "sqlite")
def _json_rows_sqlite(element: JSONRows, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **options)}))"


@compiles(JSONRows, "postgresql")
def _json_rows_postgresql(element: JSONRows, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_agg(json_build_array({compiler.process(element.clauses, **options)}))"


class Settled(ColumnElement[bool]):
    """Whether the transaction that wrote a row, and every one before it, has ended (`live.md` J4)."""

    inherit_cache = False

    def __init__(self, xid: ColumnElement[int]) -> None:
        self.xid = xid


@compiles(Settled, "sqlite")
def _settled_sqlite(_element: Settled, _compiler: SQLCompiler, **_options: Any) -> str:
    return "1 = 1"  # one writer: what can be read is in order


@compiles(Settled, "postgresql")
def _settled_postgresql(element: Settled, compiler: SQLCompiler, **options: Any) -> str:
    xid = compiler.process(element.xid, **options)
    return f"{xid} < (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint)"


class OldestWriter(ColumnElement[int]):
    """The oldest transaction that may still write: what those below it have written can be read (`live.md` J4)."""

    inherit_cache = False
    type = BigInteger()


@compiles(OldestWriter, "sqlite")
def _oldest_writer_sqlite(_element: OldestWriter, _compiler: SQLCompiler, **_options: Any) -> str:
    return "1"  # rows have 0 for their transaction


@compiles(OldestWriter, "postgresql")
def _oldest_writer_postgresql(_element: OldestWriter, _compiler: SQLCompiler, **_options: Any) -> str:
    return "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
