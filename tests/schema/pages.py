"""Pages of the reference: slices of a sorted list. Which page is refused: `refusals.py`."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.schema.rows import Row

Keys = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is ordered by: its name stands in cursors, its keys are columns."""

    name: str
    columns: tuple[str, ...]
    is_descending: bool

    def keys(self, row: Row) -> Keys:
        """A row's keys."""
        return tuple(row[column] for column in self.columns)

    def is_past(self, row: Row, cursor: Keys) -> bool:
        """Whether a row comes after a cursor's place."""
        keys = self.keys(row)
        return keys < cursor if self.is_descending else keys > cursor


NEWEST_FIRST = Order("createdAt", ("created_at", "id"), is_descending=True)
BY_INDEX = Order("childIndex", ("child_index", "id"), is_descending=False)
# Of one tree the same as by revision (J1, J4).
AS_COMMITTED = Order("journal", ("xid", "position"), is_descending=False)


def page(
    rows: list[Row], order: Order, arguments: Mapping[str, Any], cursor_of: Callable[[Order, Row], str]
) -> Row:
    """One page of rows as a connection; the arguments are right."""
    ordered = sorted(rows, key=order.keys, reverse=order.is_descending)
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
    match content:
        case ["createdAt", str(at), str(id_)]:
            return order is NEWEST_FIRST and _is_time(at) and _is_storable(id_)
        case ["childIndex", int(index), str(id_)]:
            return order is BY_INDEX and type(index) is int and abs(index) < 2**63 and _is_storable(id_)
        case ["journal", str(epoch), int(xid), int(position)]:
            numbers = (xid, position)
            fit = all(type(number) is int and 0 <= number < 2**63 for number in numbers)
            return order is AS_COMMITTED and fit and _is_storable(epoch)
    return False


def _is_storable(text: str) -> bool:
    return not re.search("[\0\ud800-\udfff]", text)


def _is_time(text: str) -> bool:
    try:
        time = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return f"{time:%Y-%m-%dT%H:%M:%S.%fZ}".zfill(27) == text
