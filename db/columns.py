"""Column types that mean the same on SQLite and PostgreSQL."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import orjson
from sqlalchemy import JSON, ColumnElement, DateTime, Dialect, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeEngine

from db.runtime.moments import timestamp_text

# What null counts as in an order that ascends and in one that descends: it comes last in both.
LAST_MOMENT, FIRST_MOMENT = "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00.000000Z"


def text_type() -> TypeEngine[str]:
    """Text that both databases compare by code point."""
    return Text().with_variant(Text(collation="C"), "postgresql")


class TextJSON(JSON):
    """JSON in a column of text: SQLite would take one that is declared JSON for a number's, and keep 1.0 as 1."""


@compiles(TextJSON, "sqlite")
def _text(_type: TextJSON, _compiler: Any, **_options: Any) -> str:
    return "TEXT"


def json_type() -> TypeEngine[Any]:
    """JSON that is searched (`jsonb`); key order is not kept."""
    return TextJSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def document_type() -> TypeEngine[Any]:
    """JSON that is only shown: kept as it was written, key order included."""
    return TextJSON(none_as_null=True)


@runtime_checkable
class Readable(Protocol):
    """A type that says how a driver's value is read, once per statement rather than once per value."""

    def reader(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """What turns the driver's value into ours; None where it is that already."""


class Timestamp(TypeDecorator[datetime]):
    """An aware UTC datetime: `timestamptz` on PostgreSQL, RFC 3339 text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return timestamp_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return datetime.fromisoformat(value) if isinstance(value, str) else value

    def reader(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        if dialect.name != "sqlite":
            return None
        return lambda raw: None if raw is None else datetime.fromisoformat(raw)


class Label(TypeDecorator[StrEnum]):
    """A `StrEnum` stored by its value (SQLAlchemy's own `Enum` stores the member's name)."""

    impl = Text
    cache_ok = True

    def __init__(self, labels: type[StrEnum]) -> None:
        super().__init__()
        self.labels = labels

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        # Not the dialect's own descriptor, which Alembic would read as VARCHAR.
        return Text(collation="C") if dialect.name == "postgresql" else Text()

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.labels(value)

    def reader(self, _: Dialect) -> Callable[[Any], Any]:
        labels: dict[str | None, StrEnum | None] = {str(label): label for label in self.labels}
        labels[None] = None
        return labels.__getitem__


class Names(TypeDecorator[tuple[str, ...]]):
    """A tuple of names, stored as a JSON array."""

    impl = TextJSON
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else tuple(value)

    def reader(self, _: Dialect) -> Callable[[Any], Any]:
        return lambda raw: None if raw is None else tuple(orjson.loads(raw))


class NeverNull(ColumnElement[Any]):
    """A column of moments in an index, with another in the place of null; lists compare by the same words."""

    inherit_cache = False

    def __init__(self, column: str, otherwise: str) -> None:
        self.column = column
        self.otherwise = otherwise


@compiles(NeverNull)
def _never_null(element: NeverNull, _compiler: Any, **_options: Any) -> str:
    return f"coalesce({element.column}, '{element.otherwise}')"


@compiles(NeverNull, "postgresql")
def _never_null_on_postgresql(element: NeverNull, _compiler: Any, **_options: Any) -> str:
    return f"coalesce({element.column}, timestamptz '{element.otherwise}')"


def one_of(column: str, labels: Sequence[str] | type[StrEnum]) -> str:
    """The text of a CHECK: `column` holds one of these."""
    return f"{column} in ({', '.join(repr(str(label)) for label in labels)})"
