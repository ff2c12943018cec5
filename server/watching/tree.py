"""A tree as a watcher holds it: a snapshot, and the changes folded into it (`live.md` J2)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

from server.watching.events import JSON, Changed, Snapshot

# What a first attempt has not, when it comes with its execution.
_FIRST_ATTEMPT: Final[JSON] = {
    "status": "NOT_STARTED",
    "attempt": 1,
    "startedAt": None,
    "completedAt": None,
    "failedAt": None,
    "disabledAt": None,
    "passedAt": None,
    "disabledBy": None,
    "dueAt": None,
    "isOverdue": False,
    "retryAt": None,
    "failure": None,
    "claim": None,
}

Place = tuple[str, str]  # an execution's id, and the id of its step in the definition


class Tree:
    """`executions` by id, each with `steps` by step id (the current attempts), in the API's names."""

    def __init__(self) -> None:
        self.revision = 0
        self.root_id = ""
        self.executions: dict[str, JSON] = {}
        self._children: defaultdict[Place, list[str]] = defaultdict(list)

    @property
    def root(self) -> JSON:
        return self.executions[self.root_id]

    def replace(self, snapshot: Snapshot) -> None:
        """Hold this state and nothing of what was."""
        self.revision = snapshot.revision
        self.root_id = snapshot.executions[0]["id"]
        self.executions.clear()
        self._children.clear()
        for each in snapshot.executions:
            self._add(each, each["steps"])

    def fold(self, changed: Changed) -> None:
        """Go on to the revision of these changes."""
        for change in changed.changes:
            self._fold(change)
        self.revision = changed.revision

    def children(self, execution_id: str, step_id: str) -> list[JSON]:
        """What a step of an execution has started, by any of its attempts: the oldest first, and by index."""
        found = [self.executions[each] for each in self._children.get((execution_id, step_id), ())]
        return sorted(found, key=lambda each: (each["createdAt"], each["childIndex"] or 0))

    def _add(self, execution: JSON, steps: Iterable[JSON]) -> None:
        self.executions[execution["id"]] = {**execution, "steps": {each["stepId"]: each for each in steps}}
        if execution["parentStep"]:
            place = (execution["parentWorkflowExecutionId"], execution["parentStep"]["stepId"])
            self._children[place].append(execution["id"])

    def _fold(self, change: JSON) -> None:
        data: dict[str, Any] = change["data"]
        if change["kind"] == "EXECUTION_CREATED":
            self._add({**_shown(data), "parentStep": change["parentStep"]}, _first_attempts(change))
            return
        execution = self.executions[change["workflowExecutionId"]]
        if change["stepExecutionId"] is None:
            execution.update(_shown(data))
            return
        execution["steps"][data["stepId"]] = data
        execution.update(revision=change["revision"], lastActivityAt=change["at"])


def _shown(image: JSON) -> JSON:
    # Contexts and items may be large, and nobody looks at them here.
    return {name: value for name, value in image.items() if name not in ("context", "item", "steps")}


def _first_attempts(change: JSON) -> Iterator[JSON]:
    for image in change["data"]["steps"]:
        made = {"createdAt": change["at"], "enteredBy": [], "revision": change["revision"]}
        yield {**image, **_FIRST_ATTEMPT, **made}
