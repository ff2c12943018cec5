"""What may stand in a JSON value (`runtime.md` I5, C4)."""

import json
from collections import OrderedDict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.runtime.json_values import InvalidJSON, check_json, json_faults, json_pointer, json_size


def refused(value: object, **bounds: int) -> InvalidJSON:
    with pytest.raises(InvalidJSON) as caught:
        check_json(value, **bounds)
    return caught.value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "not a finite number"),
        (float("inf"), "not a finite number"),
        (float("-inf"), "not a finite number"),
        (2**63, "beyond 64 bits"),
        (-(2**63) - 1, "beyond 64 bits"),
        (10**400, "beyond 64 bits"),
        ("a\ud800", "lone surrogate"),
        ("\udfff", "lone surrogate"),
        ("a\0b", "NUL"),
        (Decimal(1), "Python Decimal"),
        ((1, 2), "Python tuple"),
        ({1, 2}, "Python set"),
        (b"x", "Python bytes"),
        (datetime(2024, 1, 1, tzinfo=UTC), "Python datetime"),
    ],
)
def test_i5_what_not_both_databases_can_hold_is_refused_where_it_stands(value: object, message: str) -> None:
    assert message in refused(value).message
    fault = refused({"a/b": [0, {"c~d": value}]})
    assert fault.pointer == "/a~1b/1/c~0d"
    assert message in fault.message
    assert fault.pointer in str(fault)
    assert not fault.is_limit


@pytest.mark.parametrize(
    ("key", "message"), [("\0", "NUL"), ("\ud800", "lone surrogate"), (1, "Python int"), (None, "NoneType")]
)
def test_i5_keys_are_held_to_the_same(key: Any, message: str) -> None:
    fault = refused([{"fine": {key: 1}}])
    assert message in fault.message
    assert fault.pointer.startswith("/0/fine")


@pytest.mark.parametrize(
    "value",
    [None, True, False, 0, 2**63 - 1, -(2**63), 1e308, 5e-324, "", "é\U0001f600\u2028", [], {}, {"": [None]}],
)
def test_json_is_accepted(value: object) -> None:
    check_json(value)
    check_json(OrderedDict(a=[value]))


def nested(depth: int) -> Any:
    value: Any = []
    for index in range(depth - 1):
        value = [value] if index % 2 else {"x": value}
    return value


def test_c4_depth_is_counted_in_objects_and_arrays() -> None:
    check_json(nested(64))
    fault = refused(nested(65))
    assert fault.is_limit
    assert fault.pointer.count("/") == 64
    assert "64 levels" in fault.message
    assert refused([[1]], max_depth=1).pointer == "/0"


def test_nesting_without_end_is_met_without_recursion() -> None:
    assert refused(nested(200_000)).is_limit
    endless: list[Any] = []
    endless.append(endless)
    assert refused(endless).is_limit


@pytest.mark.parametrize("value", ["é" * 10, {"k": [1, 2.5, None, True]}, ['"\\\n\x01'], [[], {}], "", 1])
def test_c4_size_is_bytes_of_compact_utf8_json(value: object) -> None:
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    assert json_size(value) == size
    check_json(value, max_bytes=size)
    fault = refused(value, max_bytes=size - 1)
    assert fault.is_limit
    assert fault.pointer == ""
    assert f"{size - 1} bytes" in fault.message


def test_a_value_that_holds_the_same_list_again_and_again_is_cut_off() -> None:
    value: list[Any] = ["x" * 1_000]
    for _ in range(60):
        value = [value, value]
    assert refused(value, max_bytes=1 << 20).is_limit


def test_every_fault_is_told_in_document_order() -> None:
    value = {"a": [float("nan"), "\0"], "\0": 1, "b": {"c": 2**64}}
    assert [fault.pointer for fault in json_faults(value)] == ["/\0", "/a/0", "/a/1", "/b/c"]


def test_json_pointers_are_escaped() -> None:
    assert json_pointer([]) == ""
    assert json_pointer(["steps", 0, "a/b", "m~n", "~1", ""]) == "/steps/0/a~1b/m~0n/~01/"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab/~"), inner),
)


@given(json_values)
def test_whatever_json_text_can_say_is_accepted_at_its_own_size(value: object) -> None:
    check_json(value, max_bytes=json_size(value))


wild_texts = st.text(st.characters(exclude_categories=[]))
wild_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | wild_texts | st.binary() | st.tuples(),
    lambda inner: st.lists(inner) | st.dictionaries(wild_texts | st.integers(), inner),
)


@given(wild_values, st.integers(0, 4))
def test_a_value_is_refused_for_the_first_of_its_faults_and_accepted_without_any(
    value: object, max_depth: int
) -> None:
    faults = list(json_faults(value, max_depth=max_depth))
    if faults:
        fault = refused(value, max_depth=max_depth)
        assert (fault.parts, fault.message) == (faults[0].parts, faults[0].message)
    else:
        check_json(value, max_depth=max_depth)


one_kind = st.one_of(*(st.lists(each, min_size=16) for each in (st.integers(), st.floats(), wild_texts)))


@given(one_kind, st.integers(0, 15), wild_values)
def test_many_values_of_a_kind_are_refused_as_few_are(many: list[Any], place: int, other: object) -> None:
    for values in (many, [*many[:place], other, *many[place:]]):
        for value in (
            values,
            {f"k{n}": each for n, each in enumerate(values)},
            dict.fromkeys(map(str, values)),
        ):
            faults = list(json_faults(value, max_depth=3))
            if faults:
                assert refused(value, max_depth=3).parts == faults[0].parts
            else:
                check_json(value, max_depth=3)


@given(st.recursive(st.floats() | st.integers() | st.text(st.characters(exclude_categories=[])), st.lists))
def test_whatever_is_accepted_can_be_written(value: object) -> None:
    try:
        check_json(value)
    except InvalidJSON:
        return
    assert json.loads(json.dumps(value, allow_nan=False).encode()) == value
