"""What the databases spell differently in Core statements."""

from typing import Any

from sqlalchemy import JSON, BigInteger, BindParameter, ColumnElement, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


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
