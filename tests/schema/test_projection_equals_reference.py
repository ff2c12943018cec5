"""One statement per root field answers every document as graphql-core's ordinary execution does (projection 6)."""

from random import Random
from typing import Any

from graphql import (
    FieldNode,
    GraphQLObjectType,
    Node,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    parse,
    visit,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.schema.comparison import SDL, View
from tests.schema.documents import Pools, Writer

# The world is made once and only read, by every example.
SETTINGS = settings(
    max_examples=90,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)


@SETTINGS
@given(random=st.randoms(use_true_random=False))
async def test_a_document_is_answered_as_by_graphql_core(views: list[View], random: Random) -> None:
    """Data and order of keys, one statement per root field, and the same from the plan cache and for other values."""
    view = random.choice(views)
    await view.compare(view.draw(random))


class Reached(Visitor):
    """Which fields documents select, how deep, and what else occurs in them."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types
        self._depth = 0
        self.fields: set[str] = set()
        self.kinds: set[str] = set()
        self.depth = 0

    def enter(self, node: Node, *_: Any) -> None:
        self.kinds.add(node.kind)

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self.kinds.add(node.kind)
        parent = self._types.get_parent_type()
        assert parent is not None
        self.fields.add(f"{parent.name}.{node.name.value}")
        if node.alias and len(node.alias.value) > 63:
            self.kinds.add("long alias")
        if node.selection_set and len(node.selection_set.selections) > 60:
            self.kinds.add("many fields")
        self._depth += 1
        self.depth = max(self.depth, self._depth)

    def leave_field(self, *_: Any) -> None:
        self._depth -= 1


def test_drawn_documents_reach_every_field_of_every_type() -> None:
    """What is never drawn is never compared."""
    schema = build_schema(SDL)
    pools = Pools(["x"], ["x"], ["x"], ["x"], ["x"], 8)
    types = TypeInfo(schema)
    reached = Reached(types)
    for seed in range(400):
        document = Writer(schema, Random(seed), pools).write()  # noqa: S311  # the same each time
        visit(parse(document.text), TypeInfoVisitor(types, reached))
    fields = {
        f"{type_.name}.{name}"
        for type_ in schema.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith(("__", "Mutation"))
        for name in type_.fields
    }
    assert fields - reached.fields == {"Query.validateWorkflowDefinition"}
    assert reached.depth >= 8
    wanted = {"inline_fragment", "fragment_spread", "directive", "variable", "long alias", "many fields"}
    assert wanted <= reached.kinds
