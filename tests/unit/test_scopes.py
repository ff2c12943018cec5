"""Every root field has a rule, and a rule is exactly what it says (`security.md` A2)."""

from itertools import chain, combinations

import pytest
from graphql import build_schema
from strawberry.printer import print_schema

from schema.schema import build_schema as build_ours
from schema.scopes import EVERY_SCOPE, RULES, Scope, refusal

SCHEMA = build_schema(print_schema(build_ours()))
ROOTS = [type_ for type_ in (SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type) if type_]
FIELDS = sorted(f"{root.name}.{field}" for root in ROOTS for field in root.fields)

WORK = {"claimSteps", "completeStep", "failStep", "heartbeatStep", "releaseStep"}
MANY = {"cancelWorkflowExecutions", "retrySteps"}


def is_allowed(field: str, scopes: frozenset[str]) -> bool:
    """What the specification says, in other words than the rules."""
    root, _, name = field.partition(".")
    if root != "Mutation":
        return bool(scopes - {"admin"})
    if "WorkflowTemplate" in name:
        return "templates:write" in scopes
    if name in WORK and "steps:work" in scopes:
        return True
    return "executions:write" in scopes and (name not in MANY or "admin" in scopes)


def test_every_root_field_has_a_rule_and_nothing_else_has_one() -> None:
    assert sorted(RULES) == FIELDS


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_is_allowed_to_exactly_the_scopes_that_the_specification_names(field: str) -> None:
    sets = chain.from_iterable(combinations(Scope, size) for size in range(len(Scope) + 1))
    for scopes in (frozenset[str](each) for each in sets):
        assert (refusal(frozenset([field]), scopes) is None) is is_allowed(field, scopes), (field, scopes)


def test_a_field_without_a_rule_is_refused_to_everybody() -> None:
    assert refusal(frozenset(["Query.news"]), EVERY_SCOPE) == "Query.news is allowed to nobody."


def test_introspection_is_allowed_without_a_scope() -> None:
    assert refusal(frozenset(["Query.__typename", "Query.__schema", "Query.__type"]), frozenset()) is None


def test_one_field_that_is_refused_refuses_the_operation_and_names_what_is_missing() -> None:
    fields = frozenset(["Mutation.completeStep", "Mutation.retrySteps"])
    reason = refusal(fields, frozenset([Scope.WRITE]))
    assert reason == "Mutation.retrySteps needs the scope admin."
    assert refusal(fields, frozenset([Scope.WORK])) == "Mutation.retrySteps needs the scope executions:write."
