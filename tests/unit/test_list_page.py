"""What is told of a page that has changed makes the page that it has become (`live.md` H6)."""

from itertools import combinations

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.streams.list_page import (
    KEPT_DIFFERENCES,
    NO_ENTRIES,
    ListPage,
    ListRow,
    difference,
    longest_ascent,
)
from tests.folding import folded

IDS = "abcdefgh"


def row(id_: str, mark: int = 1) -> ListRow:
    return ListRow(id_, mark, id_, None, mark)


def page(text: str, number: int = 1, epoch: str = "e") -> ListPage:
    """A page of these rows; a capital letter is the row after a change."""
    return ListPage(number, epoch, tuple(row(each.lower(), 1 + each.isupper()) for each in text))


def told(earlier: str, later: str) -> list[str]:
    """The entries in short: `+b1` came to place 1, `~b1` changed or moved to it, `-b` left."""
    signs = {"ENTER": "+", "UPDATE": "~", "LEAVE": "-"}
    entries = difference(page(earlier), page(later))
    return [
        f"{signs[each.kind.value]}{each.id}{'' if each.place is None else each.place}" for each in entries
    ]


def entries_of(earlier: ListPage | None, later: ListPage) -> list[dict[str, object]]:
    return [
        {"id": each.id, "index": each.place, "revision": each.revision, "kind": each.kind.value}
        for each in difference(earlier, later)
    ]


def test_h6_only_what_moved_is_told() -> None:
    assert told("abc", "abc") == []
    assert told("abc", "xabc") == ["+x0"]
    assert told("abc", "xab") == ["-c", "+x0"]
    assert told("abc", "ab") == ["-c"]
    assert told("abc", "aBc") == ["~b1"]
    assert told("abcde", "eabcd") == ["~e0"]
    assert told("abcde", "bcdea") == ["~a4"]
    assert told("abc", "Cab") == ["~c0"]
    assert told("ab", "") == ["-a", "-b"]


def test_h6_a_row_that_left_has_its_last_revision_and_no_place() -> None:
    (left,) = entries_of(page("A"), page(""))
    assert left == {"id": "a", "index": None, "revision": 2, "kind": "LEAVE"}


def test_h6_the_first_event_has_every_row_and_an_empty_page_none() -> None:
    assert [(each["kind"], each["id"], each["index"]) for each in entries_of(None, page("ab"))] == [
        ("INITIAL", "a", 0),
        ("INITIAL", "b", 1),
    ]
    assert page("").since(None) == NO_ENTRIES


def test_j5_in_another_history_every_row_is_told_anew() -> None:
    later = page("ab", 2, epoch="another")
    assert [(each["kind"], each["id"]) for each in entries_of(page("ab"), later)] == [
        ("UPDATE", "a"),
        ("UPDATE", "b"),
    ]


PAGES = st.lists(
    st.tuples(st.permutations(IDS), st.integers(0, len(IDS)), st.lists(st.booleans(), min_size=len(IDS))),
    min_size=2,
    max_size=6,
)


@settings(max_examples=200)
@given(PAGES)
def test_h6_folding_what_is_told_of_random_moves_gives_the_page(
    moves: list[tuple[list[str], int, list[bool]]],
) -> None:
    revisions = dict.fromkeys(IDS, 1)
    client: list[dict[str, object]] = []
    sent: ListPage | None = None
    for number, (order, size, changed) in enumerate(moves, 1):
        for id_, is_changed in zip(IDS, changed, strict=False):
            revisions[id_] += is_changed
        now = ListPage(number, "e", tuple(row(id_, revisions[id_]) for id_ in order[:size]))
        entries = entries_of(sent, now)
        client = folded(client, entries)
        assert [(each["id"], each["revision"]) for each in client] == [
            (each.id, each.revision) for each in now.rows
        ]
        assert {(each["id"], each["kind"]) for each in entries} == expected(sent, now, entries)
        sent = now


def expected(
    sent: ListPage | None, now: ListPage, entries: list[dict[str, object]]
) -> set[tuple[object, object]]:
    """What must be told of each row, and no more than was: moves are told by either of two rows."""
    if sent is None:
        return {(each.id, "INITIAL") for each in now.rows}
    before, after = {each.id for each in sent.rows}, {each.id for each in now.rows}
    entered = {(id_, "ENTER") for id_ in after - before}
    left = {(id_, "LEAVE") for id_ in before - after}
    changed = {(each.id, "UPDATE") for each in now.rows if each.id in before and each not in sent.rows}
    moved = {(each["id"], "UPDATE") for each in entries if each["id"] in before & after}
    assert len(moved - changed) == least_moves(sent, now)
    return entered | left | changed | moved


def least_moves(sent: ListPage, now: ListPage) -> int:
    """How many of the rows that are as they were must be taken out for the others to be in the same order; by trying."""
    common = [each for each in now.rows if each in sent.rows]
    places = [sent.rows.index(each) for each in common]
    longest = max(
        size
        for size in range(len(places) + 1)
        if any(list(some) == sorted(some) for some in combinations(places, size))
    )
    return len(places) - longest


@given(st.permutations(range(7)))
def test_an_ascent_is_one_and_there_is_no_longer_one(numbers: list[int]) -> None:
    indices = sorted(longest_ascent(numbers))
    ascent = [numbers[index] for index in indices]
    assert ascent == sorted(ascent)
    assert not any(list(some) == sorted(some) for some in combinations(numbers, len(ascent) + 1))


def test_h6_a_difference_is_made_once_and_few_are_kept() -> None:
    earlier, later = page("ab", 1), page("b", 2)
    assert later.since(earlier) is later.since(earlier)
    assert orjson.loads(later.since(earlier)) == [{"kind": "LEAVE", "id": "a", "place": None, "revision": 1}]
    for number in range(3, 100):
        later.since(page("ab", number))
    assert len(later._since) == KEPT_DIFFERENCES
