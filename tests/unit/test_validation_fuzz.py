"""Validation takes any JSON value: it never raises, and what it accepts can be parsed."""

import json
import random
import sys
from collections import Counter
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from db.runtime.definition import WorkflowDefinition
from db.runtime.validation import (
    Catalogue,
    Issue,
    IssueCode,
    Severity,
    definition_schema,
    validate_definition,
)
from db.runtime.validation.issues import MAX_ISSUES, Report

DEFINITIONS = Path(__file__).parent.parent / "data" / "definitions"
EXAMPLES = [json.loads(path.read_text()) for path in sorted(DEFINITIONS.glob("*.json"))]
SCHEMA = jsonschema_rs.validator_for(definition_schema())
KEYS = [
    "id", "type", "name", "steps", "stepTransitions", "stepGroups", "contextSchema", "outputSchema", "group",
    "groupId", "order", "activationPolicy", "defaultStatus", "enabledWhen", "src", "dueIn", "retry", "backoff",
    "maxAttempts", "mode", "iterable", "inputMapping", "value", "ref", "source", "stepId", "fromStepId", "toStepId",
    "condition", "isDefault", "onArrival", "status", "stepIds", "childWorkflowTemplateKey", "ui", "legacyX", "$ref",
]  # fmt: skip
WORDS = [
    "start", "end", "human.form", "sys.task", "sys.sub_workflow", "gateway.parallel_split", "intake", "file", "t1",
    "gateway.parallel_join", "gateway.exclusive_split", "gateway.inclusive_split", "prepare", "BATCH", "P1D", "",
    "#/x", "STEP", "EXPRESSION", "Disabled", "\ud800", "\0", "a-b", "1 +", "x" * 200,
]  # fmt: skip

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(st.characters(exclude_categories=[]), max_size=8)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=20,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every member of every object and list within a value, as its holder and its key."""
    found: list[tuple[Any, Any]] = []
    pending = [value]
    while pending:
        holder = pending.pop()
        if not isinstance(holder, dict | list):
            continue
        members = list(holder.items() if isinstance(holder, dict) else enumerate(holder))
        found.extend((holder, key) for key, _ in members)
        pending.extend(member for _, member in members)
    return found


def check(raw: Any) -> list[Issue]:
    """Validate, and hold the answer against what every answer must be."""
    issues = validate_definition(raw, Catalogue(template_key="incorporation"))
    assert issues == validate_definition(deepcopy(raw), Catalogue(template_key="incorporation"))
    for issue in issues:
        assert issue.path == "" or issue.path.startswith("/")
        json.dumps([issue.path, issue.message, issue.step_id], ensure_ascii=False).encode()
    if not any(issue.severity is Severity.ERROR for issue in issues):
        definition = WorkflowDefinition.parse(raw)
        assert definition.start.type == "start"
        assert SCHEMA.is_valid(raw)
    return issues


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values)
@example(None)
@example({"steps": [None, [], {"id": []}, {"id": {}, "type": {}}], "stepTransitions": [{"fromStepId": []}]})
@example({1: 2, "steps": ({},)})
@example(
    {"steps": [{"group": {"order": 10**400}, "retry": {"maxAttempts": 10**400, "backoffRate": 10**400}}]}
)
def test_any_value_is_answered(raw: object) -> None:
    issues = check(raw)
    assert issues


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(EXAMPLES), st.data())
def test_a_changed_definition_is_answered(raw: Any, data: st.DataObject) -> None:
    raw = deepcopy(raw)
    for _ in range(data.draw(st.integers(1, 4))):
        found = places(raw)
        if not found:
            return
        holder, key = found[data.draw(st.integers(0, len(found) - 1))]
        change = data.draw(st.sampled_from(["replace", "delete", "add", "copy"]))
        if change == "delete":
            del holder[key]
        elif change == "copy" and isinstance(holder, list):
            holder.append(deepcopy(holder[key]))
        elif change == "add" and isinstance(holder, dict):
            holder[data.draw(st.sampled_from(KEYS))] = data.draw(values)
        else:
            holder[key] = data.draw(values)
    check(raw)


def random_graph(steps: int, transitions: int, seed: int) -> dict[str, Any]:
    """Steps of all types, joined at random: wrong in every way a graph can be."""
    source = random.Random(seed)  # noqa: S311  # a shape, not a secret
    types = ["human.form", "sys.task", *(word for word in WORDS if word.startswith("gateway"))]
    listed = [{"id": f"s{index}", "type": source.choice(types), "name": "S"} for index in range(steps - 2)]
    ids = ["start", *(each["id"] for each in listed), "end"]
    return {
        "id": "random",
        "name": "Random",
        "steps": [
            {"id": "start", "type": "start", "name": "S"},
            *listed,
            {"id": "end", "type": "end", "name": "E"},
        ],
        "stepTransitions": [
            {"id": f"t{index}", "fromStepId": source.choice(ids), "toStepId": source.choice(ids)}
            for index in range(transitions)
        ],
    }


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 30), st.integers(0, 60), st.integers(0, 10_000))
def test_any_graph_is_answered(steps: int, transitions: int, seed: int) -> None:
    check(random_graph(steps, transitions, seed))


@pytest.mark.parametrize("kind", ["human.form", "gateway.parallel_join"])
def test_a_chain_as_long_as_allowed_is_walked_without_recursion(kind: str) -> None:
    ids = ["start", *(f"s{index}" for index in range(1_998)), "end"]
    steps = [{"id": each, "type": kind, "name": "S"} for each in ids]
    steps[0]["type"], steps[-1]["type"] = "start", "end"
    arrows = [
        {"id": f"t{index}", "fromStepId": pair[0], "toStepId": pair[1]}
        for index, pair in enumerate(pairwise(ids))
    ]
    issues = check({"id": "chain", "name": "Chain", "steps": steps, "stepTransitions": arrows})
    assert len(issues) == (0 if kind == "human.form" else 1_998)


def lines_executed(raw: Any) -> int:
    """What a validation costs in lines of Python: the same on every machine."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        validate_definition(raw, Catalogue())
    finally:
        sys.settrace(before)
    return count


def test_the_cost_grows_with_the_size_and_not_with_its_square() -> None:
    small, large = (lines_executed(random_graph(steps, 2 * steps, seed=1)) for steps in (500, 2_000))
    assert large < 5 * small


def test_of_too_many_issues_the_first_are_told_and_no_error_is_lost_among_warnings() -> None:
    unknown = {f"key{number}": 1 for number in range(50_000)}
    assert len(validate_definition(unknown, Catalogue())) == MAX_ISSUES
    report = Report({})
    for number in range(MAX_ISSUES + 1):
        report.warning(IssueCode.PARALLEL_MERGE_WITHOUT_JOIN, ("steps", number), "A warning.")
    report.error(IssueCode.NO_SELF_LOOPS, ("stepTransitions", 0), "An error.")
    severities = Counter(issue.severity for issue in report.issues())
    assert severities == {Severity.WARNING: MAX_ISSUES, Severity.ERROR: 1}


def test_of_too_many_steps_nothing_else_is_told() -> None:
    (issue,) = validate_definition({"steps": [{"id": "a"}] * 50_000}, Catalogue())
    assert (issue.code, issue.path) == (IssueCode.LIMIT_EXCEEDED, "/steps")
    assert "50,000 steps; at most 2,000 are allowed" in issue.message
