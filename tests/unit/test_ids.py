"""TypeIDs: what is one, and that nothing else is taken for one (`runtime.md` I6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.ids import IdKind, is_id, new_id

SUFFIX = "01m89ke0fte1m9hverf5hxdyms"
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


@pytest.mark.parametrize("kind", list(IdKind))
def test_a_fresh_id_is_of_its_own_kind_and_of_no_other(kind: IdKind) -> None:
    fresh = new_id(kind)
    assert [each for each in IdKind if is_id(each, fresh)] == [kind]
    assert fresh.startswith(f"{kind.value}_")


def test_fresh_ids_are_unique_and_sort_by_creation() -> None:
    made = [new_id(IdKind.EXECUTION) for _ in range(1_000)]
    assert made == sorted(set(made))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "_",
        "exec",
        "exec_",
        SUFFIX,
        f"_{SUFFIX}",
        f"exec__{SUFFIX}",
        f"step_{SUFFIX}",
        f"Exec_{SUFFIX}",
        f"exec_{SUFFIX.upper()}",
        f"exec_{SUFFIX} ",
        f"exec_{SUFFIX}\n",
        f" exec_{SUFFIX}",
        f"exec_{SUFFIX[:-1]}",
        f"exec_{SUFFIX}0",
        f"exec_{SUFFIX[:-1]}u",
        f"exec_{SUFFIX[:-1]}é",
        f"exec_{SUFFIX[:-1]}１",
        f"exec_{SUFFIX[:-1]}\0",
        f"exec_{SUFFIX[:-1]}\ud800",
        "exec_" + "8" * 26,
        "exec_" + "z" * 26,
        "exec_" * 1_000,
        "x" * 100_000,
    ],
    ids=ascii,
)
def test_i6_a_malformed_id_is_no_id(text: str) -> None:
    assert not is_id(IdKind.EXECUTION, text)


@given(st.one_of(st.text(), st.text(min_size=26, max_size=26).map("exec_{}".format)))
def test_i6_no_text_makes_the_question_fail(text: str) -> None:
    assert is_id(IdKind.EXECUTION, text) in (True, False)


@given(st.text(alphabet=ALPHABET, min_size=26, max_size=26))
def test_i6_what_is_taken_for_an_id_has_128_bits(suffix: str) -> None:
    assert is_id(IdKind.STEP_EXECUTION, f"step_{suffix}") is (suffix[0] in "01234567")
