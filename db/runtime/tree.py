"""The part of one tree that a command works on: plain values, and the only place that changes them.

`Tree` gives every change its revision and its after-image, so that rows and journal cannot disagree.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from db.runtime.changes import Change, ChangeKind
from db.runtime.definition import StepDefinition, WorkflowDefinition
from db.runtime.effects import Link
from db.runtime.errors import InvalidTransition
from db.runtime.images import execution_image, first_image, step_image
from db.runtime.statuses import ExecutionStatus, Status, StepStatus, may_become
from db.runtime.values import Execution, Step

JSONObject = dict[str, Any]

_UNCLAIMED = {"claim_worker": None, "claim_token": None, "claimed_at": None}

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
    # How many executions the tree has.
    size: int = 0
    # Who gives the command that is being decided.
    actor: str | None = None
    # Whether nobody else can write to the tree until the command has ended, or it is written only if nobody did.
    is_locked: bool = True
    executions: dict[str, Execution] = field(default_factory=dict)
    # Current attempts: execution id → step id → attempt, in definition order.
    steps: dict[str, dict[str, Step]] = field(default_factory=dict)
    definitions: dict[str, WorkflowDefinition] = field(default_factory=dict)
    contexts: dict[str, JSONObject] = field(default_factory=dict)
    # Items of batches by the id of the child that was started for them.
    items: dict[str, Any] = field(default_factory=dict)
    # Outputs by attempt id.
    outputs: dict[str, JSONObject] = field(default_factory=dict)
    # Executions whose context and outputs are all in the tree.
    with_data: set[str] = field(default_factory=set)
    # What this command wrote: ids of new rows with the bytes of new children's contexts, of changed rows, of contexts and
    # outputs, and attempts that were replaced.
    created: set[str] = field(default_factory=set)
    created_bytes: int = 0
    changed: set[str] = field(default_factory=set)
    # Attempts whose lease this command set; else it is left alone, for a heartbeat moves it without a revision (T3).
    leased: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    replaced: list[Step] = field(default_factory=list)
    links: list[tuple[str, Link]] = field(default_factory=list)
    # Children that another attempt lists now: child id → attempt id.
    adoptions: dict[str, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def put(self, execution: Execution, steps: list[Step], definition: WorkflowDefinition) -> None:
        """Bring rows in as the database holds them."""
        self.executions[execution.id] = execution
        self.steps[execution.id] = {step.step_id: step for step in steps}
        self.definitions[execution.version_id] = definition

    def put_data(self, execution_id: str, context: JSONObject, outputs: dict[str, JSONObject]) -> None:
        """Bring an execution's context and outputs in; what this command wrote stays."""
        self.contexts.setdefault(execution_id, context)
        self.outputs = {**outputs, **self.outputs}
        self.with_data.add(execution_id)

    def definition_of(self, execution_id: str) -> WorkflowDefinition:
        """The frozen definition that an execution runs."""
        return self.definitions[self.executions[execution_id].version_id]

    def step_definition(self, step: Step) -> StepDefinition:
        """The step of the definition that an attempt is one at."""
        return self.definition_of(step.execution_id).step(step.step_id)

    def current(self, step: Step) -> Step:
        """The attempt as it is now that stands where this one did."""
        return self.steps[step.execution_id][step.step_id]

    def create(
        self, execution: Execution, steps: list[Step], context: JSONObject, *, item: Any = None
    ) -> None:
        """A new execution with the first attempts of its steps: one change for all of them (J2)."""
        self.revision += 1
        self.size += 1
        born = execution._replace(revision=self.revision)
        self.executions[born.id] = born
        self.steps[born.id] = {step.step_id: step._replace(revision=self.revision) for step in steps}
        self.contexts[born.id] = context
        self.items[born.id] = item
        self.with_data.add(born.id)
        self.written.add(born.id)
        self.created.add(born.id)
        self.created.update(step.id for step in steps)
        image = {
            **execution_image(born),
            "context": context,
            "item": item,
            "steps": [first_image(step) for step in steps],
        }
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
        if kind is ChangeKind.EXECUTION_REOPENED:
            stamp = {"failed_at": None, "failure_code": None, "failure_message": None}
        after = before._replace(runtime_status=wanted, revision=self.revision, **stamp, **fields)
        self.executions[execution_id] = after
        self.changed.add(execution_id)
        self._record(kind, execution_id, (current, wanted), execution_image(after), reason=after.reason)

    def set_context(self, execution_id: str, context: JSONObject) -> None:
        """Give an execution another context (I2)."""
        self.revision += 1
        after = self.executions[execution_id]._replace(revision=self.revision)
        self.executions[execution_id] = after
        self.contexts[execution_id] = context
        self.written.add(execution_id)
        self.changed.add(execution_id)
        status = after.runtime_status
        image = {**execution_image(after), "context": context}
        self._record(ChangeKind.CONTEXT_UPDATED, execution_id, (status, status), image)

    def set_output(self, step: Step, output: JSONObject) -> None:
        """What an attempt was completed with; written once."""
        self.outputs[step.id] = output
        self.written.add(step.id)

    def move_step(self, step: Step, wanted: StepStatus, kind: ChangeKind, **fields: Any) -> Step:
        """Change the status of an attempt by the table, with its time; its execution shows the activity."""
        if not may_become(step.status, wanted):
            raise InvalidTransition.between(step.id, f"Step {step.step_id!r}", step.status, wanted)
        stamp: dict[str, Any] = {}
        if wanted in _STEP_STAMPS:
            stamp = {_STEP_STAMPS[wanted]: self.now}
        detail, reason = fields.pop("detail", None), fields.pop("reason", None)
        if step.claim_worker is not None:
            stamp |= _UNCLAIMED  # a claim ends with what was claimed
        after = step._replace(status=wanted, revision=self.revision + 1, **stamp, **fields)
        return self._put_step(after, kind, step.status, detail, reason)

    def change_step(
        self,
        after: Step,
        kind: ChangeKind,
        from_status: StepStatus | None,
        *,
        detail: JSONObject | None = None,
        reason: str | None = None,
    ) -> Step:
        """Put a changed attempt in its place, under the next revision."""
        return self._put_step(after._replace(revision=self.revision + 1), kind, from_status, detail, reason)

    def _put_step(
        self,
        after: Step,
        kind: ChangeKind,
        from_status: StepStatus | None,
        detail: JSONObject | None,
        reason: str | None,
    ) -> Step:
        self.revision += 1
        self.steps[after.execution_id][after.step_id] = after
        self.changed.update((after.id, after.execution_id))
        execution = self.executions[after.execution_id]
        self.executions[execution.id] = execution._replace(revision=self.revision, last_activity_at=self.now)
        statuses = (from_status, after.status)
        self._record(
            kind, execution.id, statuses, step_image(after), step=after, detail=detail, reason=reason
        )
        return after

    def replace_step(self, after: Step, *, reason: str | None = None) -> Step:
        """Put a new attempt in the place of the current one (S3)."""
        before = self.current(after)
        self.replaced.append(before._replace(is_current=False))
        self.changed.add(before.id)
        self.created.add(after.id)
        return self.change_step(after, ChangeKind.STEP_CREATED, None, reason=reason)

    def adopt(self, child_id: str, step_execution_id: str) -> None:
        """Tie a child to another attempt of its parent's step; which child changes its row, but not visibly."""
        self.adoptions[child_id] = step_execution_id
        if child_id in self.executions:
            self.executions[child_id] = self.executions[child_id]._replace(parent_step_id=step_execution_id)

    def count_children(self, step: Step, open_children: int) -> Step:
        """Note how many children of an attempt have not ended; not visible, so no change of its own."""
        after = self.current(step)._replace(open_children=open_children)
        self.steps[after.execution_id][after.step_id] = after
        self.changed.add(after.id)
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
        detail: JSONObject | None = None,
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
                actor=self.actor,
                detail=detail,
            )
        )
