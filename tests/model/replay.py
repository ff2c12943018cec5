"""The tree as its journal alone tells it (`live.md` J2), and what must hold at every single change.

Knows statuses and images, and the graph of a definition; nothing of how the runtime decides.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from db.runtime.changes import Change, ChangeKind
from db.runtime.definition import StepType, WorkflowDefinition
from db.runtime.images import execution_image, step_image
from db.runtime.moments import timestamp_text
from db.runtime.statuses import EXECUTION_TRANSITIONS, STEP_TRANSITIONS, ExecutionStatus, Status, StepStatus
from tests.model.memory import MemoryTree

Image = dict[str, Any]

_AFTER_THE_END = (
    ChangeKind.STEP_DISABLED,
    ChangeKind.STEP_ENABLED,
    ChangeKind.STEP_RETRY_SCHEDULED,
    ChangeKind.STEP_DUE_DATE_SET,
)

_UNSET = (
    "startedAt", "completedAt", "failedAt", "disabledAt", "passedAt", "disabledBy", "dueAt", "retryAt", "failure",
    "claim",
)  # fmt: skip


@dataclass
class Owed:
    """A step has ended: one of these transitions (each with the step that it enters) has to be taken."""

    execution_id: str
    targets: dict[str, str]


@dataclass
class Replay:
    """Follows the journal of one tree; `follow` after each command."""

    tree: MemoryTree
    revision: int = 0
    executions: dict[str, Image] = field(default_factory=dict)
    contexts: dict[str, Any] = field(default_factory=dict)
    attempts: dict[str, Image] = field(default_factory=dict)
    # Execution id and step id → the current attempt.
    current: dict[tuple[str, str], Image] = field(default_factory=dict)
    # An attempt after a failed one → what had arrived at that.
    retried: dict[str, list[str]] = field(default_factory=dict)
    owed: list[Owed] = field(default_factory=list)
    compared: int = 0
    # How often steps have let flow go on, and transitions have arrived.
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    arrived: Counter[tuple[str, str]] = field(default_factory=Counter)

    def follow(self) -> set[str]:
        """The changes of one command, then the rows that it left; returns the executions that it touched."""
        since = self.revision
        for change in self.tree.journal[since:]:
            self._apply(change)
        assert not self.owed, f"a step ended and nothing followed from it: {self.owed}"
        touched = {change.execution_id for change in self.tree.journal[since:]}
        self.compare(touched)
        return touched

    def compare(self, execution_ids: Collection[str]) -> None:
        """J2: folding the journal gives exactly the visible rows."""
        tree = self.tree
        for execution_id in execution_ids:
            assert self.executions[execution_id] == execution_image(tree.executions[execution_id])
            assert self.contexts[execution_id] == tree.context(execution_id)
            for step in tree.attempts(execution_id):
                current = self.current[execution_id, step.step_id]
                assert step.is_current == (current["id"] == step.id)
                if step.revision > self.compared:
                    assert self.attempts[step.id] == step_image(step)
        self.compared = self.revision
        assert len(self.executions) == len(tree.executions)
        assert len(self.attempts) == len(tree.steps)

    def _apply(self, change: Change) -> None:
        self.revision += 1
        assert change.revision == self.revision, "J1: revisions are dense"
        if change.kind is ChangeKind.EXECUTION_CREATED:
            self._created(change)
        elif change.step_execution_id is None:
            self._execution_changed(change)
        else:
            self._step_changed(change, change.step_execution_id)
        self._settle()

    def _created(self, change: Change) -> None:
        image = dict(change.data)
        self.contexts[image["id"]] = image.pop("context")
        image.pop("item")
        for first in image.pop("steps"):
            attempt = {
                **first, **dict.fromkeys(_UNSET), "status": "NOT_STARTED", "attempt": 1, "enteredBy": [],
                "isOverdue": False, "createdAt": timestamp_text(change.at), "revision": change.revision,
            }  # fmt: skip
            self.attempts[attempt["id"]] = attempt
            self.current[change.execution_id, attempt["stepId"]] = attempt
        self.executions[image["id"]] = image
        assert image["runtimeStatus"] == "NOT_STARTED"

    def _execution_changed(self, change: Change) -> None:
        image = dict(change.data)
        if change.kind is ChangeKind.CONTEXT_UPDATED:
            self.contexts[change.execution_id] = image.pop("context")
        before, after = self.executions[change.execution_id]["runtimeStatus"], image["runtimeStatus"]
        assert (_name(change.from_status), _name(change.to_status)) == (before, after)
        if change.kind is not ChangeKind.CONTEXT_UPDATED:
            allowed = {each.name for each in EXECUTION_TRANSITIONS[ExecutionStatus[before]]}
            assert after in allowed, f"S1: an execution does not go from {before} to {after}"
        self.executions[change.execution_id] = image

    def _step_changed(self, change: Change, attempt_id: str) -> None:
        image = dict(change.data)
        before = self.attempts.get(attempt_id)
        key = (change.execution_id, image["stepId"])
        self._check_status(change, before, image)
        if before is None:
            self._check_next_attempt(self.current[key], image)
            if self.current[key]["failure"]:
                self.retried[attempt_id] = self.current[key]["enteredBy"]
        self.attempts[attempt_id] = self.current[key] = image
        self.executions[change.execution_id] |= {
            "revision": change.revision,
            "lastActivityAt": timestamp_text(change.at),
        }
        self._count(change, before, image)

    def _check_status(self, change: Change, before: Image | None, image: Image) -> None:
        assert _name(change.from_status) == (before["status"] if before else None)
        assert _name(change.to_status) == image["status"]
        has_ended = self.executions[change.execution_id]["runtimeStatus"] not in (
            "NOT_STARTED",
            "IN_PROGRESS",
        )
        assert not has_ended or change.kind in _AFTER_THE_END, "nothing moves in an execution that has ended"
        if before is not None and before["status"] != image["status"]:
            allowed = {each.name for each in STEP_TRANSITIONS[StepStatus[before["status"]]]}
            assert image["status"] in allowed, (
                f"S3: an attempt does not go from {before['status']} to {image['status']}"
            )

    def _check_next_attempt(self, before: Image, image: Image) -> None:
        """S3: attempts are numbered 1 … n, and one is replaced only when it has ended."""
        assert image["attempt"] == before["attempt"] + 1
        assert before["status"] in ("COMPLETED", "FAILED") or before["passedAt"], "S3, F4: it has not ended"

    def _count(self, change: Change, before: Image | None, image: Image) -> None:
        definition = self.tree.definition(change.execution_id)
        arrivals = image["enteredBy"][len(before["enteredBy"]) if before else 0 :]
        if image["type"] == "GATEWAY_PARALLEL_JOIN" and arrivals == self.retried.get(image["id"]):
            arrivals = []  # `retryStep` gives a join the arrivals of the attempt that failed
        for transition_id in arrivals:
            self._count_arrival(change.execution_id, definition, transition_id, image["stepId"])
        if before is None or (image["status"], image["passedAt"]) == (before["status"], before["passedAt"]):
            return
        if image["status"] == "COMPLETED" and image["type"] == "GATEWAY_PARALLEL_JOIN":
            self._check_join(change.execution_id, definition, image)
        if image["status"] == "COMPLETED" or image["passedAt"]:
            self._count_end(change.execution_id, definition, image["stepId"])

    def _count_arrival(
        self, execution_id: str, definition: WorkflowDefinition, transition_id: str, step_id: str
    ) -> None:
        """A transition enters the step that it leads to, at most once for each time that its source has ended."""
        transition = next(each for each in definition.transitions if each.id == transition_id)
        assert transition.to_step_id == step_id
        self.arrived[execution_id, transition_id] += 1
        source = definition.step(transition.from_step_id)
        siblings = definition.outgoing(source.id)
        alike = siblings if source.type is StepType.GATEWAY_EXCLUSIVE_SPLIT else (transition,)
        arrivals = sum(self.arrived[execution_id, each.id] for each in alike)
        assert arrivals <= self.ended[execution_id, source.id], f"{transition_id} was taken out of nothing"

    def _count_end(self, execution_id: str, definition: WorkflowDefinition, step_id: str) -> None:
        self.ended[execution_id, step_id] += 1
        targets = {each.id: each.to_step_id for each in definition.outgoing(step_id)}
        if definition.step(step_id).type.is_conditional_split:
            self.owed.append(Owed(execution_id, targets))
        else:
            self.owed += [Owed(execution_id, {transition: target}) for transition, target in targets.items()]

    def _settle(self) -> None:
        """What has been taken, or met a step to which it makes no difference (F4), is owed no more."""
        self.owed = [
            owed for owed in self.owed if not any(self._is_taken(owed, each) for each in owed.targets)
        ]

    def _is_taken(self, owed: Owed, transition_id: str) -> bool:
        target = self.current[owed.execution_id, owed.targets[transition_id]]
        return (
            (transition_id in target["enteredBy"] and target["revision"] == self.revision)
            or is_waiting(target)
            or (target["status"] == "NOT_STARTED" and transition_id in target["enteredBy"])
        )

    def _check_join(self, execution_id: str, definition: WorkflowDefinition, join: Image) -> None:
        """F5: something has arrived, and no live step can come to the join on a way that does not lead through it."""
        assert join["enteredBy"], "F5: a join opens when a transition has arrived"
        for (owner, step_id), attempt in self.current.items():
            if owner == execution_id and is_live(attempt) and step_id != join["stepId"]:
                assert not leads_to(definition, step_id, join["stepId"]), f"F5: {step_id} can still arrive"


def _name(status: Status | None) -> str | None:
    return status.name if status else None


def is_live(attempt: Image) -> bool:
    """InProgress, scheduled or Failed."""
    return attempt["status"] in ("IN_PROGRESS", "FAILED")


def is_waiting(attempt: Image) -> bool:
    """InProgress or scheduled."""
    return attempt["status"] == "IN_PROGRESS" or attempt["retryAt"] is not None


def leads_to(definition: WorkflowDefinition, origin: str, goal: str) -> bool:
    """Whether a step comes before another on some way, walking forward one step at a time."""
    seen = {origin}
    pending = [origin]
    while pending:
        for step_id in _after(definition, pending.pop()):
            if step_id == goal:
                return True
            if step_id not in seen:
                seen.add(step_id)
                pending.append(step_id)
    return False


def _after(definition: WorkflowDefinition, step_id: str) -> Iterable[str]:
    return (each.to_step_id for each in definition.transitions if each.from_step_id == step_id)
