"""Why a step stands as it does: what it waits for, or what disabled it and what that read."""

from dataclasses import dataclass, field
from typing import Any

from db.runtime.definition import StepType, WorkflowDefinition
from db.runtime.moments import timestamp_text
from db.runtime.paths import reachable, reversed_graph
from db.runtime.statuses import ExecutionStatus, StepStatus
from db.runtime.tree import Tree
from db.runtime.values import DisabledBy, Step


@dataclass(frozen=True, slots=True)
class Explanation:
    """`reads` are pairs of path and value of the expression, as they were when it decided."""

    summary: str
    waiting_for: list[str] = field(default_factory=list)
    expression: str | None = None
    reads: list[dict[str, Any]] = field(default_factory=list)


_DISABLED_BY = {
    DisabledBy.DEFAULT: "Its policy begins Disabled",
    DisabledBy.POLICY: "Its policy was not true",
    DisabledBy.ARRIVAL: "The transition that entered it disables it",
    DisabledBy.COMMAND: "A command disabled it",
    DisabledBy.CANCEL: "Its execution was cancelled while it was in progress",
}


def explain(tree: Tree, step: Step, detail: dict[str, Any] | None) -> Explanation:
    """Explain an attempt; `detail` is what its policy read when it last decided."""
    if not step.is_current:
        return Explanation(f"It is {step.status.name}, and a later attempt has taken its place.")
    match step.status:
        case StepStatus.NOT_STARTED:
            return _not_started(tree, step)
        case StepStatus.IN_PROGRESS:
            return Explanation(_in_progress(step))
        case StepStatus.DISABLED:
            return _disabled(step, detail)
        case StepStatus.FAILED:
            return Explanation(_failed(step))
        case StepStatus.COMPLETED:
            return Explanation("It is completed.")


def _in_progress(step: Step) -> str:
    if step.type is StepType.SYS_SUB_WORKFLOW:
        return f"It waits for {step.open_children or 0} of its children to end."
    if step.type is StepType.SYS_TASK:
        return "It waits for a worker: completeStep or failStep ends it."
    return "It waits for a person: completeStep or failStep ends it."


def _disabled(step: Step, detail: dict[str, Any] | None) -> Explanation:
    assert step.disabled_by is not None
    flow = "flow has gone through it" if step.passed_at else "flow will go through it"
    summary = f"{_DISABLED_BY[step.disabled_by]}; {flow}."
    if step.disabled_by is not DisabledBy.POLICY or detail is None:
        return Explanation(summary)
    return Explanation(summary, [], detail["expression"], detail["reads"])


def _failed(step: Step) -> str:
    why = f"It failed with {step.failure_code}: {step.failure_message}"
    if step.retry_at is not None:
        return f"{why} The next attempt is scheduled for {timestamp_text(step.retry_at)}; retryStep makes it now."
    skipped = ", disableStep skips it" if step.type.waits else ""
    return f"{why} retryStep makes another attempt{skipped}."


def _not_started(tree: Tree, step: Step) -> Explanation:
    execution = tree.executions[step.execution_id]
    if execution.runtime_status is ExecutionStatus.NOT_STARTED:
        return Explanation("The execution has not been started.")
    if execution.runtime_status is not ExecutionStatus.IN_PROGRESS:
        return Explanation(f"Flow did not arrive before the execution was {execution.runtime_status.name}.")
    definition = tree.definition_of(step.execution_id)
    before = _before(definition, step)
    live = [
        each for each in tree.steps[step.execution_id].values() if each.is_live and each.step_id in before
    ]
    names = ", ".join(repr(each.step_id) for each in live)
    if not live:
        return Explanation(
            "Flow has not arrived, and no step from which it could come is in progress or failed."
        )
    if step.entered_by:
        return Explanation(
            f"It waits for all branches that can still arrive: {names}.", [each.id for each in live]
        )
    return Explanation(f"Flow has not arrived; it may come from {names}.", [each.id for each in live])


def _before(definition: WorkflowDefinition, step: Step) -> set[str] | frozenset[str]:
    """The steps from which flow can come here."""
    if step.step_id in definition.joins:
        return definition.reaching(step.step_id)
    forward = {each.id: [out.to_step_id for out in definition.outgoing(each.id)] for each in definition.steps}
    backward = reversed_graph(forward)
    return reachable(backward.get(step.step_id, ()), backward)
