"""Cursors: hex of the JSON array `[order, keys…]`. Opaque to clients, checked when they come back."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Integer, Table
from sqlalchemy.types import TypeEngine

from db.columns import Timestamp
from schema.projection.arguments import BadUserInput, is_storable
from schema.projection.declare import Order
from schema.projection.rows import Row
from schema.projection.spelling import Spelling

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


class Keys:
    """The columns of an order, as SQL and as a cursor's content."""

    def __init__(self, order: Order, table: Table) -> None:
        self._order = order
        self.columns = order.columns
        self.kinds = [_kind_of(table.c[name].type) for name in order.columns]

    def order_by(self, row: Row, *, backward: bool) -> str:
        """The order, or its reverse."""
        word = "desc" if self._order.descending is not backward else "asc"
        return ", ".join(f"{row[name]} {word}" for name in self.columns)

    def beyond(self, row: Row, placeholders: Sequence[str], *, after: bool) -> str:
        """The rows strictly after (or before) the keys, in the order."""
        return self._compared(row, "<" if self._order.descending is after else ">", placeholders)

    def not_beyond(self, row: Row, placeholders: Sequence[str], *, after: bool) -> str:
        """All other rows; no `not`, of which an index knows nothing."""
        return self._compared(row, ">=" if self._order.descending is after else "<=", placeholders)

    def _compared(self, row: Row, sign: str, placeholders: Sequence[str]) -> str:
        return f"({', '.join(row[name] for name in self.columns)}) {sign} ({', '.join(placeholders)})"

    def cursor(self, spelling: Spelling, row: Row) -> str:
        """A row's cursor as SQL."""
        keys = [
            spelling.key(row[name], is_time=kind == "time")
            for name, kind in zip(self.columns, self.kinds, strict=True)
        ]
        return spelling.cursor(self._order.name, keys)

    def decode(self, argument: str, cursor: str) -> list[Any]:
        """A cursor's keys; raises `BadUserInput` for anything that this order has not given out."""
        try:
            tag, *keys = list(orjson.loads(bytes.fromhex(cursor)))
        except (ValueError, TypeError):
            tag, keys = None, []
        if tag != self._order.name or len(keys) != len(self.kinds) or not self._fit(keys):
            raise BadUserInput(f"{argument} is not a cursor of this list.")
        return keys

    def _fit(self, keys: Sequence[object]) -> bool:
        return all(_FITS[kind](key) for key, kind in zip(keys, self.kinds, strict=True))


def _kind_of(type_: TypeEngine[Any]) -> str:
    if isinstance(type_, Timestamp):
        return "time"
    return "bigint" if isinstance(type_, Integer) else "text"


def _is_number(key: object) -> bool:
    return isinstance(key, int) and not isinstance(key, bool) and abs(key) < 2**63


def _is_text(key: object) -> bool:
    return isinstance(key, str) and is_storable(key)


def _is_time(text: object) -> bool:
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


_FITS = {"text": _is_text, "bigint": _is_number, "time": _is_time}
