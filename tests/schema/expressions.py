"""Expressions for `evaluateExpression`, and what each comes to over an execution: a value, or why there is none."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tests.schema.rows import Row

if TYPE_CHECKING:
    from tests.schema.reference import Reference

Come = Callable[["Reference", Row], tuple[Any, str | None]]


def _constant(value: Any, error: str | None = None) -> Come:
    return lambda _, __: (value, error)


def _execution(_: "Reference", execution: Row) -> tuple[Any, str | None]:
    shown = {"id": execution["id"], "correlationId": execution["correlation_id"], "name": execution["name"]}
    return shown, None


def _started(reference: "Reference", execution: Row) -> tuple[Any, str | None]:
    start = reference.one(
        "WorkflowStepExecution", execution_id=execution["id"], step_id="start", is_current=True
    )
    assert start is not None
    return start["started_at"], None


EXPRESSIONS: Mapping[str, Come] = {
    "__context__.on": lambda _, execution: (execution["context"].get("on"), None),
    "__execution__": _execution,
    "__steps__.start.startedAt": _started,
    "__context__.no.such.path": _constant(None),
    "{'a': null, 'b': [null, 1.5, true]}": _constant({"a": None, "b": [None, 1.5, True]}),
    "$error('boom')": _constant(None, "The expression $error('boom') failed: boom."),
    "1 +": _constant(None, "Unexpected end of expression. Near character 3."),
}
