"""`CHILD_VERSION_EXISTS` and `CHILD_RECURSION` over a catalogue of other templates (`runtime.md` section 2)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.runtime.validation import (
    Catalogue,
    ChildReferences,
    KnownVersion,
    Severity,
    child_references,
    validate_definition,
)

Raw = dict[str, Any]
PINNED, BY_KEY = "childWorkflowTemplateVersionId", "childWorkflowTemplateKey"


def with_child(**reference: str) -> Raw:
    kids = {"id": "kids", "type": "sys.sub_workflow", "name": "Kids", "mode": "SINGLE", **reference}
    return {
        "id": "parent",
        "name": "Parent",
        "steps": [
            {"id": "start", "type": "start", "name": "Start"},
            kids,
            {"id": "end", "type": "end", "name": "End"},
        ],
        "stepTransitions": [
            {"id": "t1", "fromStepId": "start", "toStepId": "kids"},
            {"id": "t2", "fromStepId": "kids", "toStepId": "end"},
        ],
    }


def known(key: str, *, pins: tuple[str, ...] = (), keys: tuple[str, ...] = ()) -> KnownVersion:
    return KnownVersion(
        is_published=True,
        template_key=key,
        children=ChildReferences(frozenset(pins), frozenset(keys)),
    )


def found(raw: Raw, catalogue: Catalogue) -> list[tuple[str, Severity, str]]:
    return [(issue.code, issue.severity, issue.path) for issue in validate_definition(raw, catalogue)]


@pytest.mark.parametrize(
    ("reference", "severity"),
    [
        ({PINNED: "v_gone"}, Severity.ERROR),
        ({PINNED: "v_draft"}, Severity.ERROR),
        ({PINNED: "v_child"}, None),
        ({BY_KEY: "gone"}, Severity.ERROR),
        ({BY_KEY: "idle"}, Severity.WARNING),
        ({BY_KEY: "child"}, None),
    ],
)
def test_a_child_is_a_published_version_or_a_known_template(
    reference: dict[str, str], severity: Severity | None
) -> None:
    catalogue = Catalogue(
        versions={
            "v_child": known("child"),
            "v_draft": KnownVersion(is_published=False, template_key="child"),
        },
        active_versions={"child": "v_child", "idle": None},
        template_key="parent",
    )
    path = f"/steps/1/{next(iter(reference))}"
    expected = [("CHILD_VERSION_EXISTS", severity, path)] if severity else []
    assert found(with_child(**reference), catalogue) == expected


@pytest.mark.parametrize(
    ("reference", "versions", "severity"),
    [
        ({PINNED: "b"}, {"b": known("b", pins=("a",)), "a": known("parent")}, Severity.ERROR),
        ({PINNED: "a"}, {"a": known("parent")}, Severity.ERROR),
        ({PINNED: "b"}, {"b": known("b", keys=("parent",))}, Severity.WARNING),
        ({PINNED: "b"}, {"b": known("b", keys=("c",)), "c": known("c", keys=("parent",))}, Severity.WARNING),
        ({BY_KEY: "b"}, {"b": known("b", keys=("parent",))}, Severity.WARNING),
        ({BY_KEY: "b"}, {"b": known("b", pins=("a",)), "a": known("parent")}, Severity.WARNING),
        ({BY_KEY: "parent"}, {}, Severity.WARNING),
        ({BY_KEY: "b"}, {"b": known("b", keys=("c",)), "c": known("c", keys=("b",))}, None),
        ({PINNED: "b"}, {"b": known("b", pins=("c",)), "c": known("c")}, None),
    ],
)
def test_a_child_that_leads_back_is_an_error_by_pins_and_a_warning_by_keys(
    reference: dict[str, str], versions: dict[str, KnownVersion], severity: Severity | None
) -> None:
    active = {version.template_key: version_id for version_id, version in versions.items()}
    catalogue = Catalogue(versions=versions, active_versions=active, template_key="parent")
    path = f"/steps/1/{next(iter(reference))}"
    expected = [("CHILD_RECURSION", severity, path)] if severity else []
    assert found(with_child(**reference), catalogue) == expected


def test_an_old_version_that_led_back_does_not_count_by_key() -> None:
    versions = {"old": known("b", keys=("parent",)), "new": known("b")}
    catalogue = Catalogue(versions=versions, active_versions={"b": "new"}, template_key="parent")
    assert found(with_child(**{BY_KEY: "b"}), catalogue) == []


def test_a_chain_of_thousands_of_children_is_walked() -> None:
    versions = {f"v{index}": known(f"k{index}", pins=(f"v{index + 1}",)) for index in range(5_000)}
    versions["v5000"] = known("parent")
    catalogue = Catalogue(versions=versions, template_key="parent")
    assert found(with_child(**{PINNED: "v0"}), catalogue) == [
        ("CHILD_RECURSION", Severity.ERROR, f"/steps/1/{PINNED}")
    ]


def test_child_references_are_those_of_sub_workflow_steps() -> None:
    raw = with_child(**{PINNED: "v1", BY_KEY: "k1"})
    raw["steps"].append({"type": "human.form", BY_KEY: "not a child"})
    raw["steps"].append({"type": "sys.sub_workflow", BY_KEY: "k2", PINNED: 7})
    assert child_references(raw) == ChildReferences(frozenset({"v1"}), frozenset({"k1", "k2"}))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(json_values, json_values)
def test_child_references_take_any_json(raw: object, step: object) -> None:
    nothing = ChildReferences(frozenset(), frozenset())
    assert child_references(raw) == nothing
    assert child_references({"steps": [step, {"type": step}, {"type": "sys.sub_workflow"}]}) == nothing
