"""What `orderBy` takes. The value of a field's member is the column's name."""

from enum import Enum

import strawberry

from schema.describing import describe_values
from schema.projection.declare import OrderDirection

strawberry.enum(
    OrderDirection,
    name="OrderDirection",
    description="Which way an order goes. Nulls come last in both; text goes by code point; id decides between equals.",
)


@strawberry.enum(description="What executions can be ordered by.")
class WorkflowExecutionOrderField(Enum):
    CREATED_AT = "created_at"
    STARTED_AT = "started_at"
    LAST_ACTIVITY_AT = "last_activity_at"
    COMPLETED_AT = "completed_at"
    NAME = "name"


@strawberry.enum(description="What steps can be ordered by.")
class WorkflowStepExecutionOrderField(Enum):
    STARTED_AT = "started_at"
    DUE_AT = "due_at"


describe_values(OrderDirection, WorkflowExecutionOrderField, WorkflowStepExecutionOrderField)

_FIELD = "By what. A field that is named again further on has no effect there."


@strawberry.input(description="One key of an order of executions.")
class WorkflowExecutionOrder:
    field: WorkflowExecutionOrderField = strawberry.field(description=_FIELD)
    direction: OrderDirection = strawberry.field(description="Which of its ends comes first.")


@strawberry.input(description="One key of an order of steps.")
class WorkflowStepExecutionOrder:
    field: WorkflowStepExecutionOrderField = strawberry.field(description=_FIELD)
    direction: OrderDirection = strawberry.field(description="Which of its ends comes first.")
