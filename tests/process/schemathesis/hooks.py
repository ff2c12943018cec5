"""What Schemathesis cannot know of this API: values of its scalars, ids of what is there, and what fits its types.

Schemathesis loads this file in an environment of its own, where nothing else of this checkout is.
"""

import os
import re
from collections.abc import Iterator
from typing import Any

import graphql
import schemathesis
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from hypothesis import strategies as st
from schemathesis.graphql import nodes

IDS = os.environ["IDS_OF_THE_SERVER"].split()
NO_IDS = ["", "x", "exec_00000000000000000000000000"]
PYTHON = {
    "Int": int,
    "Float": (int, float),
    "String": str,
    "ID": str,
    "Boolean": bool,
    "DateTime": str,
    "Duration": str,
    "JSONObject": dict,
}

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
leaves = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | names
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)
)
moments = st.datetimes().map(lambda moment: f"{moment.isoformat()}Z") | st.just("yesterday")


def literal(value: Any) -> graphql.ValueNode:
    """A JSON value as a document writes it; keys of objects are names there."""
    match value:
        case None:
            return nodes.Null
        case bool():
            return nodes.Boolean(value)
        case int():
            return nodes.Int(value)
        case str():
            return nodes.String(value)
        case list():
            return nodes.List([literal(each) for each in value])
    return object_literal(value)


def object_literal(value: dict[str, Any]) -> graphql.ValueNode:
    """An object whose keys are made names: `k` and the characters' numbers."""
    fields = [
        graphql.ObjectFieldNode(
            name=graphql.NameNode(value="k" + "_".join(str(ord(each)) for each in key)), value=literal(inner)
        )
        for key, inner in value.items()
    ]
    return nodes.Object(fields)


schemathesis.graphql.scalar("ID", st.sampled_from([*IDS, *IDS, *NO_IDS]).map(nodes.String))
schemathesis.graphql.scalar("JSON", values.map(literal))
schemathesis.graphql.scalar("JSONObject", st.dictionaries(names, values, max_size=3).map(object_literal))
schemathesis.graphql.scalar("DateTime", moments.map(nodes.String))
schemathesis.graphql.scalar("Duration", st.sampled_from(["P3D", "PT10S", "P1Y2M", "soon"]).map(nodes.String))


@schemathesis.hook
def filter_body(_context: Any, body: graphql.DocumentNode) -> bool:
    """Not for a revision that nobody makes: each waits for five seconds, and then has a code that is new to it."""
    return not re.search(r"minRevision: ([2-9]|[0-9]{2})", graphql.print_ast(body))


@schemathesis.check
def every_value_fits_its_type(ctx: Any, response: Any, case: Any) -> None:
    """The server makes its JSON in the database: nothing else has compared it with the schema."""
    data = response.json().get("data")
    if data is None:
        return
    document = graphql.parse(case.body)
    (operation,) = (each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    assert not any(isinstance(each, FragmentDefinitionNode) for each in document.definitions)
    fit = Fit(case.operation.schema.client_schema)
    root = fit.schema.get_root_type(operation.operation)
    faults = list(fit.faults(root, [operation.selection_set], data, operation.operation.value))
    assert not faults, "; ".join(faults)


class Fit:
    """Compares JSON with a schema and what was selected of it."""

    def __init__(self, schema: graphql.GraphQLSchema) -> None:
        self.schema = schema

    def faults(self, type_: Any, selected: list[SelectionSetNode], value: Any, place: str) -> Iterator[str]:
        """Where a value is not of its type, or has something else than was selected."""
        if graphql.is_non_null_type(type_):
            type_ = type_.of_type
            if value is None:
                yield f"{place} is null"
        if value is None:
            return
        if graphql.is_list_type(type_):
            for index, each in enumerate(value):
                yield from self.faults(type_.of_type, selected, each, f"{place}[{index}]")
        elif graphql.is_leaf_type(type_):
            if not is_leaf(type_, value):
                yield f"{place} is {value!r}, which is no {type_.name}"
        elif graphql.is_abstract_type(type_):
            # Which member it is may not have been selected: it has to fit one of them.
            members = self.schema.get_possible_types(type_)
            yield from min((list(self.faults(each, selected, value, place)) for each in members), key=len)
        else:
            yield from self._faults_of_object(type_, selected, value, place)

    def _faults_of_object(
        self, type_: Any, selected: list[SelectionSetNode], value: dict[str, Any], place: str
    ) -> Iterator[str]:
        fields: dict[str, list[FieldNode]] = {}
        for field in self._fields(type_, selected):
            fields.setdefault(field.alias.value if field.alias else field.name.value, []).append(field)
        if value.keys() != fields.keys():
            yield f"{place} has {sorted(value)}, and selected is {sorted(fields)}"
        for key in value.keys() & fields.keys():
            definition = self.schema.get_field(type_, fields[key][0].name.value)
            below = [field.selection_set for field in fields[key] if field.selection_set]
            yield from self.faults(definition.type, below, value[key], f"{place}.{key}")
        if value.get("__typename", type_.name) != type_.name:
            yield f"{place} says that it is a {value['__typename']}"

    def _fields(self, type_: Any, selected: list[SelectionSetNode]) -> Iterator[FieldNode]:
        for selection in (each for selection_set in selected for each in selection_set.selections):
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode) and self._applies(selection, type_):
                yield from self._fields(type_, [selection.selection_set])

    def _applies(self, fragment: InlineFragmentNode, type_: Any) -> bool:
        if fragment.type_condition is None:
            return True
        condition = self.schema.get_type(fragment.type_condition.name.value)
        return condition is type_ or (
            graphql.is_abstract_type(condition) and self.schema.is_sub_type(condition, type_)
        )


def is_leaf(type_: Any, value: Any) -> bool:
    """Whether JSON shows a value of this enum or scalar so."""
    if graphql.is_enum_type(type_):
        return value in type_.values
    if isinstance(value, bool):
        return type_.name in {"Boolean", "JSON"}
    return isinstance(value, PYTHON.get(type_.name, object))
