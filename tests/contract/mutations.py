"""Commands on executions and steps, given by name and answered as plain data, conflicts included."""

from typing import Any

from tests.api import Api
from tests.contract import commands

SAME_KEY = "... on IdempotencyConflict { key }"
OTHER_REVISION = "... on RevisionConflict { expectedRevision currentRevision node { __typename id } }"
# Mutation → the name of its input type.
MUTATIONS = {
    **commands.MUTATIONS,
    "updateWorkflowContext": "UpdateWorkflowContextInput",
    "retryStep": "StepInput",
    "disableStep": "StepInput",
    "enableStep": "StepInput",
    "setStepDueDate": "SetStepDueDateInput",
}
# What a command on a step would give it, and what it needs besides the step's id.
WANTED = {
    "completeStep": "COMPLETED",
    "failStep": "FAILED",
    "retryStep": "IN_PROGRESS",
    "disableStep": "DISABLED",
    "enableStep": "NOT_STARTED",
}
NEEDED: dict[str, dict[str, Any]] = {
    "failStep": {"message": "It broke."},
    "updateWorkflowContext": {"patch": {"note": 1}},
    "setStepDueDate": {"dueAt": "2100-01-01T00:00:00.000000Z"},
}


def document(mutation: str, *, of_success: bool = True) -> str:
    """The operation that gives a command and asks for all of its answer, or only for why it was refused."""
    is_template = "Template" in mutation
    asked = f"{commands.REFUSALS} {SAME_KEY} {'' if is_template else OTHER_REVISION}"
    if of_success:
        asked += commands.TEMPLATE if is_template else commands.TRANSITION
    return f"mutation ($input: {MUTATIONS[mutation]}!) {{ {mutation}(input: $input) {{ {asked} }} }}"


async def give(api: Api, mutation: str, *, of_success: bool = True, **given: Any) -> Any:
    """Give a command; its answer, whichever member of the union it is."""
    whole = NEEDED.get(mutation, {}) | given
    return (await api.data(document(mutation, of_success=of_success), input=whole))[mutation]


async def succeed(api: Api, mutation: str, **given: Any) -> Any:
    """Give a command that must be carried out."""
    answer = await give(api, mutation, **given)
    assert answer["__typename"] in ("TransitionSuccess", "TemplateSuccess"), answer
    return answer


async def refuse(api: Api, mutation: str, **given: Any) -> Any:
    """Give a command that must be refused."""
    answer = await give(api, mutation, of_success=False, **given)
    assert answer["__typename"] not in ("TransitionSuccess", "TemplateSuccess"), answer
    return answer
