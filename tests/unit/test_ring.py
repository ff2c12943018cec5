"""What travels on the broadcast channel (`live.md` section 2)."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.backoff import Backoff
from server.live.broadcast import WaitingRings
from server.live.ring import LONGEST_MESSAGE, Beat, Ring, parse_message

ROOT = "exec_01jd8m3v9hf2xvg8y0q4z5w6ab"
LARGEST = 10**18 - 1


def test_a_ring_says_only_root_from_and_to_in_less_than_200_bytes() -> None:
    assert Ring(ROOT, 3, 5).text == f"ring {ROOT} 3 5"
    assert len(Ring("x" * 120, LARGEST - 1, LARGEST).text.encode()) < LONGEST_MESSAGE


@given(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=120),
    st.integers(0, LARGEST - 1),
    st.integers(1, 1000),
)
def test_a_ring_comes_out_of_its_text_as_it_was(root_id: str, revision: int, more: int) -> None:
    ring = Ring(root_id, revision, min(revision + more, LARGEST))
    assert parse_message(ring.text) == ring


def test_a_heartbeat_comes_out_of_its_text_as_it_was() -> None:
    assert parse_message(Beat("0a1b2c", 17).text) == Beat("0a1b2c", 17)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ring",
        f"ring {ROOT} 3",
        f"ring {ROOT} 5 3",
        f"ring {ROOT} 3 3",
        f"ring {ROOT} -1 3",
        f"ring {ROOT} 3 5 7",
        f"ring {ROOT} 3 5\n",
        f"ring {ROOT} 3 ٥",
        f"ring {ROOT} 3 {'9' * 5000}",
        f"ring {'x' * 100_000} 3 5",
        "ring été 3 5",
        f'{{"root": "{ROOT}"}}',
        "beat xyz 1",
        "beat 0a1b2c",
        "\ufffd\ufffd",
    ],
)
def test_anything_else_is_not_a_message(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 – two messages, both name what is wrong
        parse_message(text)


@given(st.text() | st.from_regex(r"(ring|beat) [!-~]+( [0-9]+){0,3}"))
def test_a_text_is_a_message_or_a_value_error_and_nothing_else(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(parse_message(text), Ring | Beat)


@pytest.mark.parametrize(("first", "last"), [(5, 5), (5, 4), (-1, 3)])
def test_a_ring_whose_revisions_do_not_rise_cannot_be_made(first: int, last: int) -> None:
    with pytest.raises(ValueError, match=f"must rise: {first} → {last}"):
        Ring(ROOT, first, last)


@pytest.mark.parametrize("root_id", ["", "two words", "x" * 121, "line\nbreak"])
def test_a_ring_whose_id_is_not_one_word_cannot_be_made(root_id: str) -> None:
    with pytest.raises(ValueError, match="cannot carry the root id"):
        Ring(root_id, 0, 1)


async def test_b1_waiting_rings_of_one_tree_merge() -> None:
    waiting = WaitingRings(2)
    assert [waiting.add(ring) for ring in (Ring("a", 1, 2), Ring("b", 0, 1), Ring("a", 0, 1))] == [True] * 3
    assert waiting.add(Ring("a", 2, 4))
    assert await waiting.take() == Ring("a", 0, 4)
    assert await waiting.take() == Ring("b", 0, 1)


async def test_b1_waiting_rings_are_bounded_and_say_what_was_dropped() -> None:
    waiting = WaitingRings(2)
    assert [waiting.add(Ring(root, 0, 1)) for root in "abc"] == [True, True, False]
    assert waiting.clear() == 2
    assert waiting.add(Ring("c", 0, 1))
    assert await waiting.take() == Ring("c", 0, 1)


def test_b1_backoff_doubles_to_its_cap_with_jitter_and_starts_again_after_reset() -> None:
    backoff = Backoff(first_seconds=0.1, cap_seconds=1.0)
    for whole in (0.1, 0.2, 0.4, 0.8, *[1.0] * 2000):
        assert whole / 2 <= backoff.next_delay() <= whole
    backoff.reset()
    assert backoff.next_delay() <= 0.1
