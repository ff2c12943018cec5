"""A live page as it was at one moment, and what differs between two of them (`live.md` H6)."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple

import orjson
import strawberry

from schema.describing import describe_values

KEPT_DIFFERENCES: Final = 4
NO_ENTRIES: Final = "[]"


@strawberry.enum(description="What happened to an entry of a live list.")
class ListEventKind(Enum):
    INITIAL = "INITIAL"
    ENTER = "ENTER"
    UPDATE = "UPDATE"
    LEAVE = "LEAVE"


describe_values(ListEventKind)


class ListRow(NamedTuple):
    """What is kept of a row: its id and revision, whose change may change it, and what tells that it did.

    `owner` is the execution that a change of it names, `root` its tree where all changes of that matter, else None;
    `mark` is the revision of all that is shown of it.
    """

    id: str
    revision: int
    owner: str
    root: str | None
    mark: int


class ListEntry(NamedTuple):
    """What a client is told of a row; `place` None: it has none any more."""

    kind: ListEventKind
    id: str
    place: int | None
    revision: int


@dataclass(frozen=True, slots=True, eq=False)
class ListPage:
    """The rows of a page in order, as they were read; `number` is its own in this process."""

    number: int
    epoch: str
    rows: tuple[ListRow, ...]
    _since: dict[int, str] = field(default_factory=dict)

    def since(self, earlier: "ListPage | None") -> str:
        """The entries that make this page of an earlier one, as a JSON array; made once for all who ask within a while."""
        number = earlier.number if earlier else 0
        if number not in self._since:
            if len(self._since) >= KEPT_DIFFERENCES:
                del self._since[next(iter(self._since))]
            self._since[number] = _encode(difference(earlier, self))
        return self._since[number]


def difference(earlier: ListPage | None, page: ListPage) -> list[ListEntry]:
    """What makes a page of an earlier one, or of nothing.

    To fold it: take out every row that an entry names, then put each that has a place in at it, in the order given.
    """
    if earlier is None:
        return _placed(page, lambda _: ListEventKind.INITIAL)
    before = {row.id: (place, row) for place, row in enumerate(earlier.rows)}
    now = {row.id for row in page.rows}
    left = [row for row in earlier.rows if row.id not in now]
    # A revision of another history says nothing.
    known = earlier.rows if earlier.epoch == page.epoch else ()
    unchanged = set(known)
    kept = [row.id for row in page.rows if row in unchanged]
    still = {kept[index] for index in longest_ascent([before[id_][0] for id_ in kept])}

    def kind(row: ListRow) -> ListEventKind | None:
        if row.id in still:
            return None
        return ListEventKind.UPDATE if row.id in before else ListEventKind.ENTER

    leaving = [ListEntry(ListEventKind.LEAVE, row.id, None, row.revision) for row in left]
    return [*leaving, *_placed(page, kind)]


def _placed(page: ListPage, kind: Callable[[ListRow], ListEventKind | None]) -> list[ListEntry]:
    entries = []
    for place, row in enumerate(page.rows):
        told = kind(row)
        if told is not None:
            entries.append(ListEntry(told, row.id, place, row.revision))
    return entries


def _encode(entries: Iterable[ListEntry]) -> str:
    return orjson.dumps([{**each._asdict(), "kind": each.kind.value} for each in entries]).decode()


def longest_ascent(numbers: Sequence[int]) -> Collection[int]:
    """The indices of a longest ascending subsequence of different numbers."""
    ends: list[int] = []  # the least number that ends an ascent of each length
    indices: list[int] = []
    previous: list[int | None] = []
    for index, number in enumerate(numbers):
        length = bisect_left(ends, number)
        previous.append(indices[length - 1] if length else None)
        ends[length:] = [number, *ends[length + 1 :]]
        indices[length:] = [index, *indices[length + 1 :]]
    found: list[int] = []
    last = indices[-1] if indices else None
    while last is not None:
        found.append(last)
        last = previous[last]
    return found
