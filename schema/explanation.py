"""Why a step stands as it does, and what an expression comes to."""

import strawberry

from schema.scalars import JSON
from schema.step import WorkflowStepExecution


@strawberry.type(description="What an expression read.")
class ExpressionRead:
    path: str = strawberry.field(description="Where, such as `__context__.company.type`.")
    value: JSON | None = strawberry.field(description="What stood there, cut at 1 KiB.")


@strawberry.type(description="Why a step stands as it does.")
class StepExplanation:
    summary: str = strawberry.field(description="One or two sentences for people.")
    waiting_for: list[WorkflowStepExecution] = strawberry.field(
        description="The steps that it waits for, or from which flow may come."
    )
    expression: str | None = strawberry.field(description="The policy that disabled it.")
    reads: list[ExpressionRead] = strawberry.field(description="What that policy read when it decided.")


@strawberry.type(description="What an expression came to: a value, or why there is none.")
class ExpressionResult:
    value: JSON | None = strawberry.field(description="The value; null also where JSONata finds nothing.")
    error: str | None = strawberry.field(description="Why it could not be evaluated.")
