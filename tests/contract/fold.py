"""The journal folded to the rows it tells of: what a client does with the changes of a tree (`live.md` J2)."""

from collections.abc import Iterable, Sequence
from typing import Any

from db.runtime.changes import Change, ChangeKind
from db.runtime.moments import timestamp_text

# What a first attempt has not, when it comes with its execution.
_NOTHING_YET = dict.fromkeys(
    (
        "startedAt",
        "completedAt",
        "failedAt",
        "disabledAt",
        "passedAt",
        "disabledBy",
        "dueAt",
        "retryAt",
        "failure",
        "claim",
    )
) | {"isOverdue": False}

Folded = dict[str, dict[str, Any]]


def shown(execution: dict[str, Any], steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """An execution and its steps, as `fold` gives them."""
    return {**execution, "steps": {step["stepId"]: step for step in steps}}


def fold(changes: Iterable[Change], onto: Folded | None = None) -> Folded:
    """Execution id → the execution and its steps, after these changes from the first on, or on from a tree."""
    tree: Folded = {} if onto is None else onto
    for change in changes:
        if change.kind is ChangeKind.EXECUTION_CREATED:
            first = [_first_attempt(change, image) for image in change.data["steps"]]
            tree[change.execution_id] = shown(change.data, first)
            continue
        execution = tree[change.execution_id]
        if change.step_execution_id is None:
            execution.update(change.data)
            continue
        execution["steps"][change.data["stepId"]] = change.data
        execution.update(revision=change.revision, lastActivityAt=timestamp_text(change.at))
    return tree


def _first_attempt(change: Change, image: dict[str, Any]) -> dict[str, Any]:
    return {
        **image,
        **_NOTHING_YET,
        "status": "NOT_STARTED",
        "attempt": 1,
        "createdAt": timestamp_text(change.at),
        "enteredBy": [],
        "revision": change.revision,
    }
