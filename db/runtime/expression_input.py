"""What expressions read (`runtime.md` section 3): the context, the steps, the item, the execution itself."""

from typing import Any

from db.runtime.effects import Decision, LoadData
from db.runtime.moments import timestamp_text
from db.runtime.tree import JSONObject, Tree
from db.runtime.values import Step


def expression_input(tree: Tree, execution_id: str) -> Decision[JSONObject]:
    """The input of an execution's expressions, as the tree stands at this moment of the command."""
    if execution_id not in tree.with_data:
        yield LoadData(execution_id)
    execution = tree.executions[execution_id]
    return {
        "__context__": tree.contexts[execution_id],
        "__steps__": {step.step_id: _shown(tree, step) for step in tree.steps[execution_id].values()},
        "__execution__": {
            "id": execution.id,
            "correlationId": execution.correlation_id,
            "name": execution.name,
        },
    }


def with_item(data: JSONObject, item: Any) -> JSONObject:
    """The same input for one item of a batch."""
    return {**data, "__each__": item}


def _shown(tree: Tree, step: Step) -> JSONObject:
    """A current attempt in the seed's spelling; what is not set is absent."""
    shown = {
        "id": step.id,
        "type": step.type.value,
        "stepId": step.step_id,
        "status": step.status.value,
        "attempt": step.attempt,
        "outputData": tree.outputs.get(step.id),
    }
    for name, moment in (
        ("startedAt", step.started_at),
        ("completedAt", step.completed_at),
        ("failedAt", step.failed_at),
        ("dueAt", step.due_at),
    ):
        shown[name] = None if moment is None else timestamp_text(moment)
    return {name: value for name, value in shown.items() if value is not None}
