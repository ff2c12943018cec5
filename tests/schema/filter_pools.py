"""What filters are drawn of: the values of the rows that they are about."""

from collections.abc import Iterator, Sequence
from typing import Any

from tests.schema.inputs import Label
from tests.schema.labels import label
from tests.schema.reference import Reference
from tests.schema.rows import Digits, Row
from tests.schema.wheres import scalar

_NEVER = "2024-02-29T23:59:59.500000Z"
_TEXTS = {
    "WorkflowExecutionWhere": (
        "WorkflowExecution",
        {
            "id": "id",
            "name": "name",
            "correlationId": "correlation_id",
            "workflowTemplateVersionId": "version_id",
            "parentWorkflowExecutionId": "parent_id",
            "rootWorkflowExecutionId": "root_id",
        },
    ),
    "WorkflowStepExecutionWhere": (
        "WorkflowStepExecution",
        {"id": "id", "stepId": "step_id", "claimedBy": "claim_worker"},
    ),
    "WorkflowTemplateWhere": ("WorkflowTemplate", {"key": "key", "name": "name"}),
}
_TIMES = {
    "WorkflowExecutionWhere": ("created", "started", "completed", "failed", "cancelled", "last_activity"),
    "WorkflowStepExecutionWhere": ("started", "completed", "failed", "due"),
}
_LABELS = {
    "WorkflowExecutionWhere": {"runtimeStatus": "runtime_status"},
    "WorkflowStepExecutionWhere": {"type": "type", "status": "status"},
}
_DOCUMENTS = {
    "WorkflowExecutionWhere.context": ("WorkflowExecution", "context"),
    "WorkflowStepExecutionWhere.outputData": ("WorkflowStepExecution", "output_data"),
}


def filter_values(reference: Reference) -> dict[str, Sequence[Any]]:
    """Values by input type and member."""
    found: dict[str, Sequence[Any]] = {
        "WorkflowStepExecutionWhere.attempt": (0, 1, 2, 3),
        "WorkflowExecutionWhere.workflowTemplateKey": _held(reference.objects["WorkflowTemplate"], "key"),
    }
    for where, (type_name, columns) in _TEXTS.items():
        rows = reference.objects[type_name]
        found |= {f"{where}.{name}": [*_held(rows, column), "none"] for name, column in columns.items()}
        for name, column in _LABELS.get(where, {}).items():
            found[f"{where}.{name}"] = [Label(label(value)) for value in _held(rows, column)]
        for time in _TIMES.get(where, ()):
            found[f"{where}.{_camel(time)}At"] = [*_held(rows, f"{time}_at"), _NEVER]
    return found


def filter_documents(reference: Reference) -> dict[str, Sequence[tuple[str, Any]]]:
    """Paths that a filter can name, with what is there, by input type and member; the same once, however often it is."""
    pools: dict[str, Sequence[tuple[str, Any]]] = {}
    for member, (type_name, column) in _DOCUMENTS.items():
        places = [place for row in reference.objects[type_name] for place in _places(row[column], ())]
        pools[member] = list(
            {(path, scalar(value)): (path, value) for path, value in places if path}.values()
        )
    return pools


def _places(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list | dict):
        yield ".".join(path), "no scalar"
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for name, member in members:
            # An index is no name, but may be mistaken for one, or arrays be looked into without.
            if str(name).replace("_", "").isalnum():
                yield from _places(member, (*path, str(name)))
            if isinstance(value, list):
                yield from _places(member, path)
    else:
        yield ".".join(path), _writable(value)


def _writable(value: Any) -> Any:
    """PostgreSQL shows 1e21 with all its digits; nobody may send an integer of so many."""
    is_long = type(value) is int and not -(2**63) <= value < 2**63
    return float(value) if isinstance(value, Digits) or is_long else value


def _held(rows: Sequence[Row], column: str) -> list[Any]:
    return [row[column] for row in rows if row[column] is not None]


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)
