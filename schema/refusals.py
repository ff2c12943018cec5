"""From the runtime's refusals to the API's error types."""

import strawberry

from db.ids import IdKind, kind_of_id
from db.runtime import errors
from schema import results
from schema.projection.rows import Rows
from schema.step import Claim

Refused = (
    results.NotFound
    | results.InvalidTransition
    | results.RevisionConflict
    | results.ValidationFailed
    | results.ClaimLost
    | results.IdempotencyConflict
    | results.LimitExceeded
)

_TYPES = {
    IdKind.EXECUTION: "WorkflowExecution",
    IdKind.STEP_EXECUTION: "WorkflowStepExecution",
    IdKind.TEMPLATE: "WorkflowTemplate",
    IdKind.TEMPLATE_VERSION: "WorkflowTemplateVersion",
}


def refused(refusal: errors.Refusal) -> Refused:
    """A refusal as data."""
    match refusal:
        case errors.NotFound():
            return results.NotFound(message=refusal.message, id=strawberry.ID(refusal.id))
        case errors.InvalidTransition() | errors.RevisionConflict() | errors.ClaimLost():
            return _refused_as_it_is(refusal)
        case errors.ValidationFailed():
            issues = [results.ValidationIssue.of(issue) for issue in refusal.issues]
            return results.ValidationFailed(message=refusal.message, issues=issues)
        case errors.IdempotencyConflict():
            return results.IdempotencyConflict(message=refusal.message, key=refusal.key)
        case errors.LimitExceeded():
            return results.LimitExceeded(
                message=refusal.message,
                limit=refusal.limit,
                actual=refusal.actual,
                maximum=refusal.maximum,
            )
    raise AssertionError(f"no type for {type(refusal).__name__}")


def _refused_as_it_is(
    refusal: errors.InvalidTransition | errors.RevisionConflict | errors.ClaimLost,
) -> Refused:
    """A refusal that shows how the object, or its claim, is now."""
    match refusal:
        case errors.InvalidTransition():
            return results.InvalidTransition(
                message=refusal.message,
                current=refusal.current,
                wanted=refusal.wanted,
                allowed=list(refusal.allowed),
                node=node_rows(refusal.node_id),  # type: ignore[arg-type]  # projected
            )
        case errors.RevisionConflict():
            return results.RevisionConflict(
                message=refusal.message,
                expected_revision=refusal.expected,
                current_revision=refusal.current,
                node=node_rows(refusal.node_id),  # type: ignore[arg-type]  # projected
            )
        case errors.ClaimLost():
            claim = refusal.claim and Claim(**refusal.claim._asdict())
            return results.ClaimLost(message=refusal.message, claim=claim)


def node_rows(node_id: str) -> Rows:
    """The object that an id names; its type is told by the prefix."""
    kind = kind_of_id(node_id)
    assert kind is not None, node_id
    return Rows(_TYPES[kind], {"id": node_id})
