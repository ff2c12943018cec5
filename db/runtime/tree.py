"""The part of one tree that a command works on: plain values, and the only place that changes them.

`Tree` gives every change its revision and its after-image, so that rows and journal cannot disagree.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from db.runtime.changes import Change, ChangeKind
from db.runtime.definition import WorkflowDefinition
from db.runtime.errors import InvalidTransition
from db.runtime.images import execution_image, first_image, step_image
from db.runtime.statuses import ExecutionStatus, Status, StepStatus, may_become
from db.runtime.values import Execution, Step

JSONObject = dict[str, Any]


_EXECUTION_STAMPS = {
    ExecutionStatus.IN_PROGRESS: "started_at",
    ExecutionStatus.COMPLETED: "completed_at",
    ExecutionStatus.FAILED: "failed_at",
    ExecutionStatus.CANCELLED: "cancelled_at",
}
_STEP_STAMPS = {
    StepStatus.IN_PROGRESS: "started_at",
    StepStatus.COMPLETED: "completed_at",
    StepStatus.FAILED: "failed_at",
    StepStatus.DISABLED: "disabled_at",
}


@dataclass(slots=True)
class Tree:
    """Rows of one tree as a command finds and leaves them; `now` is the command's only time (S2)."""

    root_id: str
    revision: int
    now: datetime
    executions: dict[str, Execution] = field(default_factory=dict)
    # Current attempts: execution id → step id → attempt, in definition order.
    steps: dict[str, dict[str, Step]] = field(default_factory=dict)
    definitions: dict[str, WorkflowDefinition] = field(default_factory=dict)
    # What this command wrote: contexts by execution id, outputs by attempt id, ids of new rows, changes.
    contexts: dict[str, JSONObject] = field(default_factory=dict)
    outputs: dict[str, JSONObject] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    changes: list[Change] = field(default_factory=list)

    def definition_of(self, execution: Execution) -> WorkflowDefinition:
        """The frozen definition that an execution runs."""
        return self.definitions[execution.version_id]

    def put(self, execution: Execution, steps: list[Step], definition: WorkflowDefinition) -> None:
        """Bring rows in as the database holds them."""
        self.executions[execution.id] = execution
        self.steps[execution.id] = {step.step_id: step for step in steps}
        self.definitions[execution.version_id] = definition

    def create(self, execution: Execution, steps: list[Step], context: JSONObject) -> None:
        """A new execution with the first attempts of its steps: one change for all of them (J2)."""
        self.revision += 1
        born = replace(execution, revision=self.revision)
        self.executions[born.id] = born
        self.steps[born.id] = {step.step_id: replace(step, revision=self.revision) for step in steps}
        self.contexts[born.id] = context
        self.created.add(born.id)
        self.created.update(step.id for step in steps)
        image = {**execution_image(born), "context": context, "steps": [first_image(step) for step in steps]}
        self._record(ChangeKind.EXECUTION_CREATED, born.id, (None, born.runtime_status), image)

    def move_execution(
        self, execution_id: str, wanted: ExecutionStatus, kind: ChangeKind, **fields: Any
    ) -> None:
        """Change an execution's status by the table, with its time."""
        before = self.executions[execution_id]
        current = before.runtime_status
        if not may_become(current, wanted):
            raise InvalidTransition.between(before.id, f"Execution {before.name!r}", current, wanted)
        self.revision += 1
        stamp: dict[str, Any] = {_EXECUTION_STAMPS[wanted]: self.now}
        after = replace(before, runtime_status=wanted, revision=self.revision, **stamp, **fields)
        self.executions[execution_id] = after
        self.changed.add(execution_id)
        self._record(kind, execution_id, (current, wanted), execution_image(after), reason=after.reason)

    def move_step(self, step: Step, wanted: StepStatus, kind: ChangeKind, **fields: Any) -> Step:
        """Change the status of an attempt by the table, with its time; its execution shows the activity."""
        if not may_become(step.status, wanted):
            raise InvalidTransition.between(step.id, f"Step {step.step_id!r}", step.status, wanted)
        stamp: dict[str, Any] = {_STEP_STAMPS[wanted]: self.now}
        return self.change_step(replace(step, status=wanted, **stamp, **fields), kind, step.status)

    def change_step(self, after: Step, kind: ChangeKind, from_status: StepStatus) -> Step:
        """Put a changed attempt in its place, under the next revision."""
        self.revision += 1
        after = replace(after, revision=self.revision)
        self.steps[after.execution_id][after.step_id] = after
        self.changed.update((after.id, after.execution_id))
        execution = self.executions[after.execution_id]
        self.executions[execution.id] = replace(execution, revision=self.revision, last_activity_at=self.now)
        statuses = (from_status, after.status)
        self._record(kind, execution.id, statuses, step_image(after), step=after)
        return after

    def _record(
        self,
        kind: ChangeKind,
        execution_id: str,
        statuses: tuple[Status | None, Status],
        data: JSONObject,
        *,
        step: Step | None = None,
        reason: str | None = None,
    ) -> None:
        self.changes.append(
            Change(
                revision=self.revision,
                kind=kind,
                at=self.now,
                execution_id=execution_id,
                step_execution_id=step.id if step else None,
                from_status=statuses[0],
                to_status=statuses[1],
                attempt=step.attempt if step else None,
                reason=reason,
                data=data,
            )
        )
