"""Trees made by hand, as a watcher holds them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from server.watching.events import Snapshot
from server.watching.tree import Tree

JSON = dict[str, Any]

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ENDED = {
    "COMPLETED": "completedAt",
    "FAILED": "failedAt",
    "CANCELLED": "cancelledAt",
    "DISABLED": "disabledAt",
}


def ago(seconds: float) -> str:
    """A time of the API, so many seconds before `NOW`; after it, where negative."""
    return (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def step(step_id: str, status: str = "NOT_STARTED", *, name: str | None = None, **fields: Any) -> JSON:
    """An attempt that has begun 95 seconds ago, and has ended 20 seconds ago, where its status says so."""
    times = dict.fromkeys(("completedAt", "failedAt", "disabledAt"))
    if status in ENDED:
        times[ENDED[status]] = ago(20)
    return {
        "id": f"step_{step_id}",
        "stepId": step_id,
        "name": name or step_id.capitalize(),
        "status": status,
        "attempt": 1,
        "startedAt": ago(95) if status in ("IN_PROGRESS", "COMPLETED", "FAILED") else None,
        "dueAt": None,
        "retryAt": None,
        "failure": None,
        "claim": None,
        **times,
        **fields,
    }


def execution(
    id_: str, name: str, status: str, *steps: JSON, below: tuple[str, str, int] | None = None, **fields: Any
) -> JSON:
    """An execution; `below` is its parent's id, the id of the step there, and its own index."""
    parent, parent_step, index = below or (None, None, None)
    times = dict.fromkeys(("completedAt", "failedAt", "cancelledAt"))
    if status in ENDED:
        times[ENDED[status]] = ago(20)
    return {
        "id": id_,
        "name": name,
        "parentWorkflowExecutionId": parent,
        "parentStep": parent_step and {"stepId": parent_step},
        "childIndex": index,
        "runtimeStatus": status,
        "createdAt": ago(3700),
        "startedAt": None if status == "NOT_STARTED" else ago(3665),
        "failure": None,
        "reason": None,
        "steps": list(steps),
        **times,
        **fields,
    }


def tree(root: JSON, *below: JSON, revision: int = 26) -> Tree:
    """A tree of these executions."""
    made = Tree()
    made.replace(Snapshot(revision, "epoch", "START", [root, *below]))
    return made
