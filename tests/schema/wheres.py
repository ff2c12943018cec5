"""What a `where` comes to, row by row and in plain Python (`reference.py`)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.schema.labels import label
from tests.schema.rows import Digits, Row

if TYPE_CHECKING:
    from tests.schema.reference import Reference

Where = Mapping[str, Any]
ABSENT = object()

_COLUMNS = {
    "id": "id",
    "name": "name",
    "key": "key",
    "correlationId": "correlation_id",
    "runtimeStatus": "runtime_status",
    "workflowTemplateVersionId": "version_id",
    "parentWorkflowExecutionId": "parent_id",
    "createdAt": "created_at",
    "startedAt": "started_at",
    "completedAt": "completed_at",
    "failedAt": "failed_at",
    "cancelledAt": "cancelled_at",
    "lastActivityAt": "last_activity_at",
    "stepId": "step_id",
    "type": "type",
    "status": "status",
    "attempt": "attempt",
    "dueAt": "due_at",
}
_LABELS = {"runtimeStatus", "status", "type"}


def matches(reference: "Reference", row: Row, where: Where | None) -> bool:
    """Whether all that is given holds; null is the same as not given."""
    given = {} if where is None else where
    return all(_holds(reference, row, name, value) for name, value in given.items() if value is not None)


def _holds(reference: "Reference", row: Row, name: str, value: Any) -> bool:
    match name:
        case "and":
            return all(matches(reference, row, each) for each in value)
        case "or":
            return any(matches(reference, row, each) for each in value)
        case "not":
            return not matches(reference, row, value)
        case "step":
            steps = reference.all("WorkflowStepExecution", execution_id=row["id"], is_current=True)
            return any(matches(reference, step, value) for step in steps)
        case "workflowExecution":
            execution = reference.one("WorkflowExecution", id=row["execution_id"])
            return execution is not None and matches(reference, execution, value)
        case "context" | "outputData":
            document = row["context" if name == "context" else "output_data"]
            return all(_found(document, each) for each in value)
    if name in _BOOLEANS:
        return _BOOLEANS[name](row) is value
    return _compared(_value(reference, row, name), value)


def is_overdue(row: Row) -> bool:
    """As the step shows."""
    return row["overdue_at"] is not None and str(row["status"]) == "InProgress"


def claim_of(row: Row) -> Row | None:
    """Who works on a step; leases of these worlds end long ago or far ahead."""
    lease = row["lease_expires_at"]
    is_over = lease is not None and _moment(lease) <= datetime.now(UTC)
    if row["claim_worker"] is None or str(row["status"]) != "InProgress" or is_over:
        return None
    return {"worker": row["claim_worker"], "claimedAt": row["claimed_at"], "leaseExpiresAt": lease}


_BOOLEANS: Mapping[str, Callable[[Row], bool]] = {
    "isRoot": lambda row: row["parent_id"] is None,
    "isOverdue": is_overdue,
    "isClaimed": lambda row: claim_of(row) is not None,
    "hasActiveVersion": lambda row: row["active_version_id"] is not None,
}


def _value(reference: "Reference", row: Row, name: str) -> Any:
    match name:
        case "rootWorkflowExecutionId":
            return None if row["parent_id"] is None else row["root_id"]
        case "claimedBy":
            claim = claim_of(row)
            return claim and claim["worker"]
        case "workflowTemplateKey":
            version = reference.one("WorkflowTemplateVersion", id=row["version_id"])
            template = version and reference.one("WorkflowTemplate", id=version["template_id"])
            return template and template["key"]
    value = row[_COLUMNS[name]]
    return label(value) if name in _LABELS else value


def _compared(value: Any, operators: Where) -> bool:
    return all(_operator(name, value, operand) for name, operand in operators.items() if operand is not None)


def _operator(name: str, value: Any, operand: Any) -> bool:
    if name == "isNull":
        return (value is None) is operand
    if value is None:
        return False
    if name in ("gt", "gte", "lt", "lte"):
        mine, theirs = (_moment(each) if isinstance(each, str) else each for each in (value, operand))
        return bool(
            {"gt": mine > theirs, "gte": mine >= theirs, "lt": mine < theirs, "lte": mine <= theirs}[name]
        )
    match name:
        case "eq":
            return bool(value == operand)
        case "in":
            return value in operand
        case "startsWith":
            return str(value).startswith(operand)
    assert name == "contains"
    return operand in value


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.upper())


def _found(document: Any, given: Where) -> bool:
    value = document
    for name in given["path"].split("."):
        value = value.get(name, ABSENT) if isinstance(value, dict) else ABSENT
    if given.get("exists") is not None and (value is not ABSENT) is not given["exists"]:
        return False
    if "eq" in given and not _is_same(value, given["eq"]):
        return False
    return given.get("in") is None or any(_is_same(value, each) for each in given["in"])


def _is_same(value: Any, wanted: Any) -> bool:
    return (
        scalar(value) == scalar(wanted)
        if value is not ABSENT and not isinstance(value, dict | list)
        else False
    )


def scalar(value: Any) -> tuple[str, Any]:
    """A value with its type in JSON, which knows one kind of number."""
    if isinstance(value, Digits):
        return "number", Decimal(value)
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return type(value).__name__, value
    return "number", Decimal(repr(value))
