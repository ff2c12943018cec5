"""How every projected type is reached from a root field: documents with a hole, and what may fill it."""

from collections import deque
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, get_named_type, is_leaf_type

from db.ids import IdKind, new_id
from schema.projection import declare
from schema.projection.rows import Rows as Projected
from tests.schema.fabricated import SCHEMA, Payload

GRAPHQL = SCHEMA._schema
HOMES = declare.homes_of(SCHEMA)
ROOTS = {
    "WorkflowTemplate": f'workflowTemplate(id: "{new_id(IdKind.TEMPLATE)}")',
    "WorkflowExecution": f'workflowExecution(id: "{new_id(IdKind.EXECUTION)}")',
    "ExecutionDiff": f'workflowExecutionDiff(id: "{new_id(IdKind.EXECUTION)}", from: 0, to: 1)',
    "WorkflowTemplateConnection": "workflowTemplates",
    "WorkflowExecutionConnection": "workflowExecutions",
    "WorkflowStepExecutionConnection": "workflowStepExecutions",
    "TransitionSuccess": "transition(which: 0) { ... on TransitionSuccess",
    "ClaimSuccess": "claim(which: 0) { ... on ClaimSuccess",
    "TemplateSuccess": "template(which: 0) { ... on TemplateSuccess",
}


def _paths() -> dict[str, str]:
    """How every projected object type is reached from a root field: a document with a hole."""
    paths = {name: f"{{ {root} {{ %s }} {'}' if root.count('{') else ''} }}" for name, root in ROOTS.items()}
    waiting = deque(paths)
    while waiting:
        parent = object_type(waiting.popleft())
        for name, field in parent.fields.items():
            type_ = get_named_type(field.type)
            if isinstance(type_, GraphQLObjectType) and type_.name not in paths:
                paths[type_.name] = paths[parent.name] % f"{name}{_arguments(field)} {{ %s }}"
                waiting.append(type_.name)
    return paths


def _arguments(field: GraphQLField) -> str:
    return '(stepId: "x")' if "stepId" in field.args else ""


def object_type(name: str) -> GraphQLObjectType:
    """An object type of the schema."""
    type_ = GRAPHQL.type_map[name]
    assert isinstance(type_, GraphQLObjectType)
    return type_


PATHS = _paths()


def selected(name: str, field: GraphQLField) -> str:
    """A field alone, with what it must have."""
    return f"{name}{_arguments(field)}" + (
        "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    )


def nothing(type_name: str) -> Payload:
    """A payload whose objects are not there."""
    values: dict[str, Any] = {"claims": "[]"}
    if type_name == "TransitionSuccess":
        ids = dict.fromkeys(("root_id", "execution_id", "step_execution_id"), "x")
        values |= {**ids, "since": 0, "revision": 0}
    if type_name == "TemplateSuccess":
        values = {"template_id": "x", "version_id": "x"}
    return Payload(Projected(type_name, values), {})
