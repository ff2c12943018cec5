"""What a valid definition may use and this version does not execute is told at once, not silently ignored."""

import json
from pathlib import Path
from typing import Any

import pytest

from db.runtime.definition import WorkflowDefinition, minimal_definition
from db.runtime.validation import Severity
from db.runtime.validation.unsupported import unsupported_features

DEFINITIONS = Path(__file__).parent.parent / "data" / "definitions"


def load(name: str) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads((DEFINITIONS / f"{name}.json").read_text())
    return raw


def paths(raw: dict[str, Any]) -> list[str]:
    issues = unsupported_features(WorkflowDefinition.parse(raw))
    assert all(issue.code == "NOT_SUPPORTED" and issue.severity is Severity.ERROR for issue in issues)
    assert all("this version of the server" in issue.message for issue in issues)
    return [issue.path for issue in issues]


def test_a_sequence_is_executed() -> None:
    assert paths(load("verify")) == []
    assert paths(minimal_definition("a", "A")) == []


def test_gateways_children_policies_and_loops_are_not() -> None:
    assert paths(load("incorporation")) == [
        "/steps/2/type",
        "/steps/4/type",
        "/steps/5/activationPolicy",
        "/steps/6/type",
        "/steps/8/type",
        "/steps/7",
    ]


@pytest.mark.parametrize(
    ("retry", "expected"),
    [
        ({"maxAttempts": 1}, []),
        ({"maxAttempts": 1, "backoffRate": 2}, []),
        ({"maxAttempts": 2}, ["/steps/1/retry"]),
        ({"maxAttempts": 1, "backoff": "PT1S"}, ["/steps/1/retry"]),
    ],
)
def test_retries_are_not_unless_there_is_nothing_to_retry(retry: dict[str, Any], expected: list[str]) -> None:
    raw = load("verify")
    raw["steps"][1]["retry"] = retry
    assert paths(raw) == expected


def test_a_status_on_arrival_is_not() -> None:
    raw = load("verify")
    raw["stepTransitions"][0]["onArrival"] = {"status": "InProgress"}
    assert paths(raw) == ["/stepTransitions/0/onArrival"]
    (issue,) = unsupported_features(WorkflowDefinition.parse(raw))
    assert (issue.step_id, issue.transition_id) == (None, "t1")
