"""The changes that a decision makes; each becomes one journal row (`live.md` J1, J2)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from db.runtime.statuses import Status


class ChangeKind(StrEnum):
    """What happened, as a past participle."""

    EXECUTION_CREATED = "EXECUTION_CREATED"
    EXECUTION_STARTED = "EXECUTION_STARTED"
    EXECUTION_COMPLETED = "EXECUTION_COMPLETED"
    EXECUTION_FAILED = "EXECUTION_FAILED"
    EXECUTION_CANCELLED = "EXECUTION_CANCELLED"
    EXECUTION_REOPENED = "EXECUTION_REOPENED"
    CONTEXT_UPDATED = "CONTEXT_UPDATED"
    STEP_CREATED = "STEP_CREATED"
    STEP_ARRIVED = "STEP_ARRIVED"
    STEP_STARTED = "STEP_STARTED"
    STEP_COMPLETED = "STEP_COMPLETED"
    STEP_FAILED = "STEP_FAILED"
    STEP_DISABLED = "STEP_DISABLED"
    STEP_ENABLED = "STEP_ENABLED"
    STEP_RETRY_SCHEDULED = "STEP_RETRY_SCHEDULED"
    STEP_OVERDUE = "STEP_OVERDUE"
    STEP_DUE_DATE_SET = "STEP_DUE_DATE_SET"
    STEP_CLAIMED = "STEP_CLAIMED"
    STEP_RELEASED = "STEP_RELEASED"
    STEP_CLAIM_EXPIRED = "STEP_CLAIM_EXPIRED"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one row, with the row's visible fields after it (`data`, in the API's names)."""

    revision: int
    kind: ChangeKind
    at: datetime
    execution_id: str
    step_execution_id: str | None
    from_status: Status | None
    to_status: Status | None
    attempt: int | None
    reason: str | None
    data: dict[str, Any]
    # Who caused it; None for the server itself and where nobody is authenticated.
    actor: str | None = None
    # Of a policy that disabled or enabled a step: the expression and what it read, for `explainStep` (S5).
    detail: dict[str, Any] | None = None
