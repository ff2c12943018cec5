"""What a client does with the events of a live list."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def folded(page: Sequence[Any], entries: Iterable[Mapping[str, Any]]) -> list[Any]:
    """The page after an event, as the schema tells to fold it: entries by `id`, each in its place."""
    told = list(entries)
    named = {entry["id"] for entry in told}
    rows = [row for row in page if row["id"] not in named]
    for entry in told:
        if entry["index"] is not None:
            assert entry["index"] <= len(rows), "no place is left open"
            rows.insert(entry["index"], entry)
    return rows
