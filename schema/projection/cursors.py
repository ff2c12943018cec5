"""Cursors: hex of the JSON array `[order, keys…]`. Opaque to clients, checked when they come back."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Integer, Table
from sqlalchemy.types import TypeEngine

from db.columns import FIRST_MOMENT, LAST_MOMENT, Label, Timestamp
from db.runtime.json_values import is_storable
from schema.projection.arguments import BadUserInput
from schema.projection.declare import Order
from schema.projection.rows import Row
from schema.projection.spelling import Spelling

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


@dataclass(frozen=True, slots=True)
class Key:
    """A column of an order."""

    column: str
    kind: str
    descending: bool
    nullable: bool

    def sql(self, row: Row, spelling: Spelling) -> str:
        """The column as it is compared: never null."""
        if not self.nullable:
            return row[self.column]
        assert self.kind == "time", f"{self.column} has no value that comes last"
        return f"coalesce({row[self.column]}, {spelling.instant(FIRST_MOMENT if self.descending else LAST_MOMENT)})"


class Keys:
    """An order, as SQL and as a cursor's content."""

    def __init__(self, name: str, keys: Sequence[Key], spelling: Spelling) -> None:
        self._name = name
        self._keys = keys
        self._spelling = spelling
        self.kinds = [key.kind for key in keys]

    def order_by(self, row: Row, *, backward: bool) -> str:
        """The order, or its reverse."""
        directions = ["desc" if key.descending is not backward else "asc" for key in self._keys]
        pairs = zip(self._values(row), directions, strict=True)
        return ", ".join(f"{value} {direction}" for value, direction in pairs)

    def beyond(self, row: Row, placeholders: Sequence[str], *, after: bool) -> str:
        """The rows strictly after (or before) the keys, in the order."""
        return self._compared(row, placeholders, after=after, or_equal=False)

    def not_beyond(self, row: Row, placeholders: Sequence[str], *, after: bool) -> str:
        """All other rows; no `not`, of which an index knows nothing."""
        return self._compared(row, placeholders, after=not after, or_equal=True)

    def _compared(self, row: Row, placeholders: Sequence[str], *, after: bool, or_equal: bool) -> str:
        signs = ["<" if key.descending is after else ">" for key in self._keys]
        values, end = self._values(row), "=" if or_equal else ""
        if len(set(signs)) == 1:
            return f"({', '.join(values)}) {signs[0]}{end} ({', '.join(placeholders)})"
        (value, sign, placeholder), *rest = zip(values, signs, placeholders, strict=True)
        # The first comparison repeats what the second says, in a way that an index serves.
        return f"{value} {sign}= {placeholder} and {_lexicographic([(value, sign, placeholder), *rest], end)}"

    def cursor(self, row: Row) -> str:
        """A row's cursor as SQL."""
        values = zip(self._values(row), self.kinds, strict=True)
        shown = [self._spelling.key(value, is_time=kind == "time") for value, kind in values]
        return self._spelling.cursor(self._name, shown)

    def decode(self, argument: str, cursor: str) -> list[Any]:
        """A cursor's keys; raises `BadUserInput` for anything that this order has not given out."""
        return keys_of(argument, cursor, self._name, [_FITS[kind] for kind in self.kinds])

    def _values(self, row: Row) -> list[str]:
        return [key.sql(row, self._spelling) for key in self._keys]


def _lexicographic(compared: Sequence[tuple[str, str, str]], end: str) -> str:
    (value, sign, placeholder), *rest = compared
    if not rest:
        return f"{value} {sign}{end} {placeholder}"
    inner = _lexicographic(rest, end)
    return f"({value} {sign} {placeholder} or {value} = {placeholder} and {inner})"


def keys_of(argument: str, cursor: str, name: str, fits: Sequence[Callable[[object], bool]]) -> list[Any]:
    """What a cursor of the order `name` holds, each key fit for its place; raises `BadUserInput`."""
    try:
        tag, *keys = list(orjson.loads(bytes.fromhex(cursor)))
    except (ValueError, TypeError):
        tag, keys = None, []
    if (
        tag != name
        or len(keys) != len(fits)
        or not all(fit(key) for fit, key in zip(fits, keys, strict=True))
    ):
        raise BadUserInput(f"{argument} is not a cursor of this list.")
    return keys


def own_keys(order: Order, table: Table, spelling: Spelling) -> Keys:
    """The order that a list has by itself."""
    keys = [
        Key(name, kind_of(table.c[name].type), order.descending, name in order.nullable)
        for name in order.columns
    ]
    return Keys(order.name, keys, spelling)


def chosen_keys(chosen: Sequence[tuple[str, bool]], own: Order, table: Table, spelling: Spelling) -> Keys:
    """The order that a request asks for, by columns and whether they descend; it ends like its last key, by id."""
    directions: dict[str, bool] = {}
    for column, descending in chosen:
        directions.setdefault(column, descending)
    directions.setdefault("id", list(directions.values())[-1])
    if directions == dict.fromkeys(own.columns, own.descending):
        return own_keys(own, table, spelling)
    name = ",".join(
        f"{column} {'desc' if descending else 'asc'}" for column, descending in directions.items()
    )
    keys = [
        Key(column, kind_of(table.c[column].type), descending, bool(table.c[column].nullable))
        for column, descending in directions.items()
    ]
    return Keys(name, keys, spelling)


def kind_of(type_: TypeEngine[Any]) -> str:
    """How a column is compared: `time`, `bigint`, `text`, or `label` for a member of an enum."""
    if isinstance(type_, Timestamp):
        return "time"
    if isinstance(type_, Label):
        return "label"
    return "bigint" if isinstance(type_, Integer) else "text"


def _is_number(key: object) -> bool:
    return isinstance(key, int) and not isinstance(key, bool) and abs(key) < 2**63


def is_text(key: object) -> bool:
    """Whether a key may be compared with a text."""
    return isinstance(key, str) and is_storable(key)


def _is_time(text: object) -> bool:
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


_FITS = {"text": is_text, "bigint": _is_number, "time": _is_time}
