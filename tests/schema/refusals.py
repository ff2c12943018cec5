"""What the reference tells from a document alone: what is refused, and how many statements the rest takes."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)
from graphql.execution.values import get_argument_values, get_directive_values, get_variable_values

from tests.schema.pages import Order, is_cursor, order_of

FindPayload = Callable[[str, Mapping[str, Any]], dict[str, Any] | None]

_ID = "_[0-7][0-9a-hjkmnp-tv-z]{25}"
_NODES = {
    "exec": "WorkflowExecution",
    "step": "WorkflowStepExecution",
    "tmpl": "WorkflowTemplate",
    "tver": "WorkflowTemplateVersion",
}
PREFIXES = {
    "workflowExecution": "exec",
    "workflowTemplate": "tmpl",
    "workflowTemplateVersion": "tver",
    "node": "|".join(_NODES),
}
# Root fields that are a statement whatever they are given.
LISTS = ("workflowTemplates", "workflowExecutions", "workflowStepExecutions", "nodes", "changes")
# Root fields that answer objects built in Python, and what in these is read by a statement of its own.
PAYLOADS = ("transition", "template", "claim", "explainStep", "evaluateExpression")
MOST_IDS, MOST_LEVELS, MOST_HOPS, MOST_VALUES, MOST_NAMES = 500, 3, 2, 500, 64
READ_ALONE = {"InvalidTransition": "node", "RevisionConflict": "node", "StepExplanation": "waitingFor"}


class Walk:
    """Goes through a document as execution would, rows aside.

    Values are refused wherever a document has them, also where no row would have asked for them: whether an answer is an
    error must not depend on the data.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        payload: FindPayload,
        tree_revision: Callable[[str], int | None],
        document: DocumentNode,
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._find_payload = payload
        self._tree_revision = tree_revision
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self._operation = next(
            each for each in document.definitions if isinstance(each, OperationDefinitionNode)
        )
        definitions = self._operation.variable_definitions or ()
        self._values: Any = get_variable_values(schema, definitions, dict(variables))
        assert not isinstance(self._values, list), self._values
        assert schema.query_type is not None
        self._root = self._selected(schema.query_type, [self._operation.selection_set])

    def refused(self) -> frozenset[str]:
        """The root fields that have a value which must be refused."""
        return frozenset(key for key, nodes in self._root.items() if self._root_refused(nodes))

    def statements(self) -> int:
        """How many statements answer it where none of its values is refused."""
        return sum(self._root_statements(nodes) for nodes in self._root.values())

    def _root_statements(self, nodes: list[FieldNode]) -> int:
        name = nodes[0].name.value
        if name == "__typename":
            return 0
        if name not in PAYLOADS:
            return int(self._exists(name, self._arguments("Query", nodes[0])))
        payload = self._payload(nodes[0])
        type_name = payload["__typename"] if payload else ""
        if type_name in ("TransitionSuccess", "TemplateSuccess", "ClaimSuccess"):
            return 1
        return len(self._read_alone(type_name, nodes)) if type_name in READ_ALONE else 0

    def _read_alone(self, type_name: str, nodes: list[FieldNode]) -> list[list[FieldNode]]:
        selected = self._selected(self._type(type_name), _below(nodes))
        return [found for found in selected.values() if found[0].name.value == READ_ALONE[type_name]]

    def _exists(self, name: str, arguments: Mapping[str, Any]) -> bool:
        """Whether there is something to look for: a malformed id names nothing."""
        id_ = arguments.get("id")
        return name in LISTS or id_ is None or is_well_formed(name, id_)

    def _root_refused(self, nodes: list[FieldNode]) -> bool:
        name = nodes[0].name.value
        if name == "__typename":
            return False
        arguments = self._arguments("Query", nodes[0])
        if name == "workflowTemplate" and (arguments.get("id") is None) is (arguments.get("key") is None):
            return True
        if name == "nodes":
            types = _NODES.values()
            too_many = len(arguments["ids"]) > MOST_IDS
            return too_many or any(self._refused_below(self._type(each), nodes) for each in types)
        if name == "node":
            type_name = type_of_id(arguments["id"])
            return type_name is not None and self._refused_below(self._type(type_name), nodes)
        if name in PAYLOADS:
            payload = self._payload(nodes[0])
            return payload is not None and self._payload_refused(payload, nodes)
        if arguments.get("asOf") is not None and is_well_formed(name, arguments["id"]):
            highest = self._tree_revision(arguments["id"])
            if highest is not None and not 1 <= arguments["asOf"] <= highest:
                return True
        return self._exists(name, arguments) and self._refused("Query", nodes)

    def _payload(self, node: FieldNode) -> dict[str, Any] | None:
        return self._find_payload(node.name.value, self._arguments("Query", node))

    def _refused(self, parent: str, nodes: list[FieldNode]) -> bool:
        name = nodes[0].name.value
        if name == "__typename":
            return False
        arguments = self._arguments(parent, nodes[0])
        if is_wrong(arguments, order_of(name, arguments)) or is_wrong_where(arguments.get("where")):
            return True
        type_ = get_named_type(self._type(parent).fields[name].type)
        return isinstance(type_, GraphQLObjectType) and self._refused_below(type_, nodes)

    def _payload_refused(self, payload: dict[str, Any], nodes: list[FieldNode]) -> bool:
        type_name = payload["__typename"]
        if type_name not in READ_ALONE:
            return self._refused_below(self._type(type_name), nodes)
        shown = payload["node"]["__typename"] if "node" in payload else "WorkflowStepExecution"
        return any(
            self._refused_below(self._type(shown), found) for found in self._read_alone(type_name, nodes)
        )

    def _refused_below(self, type_: GraphQLObjectType, nodes: list[FieldNode]) -> bool:
        selected = self._selected(type_, _below(nodes))
        return any(self._refused(type_.name, found) for found in selected.values())

    def _type(self, name: str) -> GraphQLObjectType:
        type_ = self._schema.type_map[name]
        assert isinstance(type_, GraphQLObjectType)
        return type_

    def _arguments(self, parent: str, node: FieldNode) -> dict[str, Any]:
        return dict(get_argument_values(self._type(parent).fields[node.name.value], node, self._values))

    def _selected(
        self, type_: GraphQLObjectType, sets: Iterable[SelectionSetNode]
    ) -> dict[str, list[FieldNode]]:
        found: dict[str, list[FieldNode]] = {}
        for selection_set in sets:
            self._collect(type_, selection_set, found)
        return found

    def _collect(
        self, type_: GraphQLObjectType, selection_set: SelectionSetNode, found: dict[str, list[FieldNode]]
    ) -> None:
        for each in selection_set.selections:
            if not self._is_included(each):
                continue
            if isinstance(each, FieldNode):
                key = each.alias.value if each.alias else each.name.value
                found.setdefault(key, []).append(each)
                continue
            fragment = self._fragments[each.name.value] if isinstance(each, FragmentSpreadNode) else each
            assert isinstance(fragment, FragmentDefinitionNode | InlineFragmentNode)
            condition = fragment.type_condition.name.value if fragment.type_condition else type_.name
            above = {name.name for name in type_.interfaces} | self._unions_of(type_)
            if condition == type_.name or condition in above:
                self._collect(type_, fragment.selection_set, found)

    def _unions_of(self, type_: GraphQLObjectType) -> set[str]:
        unions = ("TransitionResult", "TemplateResult")
        return {name for name in unions if type_ in getattr(self._schema.type_map[name], "types", ())}

    def _is_included(self, node: Any) -> bool:
        include = get_directive_values(GraphQLIncludeDirective, node, self._values)
        skip = get_directive_values(GraphQLSkipDirective, node, self._values)
        return (include is None or include["if"]) and not (skip and skip["if"])


