"""The rows of a tree as plain values, without what may be large: an execution's context, an attempt's output."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from db.runtime.definition import StepType
from db.runtime.statuses import ExecutionStatus, StepStatus


class DisabledBy(StrEnum):
    """What disabled an attempt (S5, S6)."""

    DEFAULT = "DEFAULT"
    POLICY = "POLICY"
    ARRIVAL = "ARRIVAL"
    COMMAND = "COMMAND"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True)
class Execution:
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


@dataclass(frozen=True, slots=True)
class Step:
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
    disabled_by: DisabledBy | None = None
    entered_by: tuple[str, ...] = ()
    due_at: datetime | None = None
    failure_code: str | None = None
    failure_message: str | None = None
