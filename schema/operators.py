"""The operators that a `where` compares values by. Several in one object must all hold; null is the same as absent."""

from datetime import datetime
from typing import Any

import strawberry

from schema.enums import ExecutionStatus, StepStatus, StepType
from schema.scalars import JSON


def _operator(description: str, name: str | None = None) -> Any:
    return strawberry.field(description=description, name=name, default=strawberry.UNSET)


_EQUAL = "Equal to this."
_AMONG = "Equal to one of these, at most 500; an empty list matches nothing."
_NULL = "Whether it is null."


@strawberry.input(description="By id. A malformed id is no error and equals nothing.")
class IDFilter:
    eq: strawberry.ID | None = _operator(_EQUAL)
    in_: list[strawberry.ID] | None = _operator(_AMONG, "in")
    is_null: bool | None = _operator(_NULL)


@strawberry.input(description="By text: by code point, case-sensitive, without wildcards.")
class StringFilter:
    eq: str | None = _operator(_EQUAL)
    in_: list[str] | None = _operator(_AMONG, "in")
    starts_with: str | None = _operator("Begins with this.")
    contains: str | None = _operator("Has this somewhere in it.")


@strawberry.input(description="By moment, to the microsecond. Null is neither before nor after anything.")
class DateTimeFilter:
    gt: datetime | None = _operator("After this moment.")
    gte: datetime | None = _operator("At this or after it.")
    lt: datetime | None = _operator("Before this moment.")
    lte: datetime | None = _operator("At this or before it.")
    is_null: bool | None = _operator(_NULL)


@strawberry.input(description="By whole number.")
class IntFilter:
    eq: int | None = _operator(_EQUAL)
    gt: int | None = _operator("Greater than this.")
    gte: int | None = _operator("This or greater.")
    lt: int | None = _operator("Less than this.")
    lte: int | None = _operator("This or less.")


_AMONG_LABELS = "One of these; an empty list matches nothing."


@strawberry.input(description="By an execution's status.")
class WorkflowRuntimeStatusFilter:
    eq: ExecutionStatus | None = _operator(_EQUAL)
    in_: list[ExecutionStatus] | None = _operator(_AMONG_LABELS, "in")


@strawberry.input(description="By an attempt's status.")
class WorkflowRuntimeStepStatusFilter:
    eq: StepStatus | None = _operator(_EQUAL)
    in_: list[StepStatus] | None = _operator(_AMONG_LABELS, "in")


@strawberry.input(description="By a step's type.")
class WorkflowStepTypeFilter:
    eq: StepType | None = _operator(_EQUAL)
    in_: list[StepType] | None = _operator(_AMONG_LABELS, "in")


@strawberry.input(
    description='A value inside `context` or `outputData`. Types are compared too: `1` is neither `"1"` nor `true`, '
    "but it is `1.0`."
)
class JSONPathFilter:
    path: str = strawberry.field(
        description="Names joined by dots, such as `customer.type`; each is a key of an object, never an index of an array."
    )
    eq: JSON | None = _operator(
        "There is this text, number, boolean or null; given as null it finds a null that is there."
    )
    in_: list[JSON] | None = _operator("One of these texts, numbers or booleans, at most 500.", "in")
    exists: bool | None = _operator("Whether there is a value at all, be it null.")