def _below(nodes: list[FieldNode]) -> list[SelectionSetNode]:
    return [node.selection_set for node in nodes if node.selection_set]


def is_wrong(arguments: Mapping[str, Any], order: Order) -> bool:
    """Whether the schema's types admit what the server must not."""
    first, last = arguments.get("first"), arguments.get("last")
    if any(size is not None and not 0 <= size <= 500 for size in (first, last)):
        return True
    if first is not None and last is not None:
        return True
    if any(
        arguments.get(name) is not None and not is_cursor(order, arguments[name])
        for name in ("after", "before")
    ):
        return True
    return any(
        isinstance(value, str) and re.search("[\0\ud800-\udfff]", value) is not None
        for value in arguments.values()
    )


def is_well_formed(field: str, id_: str) -> bool:
    """Whether an id is one of the type that a root field answers."""
    return re.fullmatch(f"({PREFIXES[field]}){_ID}", id_) is not None


def type_of_id(id_: str) -> str | None:
    """The type of what a well-formed id may name."""
    return _NODES[id_[:4]] if is_well_formed("node", id_) else None


def is_wrong_where(where: Mapping[str, Any] | None, levels: int = 0, hops: int = 0) -> bool:
    """Whether the schema's types admit a `where` that the server must not."""
    if where is None:
        return False
    if levels > MOST_LEVELS or hops > MOST_HOPS:
        return True
    return any(
        _is_wrong_member(name, value, levels, hops) for name, value in where.items() if value is not None
    )


def _is_wrong_member(name: str, value: Any, levels: int, hops: int) -> bool:
    match name:
        case "and" | "or":
            return any(is_wrong_where(each, levels + 1, hops) for each in value)
        case "not":
            return is_wrong_where(value, levels + 1, hops)
        case "step" | "workflowExecution":
            return is_wrong_where(value, levels + 1, hops + 1)
        case "context" | "outputData":
            return any(_is_wrong_search(each) for each in value)
    return isinstance(value, dict) and any(map(_is_wrong_operand, value.values()))


def _is_wrong_operand(operand: Any) -> bool:
    texts = operand if isinstance(operand, list) else [operand]
    return len(texts) > MOST_VALUES or any(
        isinstance(text, str) and re.search("[\0\ud800-\udfff]", text) is not None for text in texts
    )


def _is_wrong_search(given: Mapping[str, Any]) -> bool:
    values = [given.get("eq"), *(given.get("in") or ())]
    names = given["path"].split(".")
    return (
        len(names) > MOST_NAMES
        or not all(re.fullmatch(r"[\w-]+", name) for name in names)
        or any(isinstance(value, dict | list) for value in values)
        or len(values) > MOST_VALUES + 1
    )
