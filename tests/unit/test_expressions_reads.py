"""What an expression reads, for `explainStep` (`runtime.md` S5)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from db.runtime.expressions import NOTHING, ExpressionInput, evaluate
from db.runtime.expressions.reads import MAX_READS, MAX_VALUE_BYTES

NOW = datetime(2024, 5, 6, tzinfo=UTC)
INPUT = ExpressionInput(
    context={
        "company": {"type": "llp"},
        "directors": [{"id": 1}, {"id": 2}, {}],
        "long": "é" * 5_000,
        "no": None,
    },
    steps={"dsc-step": {"outputData": {"ok": True}}},
)


def reads(src: str) -> list[tuple[str, Any]]:
    return [(read.path, read.value) for read in evaluate(src, INPUT, now=NOW, record_reads=True).reads]


@pytest.mark.parametrize(
    ("src", "expected"),
    [
        ("__context__.company.type = 'llp'", [("__context__.company.type", "llp")]),
        ("$$.__context__.company.type", [("__context__.company.type", "llp")]),
        (
            "__context__.missing or __context__.no",
            [("__context__.missing", NOTHING), ("__context__.no", None)],
        ),
        ("__steps__.`dsc-step`.outputData.ok", [("__steps__.`dsc-step`.outputData.ok", True)]),
        ("__context__.directors.id", [("__context__.directors.id", [1, 2])]),
        ("__context__.directors[id = 2].name", [("__context__.directors", [{"id": 1}, {"id": 2}, {}])]),
        ("$count(__context__.directors) > 1", [("__context__.directors", [{"id": 1}, {"id": 2}, {}])]),
        ("__context__.company.(type = 'llp')", [("__context__.company", {"type": "llp"})]),
        ("__each__.name", [("__each__.name", NOTHING)]),
        ("1 + 1", []),
    ],
)
def test_s5_every_path_that_is_read_is_listed_with_its_value(src: str, expected: Any) -> None:
    assert reads(src) == expected


def test_s5_paths_come_in_the_order_of_the_source_each_once() -> None:
    src = "__steps__.a.b = 1 or __context__.no = 2 or __steps__.a.b = 3"
    assert [path for path, _ in reads(src)] == ["__steps__.a.b", "__context__.no"]


def test_s5_a_condition_that_is_not_reached_is_listed_too() -> None:
    assert [path for path, _ in reads("false and __context__.no")] == ["__context__.no"]


def test_s5_values_are_cut_at_1_kib() -> None:
    ((_, value),) = reads("__context__.long")
    assert value.startswith('"éé')
    assert value.endswith("…")
    assert MAX_VALUE_BYTES - 4 <= len(value.encode()) <= MAX_VALUE_BYTES


def test_s5_a_source_of_many_paths_is_cut() -> None:
    assert len(reads(" or ".join(f"__context__.p{number}" for number in range(100)))) == MAX_READS


def test_without_being_asked_nothing_is_listed() -> None:
    assert evaluate("__context__.no", INPUT, now=NOW).reads == ()
