"""Features that a definition may use but this version of the server does not execute."""

from collections.abc import Iterator

from db.runtime.definition import StepDefinition, StepType, WorkflowDefinition
from db.runtime.json_values import Part, json_pointer
from db.runtime.validation.issues import Issue, IssueCode, Severity
from db.runtime.validation.paths import cycles


def unsupported_features(definition: WorkflowDefinition) -> list[Issue]:
    """`NOT_SUPPORTED` for each use of what is not executed yet, in document order."""
    return [*_in_steps(definition), *_in_transitions(definition), *_cycles(definition)]


def _in_steps(definition: WorkflowDefinition) -> Iterator[Issue]:
    for index, step in enumerate(definition.steps):
        if step.type.is_gateway or step.type is StepType.SYS_SUB_WORKFLOW:
            yield _issue(f"Steps of type {step.type}", ("steps", index, "type"), step_id=step.id)
        if step.activation_policy is not None:
            yield _issue("Activation policies", ("steps", index, "activationPolicy"), step_id=step.id)
        if _retries(step):
            yield _issue("Retry policies", ("steps", index, "retry"), step_id=step.id)


def _retries(step: StepDefinition) -> bool:
    return step.retry is not None and (step.retry.max_attempts > 1 or step.retry.backoff is not None)


def _in_transitions(definition: WorkflowDefinition) -> Iterator[Issue]:
    for index, transition in enumerate(definition.transitions):
        if transition.on_arrival is not None:
            path = ("stepTransitions", index, "onArrival")
            yield _issue("Statuses on arrival", path, transition_id=transition.id)


def _cycles(definition: WorkflowDefinition) -> Iterator[Issue]:
    order = [step.id for step in definition.steps]
    graph = {step_id: [each.to_step_id for each in definition.outgoing(step_id)] for step_id in order}
    for component in cycles(order, graph):
        yield _issue("Loops", ("steps", order.index(component[0])), step_id=component[0])


def _issue(
    subject: str, path: tuple[Part, ...], *, step_id: str | None = None, transition_id: str | None = None
) -> Issue:
    message = f"{subject} are not executed by this version of the server."
    return Issue(
        IssueCode.NOT_SUPPORTED.value, Severity.ERROR, message, json_pointer(path), step_id, transition_id
    )
