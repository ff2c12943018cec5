"""The two life cycles, as data. Nothing else in the house decides whether a status may change (`runtime.md` section 4)."""

from enum import StrEnum
from types import MappingProxyType


class ExecutionStatus(StrEnum):
    """Status of an execution, in the seed's spelling; the member's name is the API's."""

    NOT_STARTED = "NotStarted"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


class StepStatus(StrEnum):
    """Status of one attempt at a step."""

    NOT_STARTED = "NotStarted"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    DISABLED = "Disabled"
    FAILED = "Failed"


E, S = ExecutionStatus, StepStatus

# An ended status is listed with nothing after it: a status that is missing was forgotten, not ended.
EXECUTION_TRANSITIONS = MappingProxyType(
    {
        E.NOT_STARTED: (E.IN_PROGRESS,),
        E.IN_PROGRESS: (E.COMPLETED, E.FAILED, E.CANCELLED),
        E.COMPLETED: (),
        E.FAILED: (E.IN_PROGRESS,),
        E.CANCELLED: (),
    }
)
STEP_TRANSITIONS = MappingProxyType(
    {
        S.NOT_STARTED: (S.IN_PROGRESS, S.DISABLED),
        S.IN_PROGRESS: (S.COMPLETED, S.FAILED, S.DISABLED),
        S.COMPLETED: (),
        S.DISABLED: (S.NOT_STARTED,),
        S.FAILED: (),
    }
)

Status = ExecutionStatus | StepStatus


def allowed_from(status: Status) -> tuple[Status, ...]:
    """What `status` may become, in the table's order; empty for an ended one."""
    if isinstance(status, ExecutionStatus):
        return EXECUTION_TRANSITIONS[status]
    return STEP_TRANSITIONS[status]


def may_become(status: Status, wanted: Status) -> bool:
    """Whether the table has an arrow from `status` to `wanted`."""
    return wanted in allowed_from(status)
