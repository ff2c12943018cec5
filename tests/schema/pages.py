"""Pages of the reference: slices of a sorted list. Which page is refused: `refusals.py`."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.schema.rows import Row

Keys = tuple[str, str]


def page(rows: list[Row], arguments: Mapping[str, Any], cursor_of: Callable[[Row], str]) -> Row:
    """One page of rows as a connection, newest first; the arguments are right."""
    ordered = sorted(rows, key=_keys, reverse=True)
    after, before = (_decoded(arguments.get(name)) for name in ("after", "before"))
    start = len([row for row in ordered if after is not None and _keys(row) >= after])
    stop = len([row for row in ordered if before is None or _keys(row) > before])
    window = ordered[start:stop]
    first, last = arguments.get("first"), arguments.get("last")
    if last is not None:
        shown = window[max(0, len(window) - last) :]
        begin = stop - len(shown)
    else:
        shown = window[: 50 if first is None else first]
        begin = start
    edges = [{"cursor": cursor_of(row), "node": row} for row in shown]
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


def _keys(row: Row) -> Keys:
    return row["created_at"], row["id"]


def _decoded(cursor: str | None) -> Keys | None:
    if cursor is None:
        return None
    _, at, id_ = json.loads(bytes.fromhex(cursor))
    return at, id_


def is_cursor(text: str) -> bool:
    """Whether a list ordered by time and id may have given out this cursor."""
    try:
        content = json.loads(bytes.fromhex(text))
    except ValueError:
        return False
    match content:
        case ["createdAt", str(at), str(id_)]:
            return _is_time(at) and not re.search("[\0\ud800-\udfff]", id_)
    return False


def _is_time(text: str) -> bool:
    try:
        time = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return f"{time:%Y-%m-%dT%H:%M:%S.%fZ}".zfill(27) == text
