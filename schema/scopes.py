"""What a token's scopes allow (`security.md` A2): for every root field one rule, and what has none is refused."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final

from graphql import GraphQLError


class Scope(StrEnum):
    """What a viewer may do. `WRITE`, `WORK` and `TEMPLATES` include `READ`."""

    READ = "executions:read"
    WRITE = "executions:write"
    WORK = "steps:work"
    TEMPLATES = "templates:write"
    ADMIN = "admin"


EVERY_SCOPE: Final = frozenset[str](Scope)

# Of each alternative one scope is needed.
Rule = tuple[tuple[Scope, ...], ...]

READS: Final[Rule] = ((Scope.READ, Scope.WRITE, Scope.WORK, Scope.TEMPLATES),)
WORKS: Final[Rule] = ((Scope.WORK, Scope.WRITE),)
WRITES: Final[Rule] = ((Scope.WRITE,),)
WRITES_MANY: Final[Rule] = ((Scope.WRITE,), (Scope.ADMIN,))
WRITES_TEMPLATES: Final[Rule] = ((Scope.TEMPLATES,),)

RULES: Final[Mapping[str, Rule]] = {
    "Query.changes": READS,
    "Query.evaluateExpression": READS,
    "Query.explainStep": READS,
    "Query.node": READS,
    "Query.nodes": READS,
    "Query.validateWorkflowDefinition": READS,
    "Query.workflowExecution": READS,
    "Query.workflowExecutionDiff": READS,
    "Query.workflowExecutions": READS,
    "Query.workflowStepExecutions": READS,
    "Query.workflowTemplate": READS,
    "Query.workflowTemplateVersion": READS,
    "Query.workflowTemplates": READS,
    "Subscription.changes": READS,
    "Subscription.workflowExecution": READS,
    "Subscription.workflowExecutionTree": READS,
    "Subscription.workflowExecutions": READS,
    "Subscription.workflowStepExecutions": READS,
    "Mutation.claimSteps": WORKS,
    "Mutation.completeStep": WORKS,
    "Mutation.failStep": WORKS,
    "Mutation.heartbeatStep": WORKS,
    "Mutation.releaseStep": WORKS,  # without the claim's token `WRITES`, as its resolver checks
    "Mutation.cancelWorkflowExecution": WRITES,
    "Mutation.createWorkflowExecution": WRITES,
    "Mutation.disableStep": WRITES,
    "Mutation.enableStep": WRITES,
    "Mutation.retryStep": WRITES,
    "Mutation.setStepDueDate": WRITES,
    "Mutation.startWorkflowExecution": WRITES,
    "Mutation.updateWorkflowContext": WRITES,
    "Mutation.cancelWorkflowExecutions": WRITES_MANY,
    "Mutation.retrySteps": WRITES_MANY,
    "Mutation.activateWorkflowTemplateVersion": WRITES_TEMPLATES,
    "Mutation.createWorkflowTemplate": WRITES_TEMPLATES,
    "Mutation.createWorkflowTemplateVersion": WRITES_TEMPLATES,
    "Mutation.deleteWorkflowTemplateVersion": WRITES_TEMPLATES,
    "Mutation.deprecateWorkflowTemplateVersion": WRITES_TEMPLATES,
    "Mutation.publishWorkflowTemplateVersion": WRITES_TEMPLATES,
    "Mutation.updateWorkflowTemplate": WRITES_TEMPLATES,
    "Mutation.updateWorkflowTemplateVersion": WRITES_TEMPLATES,
}


class ScopeMissing(GraphQLError):
    """The viewer's scopes do not allow what is asked for."""

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": "FORBIDDEN"})


@lru_cache(maxsize=4096)  # asked for every event of every subscriber
def refusal(fields: frozenset[str], scopes: frozenset[str]) -> str | None:
    """Why these scopes do not allow an operation on these root fields (`Query.node`); None where they do.

    Introspection is allowed to everybody.
    """
    for field in sorted(fields):
        if field.partition(".")[2].startswith("__"):
            continue
        if field not in RULES:
            return f"{field} is allowed to nobody."
        if missing := missing_from(RULES[field], scopes):
            return f"{field} needs the scope {missing}."
    return None


def missing_from(rule: Rule, scopes: Iterable[str]) -> str | None:
    """The first of a rule's alternatives that none of the scopes fulfils, in words."""
    held = frozenset(scopes)
    return next((" or ".join(each) for each in rule if held.isdisjoint(each)), None)
