"""The rows of a tree as plain values, without what may be large: an execution's context, an attempt's output."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from db.runtime.definition import StepType
from db.runtime.statuses import ExecutionStatus, StepStatus


class DisabledBy(StrEnum):
    """What disabled an attempt (S5, S6)."""

    DEFAULT = "DEFAULT"
    POLICY = "POLICY"
    ARRIVAL = "ARRIVAL"
    COMMAND = "COMMAND"
    CANCEL = "CANCEL"


class Execution(NamedTuple):
    """An execution; a decision rarely needs its context."""

    id: str
    root_id: str
    path: str
    version_id: str
    name: str
    correlation_id: str
    runtime_status: ExecutionStatus
    created_at: datetime
    revision: int
    parent_id: str | None = None
    parent_step_id: str | None = None
    depth: int = 0
    child_index: int | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    failed_at: datetime | None = None
    cancelled_at: datetime | None = None
    last_activity_at: datetime | None = None
    failure_code: str | None = None
    failure_message: str | None = None
    reason: str | None = None


class Step(NamedTuple):
    """One attempt at a step (S3)."""

    id: str
    execution_id: str
    version_id: str
    step_id: str
    position: int
    type: StepType
    name: str
    attempt: int
    is_current: bool
    status: StepStatus
    created_at: datetime
    revision: int
    started_at: datetime | None = None
    completed_at: datetime | None = None
    failed_at: datetime | None = None
    disabled_at: datetime | None = None
    passed_at: datetime | None = None
    disabled_by: DisabledBy | None = None
    entered_by: tuple[str, ...] = ()
    due_at: datetime | None = None
    retry_at: datetime | None = None
    failure_code: str | None = None
    failure_message: str | None = None
    # The first attempt since a transition or `retryStep` last entered the step: `retry` counts from it (S4).
    entry_attempt: int = 1
    # Whether `disableStep` or `enableStep` outranks the policy for this attempt (S5).
    is_overridden: bool = False
    # Of a sub-workflow step in progress: how many of its children have not ended.
    open_children: int | None = None
    # When it was found past `due_at` (T1).
    overdue_at: datetime | None = None
    # Who works on it, and until when; without an end it is an assignment (T3).
    claim_worker: str | None = None
    claim_token: str | None = None
    claimed_at: datetime | None = None
    lease_expires_at: datetime | None = None

    @property
    def is_overdue(self) -> bool:
        """Its due date has passed, and it is not done (T1)."""
        return self.overdue_at is not None and self.status is StepStatus.IN_PROGRESS

    @property
    def is_scheduled(self) -> bool:
        """Failed, and its next attempt will start at `retry_at` (S4)."""
        return self.retry_at is not None

    @property
    def is_waiting(self) -> bool:
        """InProgress or scheduled: something will happen by itself or by somebody."""
        return self.status is StepStatus.IN_PROGRESS or self.is_scheduled

    @property
    def is_live(self) -> bool:
        """InProgress, scheduled or Failed: flow may yet come from it (F5)."""
        return self.status in (StepStatus.IN_PROGRESS, StepStatus.FAILED)

    @property
    def has_ended(self) -> bool:
        """Entering it again takes a new attempt (F4)."""
        if self.status is StepStatus.DISABLED:
            return self.passed_at is not None
        return self.status is StepStatus.COMPLETED or (
            self.status is StepStatus.FAILED and not self.is_scheduled
        )


@dataclass(frozen=True, slots=True)
class Place:
    """The attempt that a command names, and its execution."""

    execution_id: str
    step_execution_id: str
