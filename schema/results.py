"""What mutations answer. Expected errors are data: members of the result's union."""

from datetime import datetime
from typing import Annotated

import strawberry

from db import tables
from db.runtime import validation
from db.tables import table_of
from schema.change import Change
from schema.enums import Severity
from schema.execution import WorkflowExecution
from schema.node import Node
from schema.projection.arguments import Arguments
from schema.projection.declare import Argument, column, many, one, rows_of, sql, told
from schema.projection.rows import Row
from schema.step import Claim, WorkflowStepExecution
from schema.template import WorkflowTemplate, WorkflowTemplateVersion

_JOURNAL = table_of(tables.Journal)


@strawberry.type(description="One rule that a definition or a value breaks.")
class ValidationIssue:
    code: str = strawberry.field(description="The rule, such as `GRAPH_EXACTLY_ONE_START`.")
    severity: Severity = strawberry.field(description="Whether it keeps the command from being carried out.")
    message: str = strawberry.field(description="What is wrong, for people.")
    path: str = strawberry.field(description="JSON Pointer to the place.")
    step_id: str | None = strawberry.field(description="The step that is concerned.", default=None)
    transition_id: str | None = strawberry.field(
        description="The transition that is concerned.", default=None
    )

    @classmethod
    def of(cls, issue: validation.Issue) -> "ValidationIssue":
        """The runtime's issue as the API shows it."""
        return cls(
            code=issue.code,
            severity=issue.severity,
            message=issue.message,
            path=issue.path,
            step_id=issue.step_id,
            transition_id=issue.transition_id,
        )


@strawberry.interface(description="A command was refused and changed nothing.")
class Error:
    message: str = strawberry.field(description="What is wrong and where, for people.")


@strawberry.type(description="There is no such object, or it belongs to somebody else.")
class NotFound(Error):
    id: strawberry.ID = strawberry.field(description="The id or key that was given.")


@strawberry.type(description="The object's status does not admit the command.")
class InvalidTransition(Error):
    current: str = strawberry.field(description="The status that it has.")
    wanted: str = strawberry.field(description="The status that the command would have given it.")
    allowed: list[str] = strawberry.field(description="What its status may become.")
    node: Node = strawberry.field(description="The object as it is.")


@strawberry.type(description="The object has changed since the client read it; nothing was done.")
class RevisionConflict(Error):
    expected_revision: int = strawberry.field(description="The revision that the command was given.")
    current_revision: int = strawberry.field(description="The object's revision.")
    node: Node = strawberry.field(description="The object as it is.")


@strawberry.type(
    description="The claim is not the client's, or not any more: its token is not admitted, or none was given while one "
    "is needed."
)
class ClaimLost(Error):
    claim: Claim | None = strawberry.field(
        description="The claim that holds the step now; null where nobody holds it."
    )


@strawberry.type(description="The idempotency key was used before, for another mutation or another input.")
class IdempotencyConflict(Error):
    key: str = strawberry.field(description="The idempotency key that was given.")


@strawberry.type(description="A definition or a value breaks its rules.")
class ValidationFailed(Error):
    issues: list[ValidationIssue] = strawberry.field(description="Every issue that was found.")


@strawberry.type(description="A bound of the server would be passed.")
class LimitExceeded(Error):
    limit: str = strawberry.field(description="Which bound, and its unit.")
    actual: float = strawberry.field(description="What the command came to.")
    maximum: float = strawberry.field(description="What is allowed.")


def _made(payload: Row, change: Row, _: Arguments) -> str:
    between = f"{change.revision} > {payload.since} and {change.revision} <= {payload.revision}"
    return f"{change.root_id} = {payload.root_id} and {between}"


@rows_of(None)
class ClaimedStep:
    """A step that was handed to a worker, with the token that completes it."""

    step: WorkflowStepExecution = one("The step, as it is now.", "claimed_id")
    claim_token: str = column(
        "While the claim holds only this token completes, fails, extends or releases it."
    )
    lease_expires_at: datetime | None = column(
        "When the claim ends unless it is extended; null for an assignment, which holds until it is released."
    )


@rows_of(None)
class ClaimSuccess:
    """What was handed out, the step that has waited longest first; maybe less than was asked for, maybe nothing."""

    claimed: list[ClaimedStep] = told("The steps, each with its token.", "claims", "claimed_id")


@rows_of(None)
class TransitionSuccess:
    """What a command did: the tree's revision after it and the changes it made, cascades included."""

    workflow_execution: WorkflowExecution = one("The execution, as it is now.", "execution_id")
    step: WorkflowStepExecution | None = one(
        "The attempt that the command named, as it is now; null for commands on executions.",
        "step_execution_id",
    )
    revision: int = column("Revision of the tree after the command.")
    changes: list[Change] = many(
        "The changes that the command made, in order.",
        _made,
        "revision",
        [Argument("first", int | None, "How many at most, up to 500.", 100)],
    )
    change_count: int = sql(
        "How many changes the command made.", lambda payload, _: f"({payload.revision} - {payload.since})"
    )
    next: ClaimedStep | None = told(
        "The step that `completeStep(claimNext:)` claimed afterwards; null where none waits.",
        "claims",
        "claimed_id",
    )


@rows_of(None)
class TemplateSuccess:
    """What a command on a template did."""

    workflow_template: WorkflowTemplate = one("The template, as it is now.", "template_id")
    version: WorkflowTemplateVersion | None = one(
        "The version that the command concerned; null once it was deleted.", "version_id"
    )


TransitionResult = Annotated[
    TransitionSuccess
    | NotFound
    | InvalidTransition
    | RevisionConflict
    | ValidationFailed
    | ClaimLost
    | IdempotencyConflict
    | LimitExceeded,
    strawberry.union("TransitionResult", description="The changes that a command made, or why it made none."),
]
ClaimResult = Annotated[
    ClaimSuccess | NotFound | ClaimLost | InvalidTransition | IdempotencyConflict | LimitExceeded,
    strawberry.union(
        "ClaimResult", description="The steps that a worker has, or why the command was refused."
    ),
]
TemplateResult = Annotated[
    TemplateSuccess | NotFound | InvalidTransition | ValidationFailed | IdempotencyConflict | LimitExceeded,
    strawberry.union(
        "TemplateResult", description="The template after a command, or why the command was refused."
    ),
]
