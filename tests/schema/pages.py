"""Orders and pages of the reference: slices of a sorted list. Which page is refused: `refusals.py`."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.schema.rows import Row

Keys = tuple[Any, ...]
# What a cursor holds where the row holds null, in an order that ascends and in one that descends.
LAST, LAST_DESCENDING = "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00.000000Z"
_TIMES = {"created_at", "started_at", "last_activity_at", "completed_at", "due_at"}


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is ordered by: its name stands in cursors, its keys are columns and whether they descend."""

    name: str
    columns: tuple[tuple[str, bool], ...]

    def keys(self, row: Row) -> Keys:
        """A row's keys; never null."""
        return tuple(
            (LAST_DESCENDING if is_descending else LAST) if row[column] is None else row[column]
            for column, is_descending in self.columns
        )

    def sorted(self, rows: list[Row]) -> list[Row]:
        """The rows in this order, nulls last."""
        for column, is_descending in reversed(self.columns):
            empty = [row for row in rows if row[column] is None]
            full = [row for row in rows if row[column] is not None]
            rows = sorted(full, key=lambda row: row[column], reverse=is_descending) + empty
        return rows

    def is_past(self, row: Row, cursor: Keys) -> bool:
        """Whether a row comes after a cursor's place."""
        for mine, theirs, (_, is_descending) in zip(self.keys(row), cursor, self.columns, strict=True):
            if mine != theirs:
                return bool(mine < theirs) is is_descending
        return False


NEWEST_FIRST = Order("createdAt", (("created_at", True), ("id", True)))
BY_INDEX = Order("childIndex", (("child_index", False), ("id", False)))
FIRST_STARTED = Order("startedAt", (("started_at", False), ("id", False)))
# Of one tree the same as by revision (J1, J4).
AS_COMMITTED = Order("journal", (("xid", False), ("position", False)))
_OWN = {
    "childWorkflowExecutions": BY_INDEX,
    "workflowStepExecutions": FIRST_STARTED,
    "changes": AS_COMMITTED,
}


def order_of(field: str, arguments: Mapping[str, Any]) -> Order:
    """The order of a list: its own, or the one that is asked for, where what is named first counts."""
    own = _OWN.get(field, NEWEST_FIRST)
    wanted: dict[str, bool] = {}
    for key in arguments.get("orderBy") or ():
        wanted.setdefault(key["field"].lower(), key["direction"] == "DESC")
    if not wanted:
        return own
    columns = (*wanted.items(), ("id", [*wanted.values()][-1]))
    if columns == own.columns:
        return own
    name = ",".join(f"{column} {'desc' if is_descending else 'asc'}" for column, is_descending in columns)
    return Order(name, columns)


def page(
    rows: list[Row], order: Order, arguments: Mapping[str, Any], cursor_of: Callable[[Order, Row], str]
) -> Row:
    """One page of rows as a connection; the arguments are right."""
    ordered = order.sorted(rows)
    after, before = (_decoded(arguments.get(name)) for name in ("after", "before"))
    start = len([row for row in ordered if after is not None and not order.is_past(row, after)])
    stop = len([row for row in ordered if before is None or _is_ahead(order, row, before)])
    window = ordered[start:stop]
    first, last = arguments.get("first"), arguments.get("last")
    if last is not None:
        shown = window[max(0, len(window) - last) :]
        begin = stop - len(shown)
    else:
        shown = window[: 50 if first is None else first]
        begin = start
    edges = [{"cursor": cursor_of(order, row), "node": row} for row in shown]
    return {
        "edges": edges,
        "nodes": shown,
        "totalCount": len(rows),
        "pageInfo": {
            "hasPreviousPage": begin > 0,
            "hasNextPage": begin + len(shown) < len(ordered),
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
        },
    }


def _is_ahead(order: Order, row: Row, cursor: Keys) -> bool:
    return not order.is_past(row, cursor) and order.keys(row) != cursor


def _decoded(cursor: str | None) -> Keys | None:
    if cursor is None:
        return None
    tag, *keys = json.loads(bytes.fromhex(cursor))
    return tuple(keys[1:] if tag == AS_COMMITTED.name else keys)


def is_cursor(order: Order, text: str) -> bool:
    """Whether a list in this order may have given out a cursor."""
    try:
        content = json.loads(bytes.fromhex(text))
    except ValueError:
        return False
    if not isinstance(content, list) or not content or content[0] != order.name:
        return False
    columns = [column for column, _ in order.columns]
    if order is AS_COMMITTED:
        columns = ["epoch", *columns]
    return len(content) == len(columns) + 1 and all(map(_is_key, columns, content[1:]))


def _is_key(column: str, key: Any) -> bool:
    if column in _TIMES:
        return isinstance(key, str) and _is_time(key)
    if column == "child_index":
        return type(key) is int and abs(key) < 2**63
    if column in ("xid", "position"):
        return type(key) is int and 0 <= key < 2**63
    return isinstance(key, str) and _is_storable(key)


def _is_storable(text: str) -> bool:
    return not re.search("[\0\ud800-\udfff]", text)


def _is_time(text: str) -> bool:
    try:
        time = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return f"{time:%Y-%m-%dT%H:%M:%S.%fZ}".zfill(27) == text
