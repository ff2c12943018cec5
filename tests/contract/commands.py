"""Every mutation, given by name and answered as plain data."""

from typing import Any

from tests.api import Api

REFUSALS = """
  __typename
  ... on Error { message }
  ... on NotFound { id }
  ... on InvalidTransition { current wanted allowed node { __typename id } }
  ... on ValidationFailed { issues { code severity message path stepId transitionId } }
  ... on LimitExceeded { limit actual maximum }
"""
TEMPLATE = """
  ... on TemplateSuccess {
    workflowTemplate { id key name description activeVersion { id version } }
    version {
      id version versionNote status publishedAt definition
      steps { stepId } transitions { transitionId } stepGroups { groupId }
    }
  }
"""
CHANGE = """
  revision kind at actor fromStatus toStatus attempt reason data
  rootWorkflowExecutionId workflowExecutionId stepExecutionId
"""
TRANSITION = f"""
  ... on TransitionSuccess {{
    revision changeCount
    changes(first: 500) {{ {CHANGE} }}
    workflowExecution {{ id runtimeStatus revision treeRevision steps {{ id stepId status }} }}
    step {{ id status }}
  }}
"""

# Mutation → the name of its input type. What it answers is told by the name.
MUTATIONS = {
    "createWorkflowTemplate": "CreateWorkflowTemplateInput",
    "updateWorkflowTemplate": "UpdateWorkflowTemplateInput",
    "createWorkflowTemplateVersion": "CreateWorkflowTemplateVersionInput",
    "updateWorkflowTemplateVersion": "UpdateWorkflowTemplateVersionInput",
    "publishWorkflowTemplateVersion": "WorkflowTemplateVersionInput",
    "activateWorkflowTemplateVersion": "WorkflowTemplateVersionInput",
    "deprecateWorkflowTemplateVersion": "WorkflowTemplateVersionInput",
    "deleteWorkflowTemplateVersion": "WorkflowTemplateVersionInput",
    "createWorkflowExecution": "CreateWorkflowExecutionInput",
    "startWorkflowExecution": "WorkflowExecutionInput",
    "cancelWorkflowExecution": "CancelWorkflowExecutionInput",
    "completeStep": "CompleteStepInput",
    "failStep": "FailStepInput",
}


def document(mutation: str) -> str:
    """The operation that gives a command and asks for all of its answer."""
    success = TEMPLATE if "Template" in mutation else TRANSITION
    return f"mutation ($input: {MUTATIONS[mutation]}!) {{ {mutation}(input: $input) {{ {REFUSALS} {success} }} }}"


async def give(api: Api, mutation: str, **given: Any) -> Any:
    """Give a command; its answer, whichever member of the union it is."""
    return (await api.data(document(mutation), input=given))[mutation]


async def succeed(api: Api, mutation: str, **given: Any) -> Any:
    """Give a command that must be carried out."""
    answer = await give(api, mutation, **given)
    assert answer["__typename"] in ("TransitionSuccess", "TemplateSuccess"), answer
    return answer


async def refuse(api: Api, mutation: str, **given: Any) -> Any:
    """Give a command that must be refused."""
    answer = await give(api, mutation, **given)
    assert answer["__typename"] not in ("TransitionSuccess", "TemplateSuccess"), answer
    return answer


def codes(answer: Any) -> list[str]:
    """The codes of a `ValidationFailed`, in order."""
    assert answer["__typename"] == "ValidationFailed", answer
    return [issue["code"] for issue in answer["issues"]]


def ids_of(execution: Any) -> dict[str, str]:
    """Step id → id of its current attempt."""
    return {step["stepId"]: step["id"] for step in execution["steps"]}


async def run_of(api: Api, key: str, **given: Any) -> Any:
    """A new execution of a template's active version; with its steps."""
    answer = await succeed(api, "createWorkflowExecution", workflowTemplateKey=key, **given)
    return answer["workflowExecution"]
