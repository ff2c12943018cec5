"""Measuring each fragment once gives what unfolding every fragment would give (`security.md` A4)."""

from random import Random
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    build_schema,
    parse,
    print_ast,
    visit,
)
from graphql.language import Visitor

from server.operations.limits import Sizes, measure_operations
from server.operations.limits.measure import OperationMeasure

SCHEMA = build_schema("""
    type Query { item: Item items(first: Int, last: Int): ItemConnection! }
    type Item { id: ID! parent: Item parts(first: Int = 3): [Item!]! items(first: Int): ItemConnection! }
    type ItemConnection { edges: [ItemEdge!]! nodes: [Item!]! pageInfo: PageInfo! }
    type ItemEdge { node: Item! }
    type PageInfo { hasNextPage: Boolean! }
""")
SIZES = Sizes(SCHEMA)
FRAGMENTS = 3
DEEPEST = 2
ARGUMENTS = ["", "(first: 2)", "(first: $n)", "(first: null)"]


class RandomDocument:
    """An operation and fragments on both types, each of which spreads only those after it."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311
        texts = [f"query($n: Int) {{ item {self._selections('Item', -1)} }}"]
        for number in range(FRAGMENTS):
            texts += [
                f"fragment {type_name}{number} on {type_name} {self._selections(type_name, number)}"
                for type_name in ("Item", "ItemConnection")
            ]
        self.document = parse("\n".join(texts))

    def _selections(self, type_name: str, after: int, depth: int = 0) -> str:
        made = [self._selection(type_name, after, depth) for _ in range(self._random.randint(1, 3))]
        return "{ " + " ".join(made) + " }"

    def _selection(self, type_name: str, after: int, depth: int) -> str:
        pick = self._random.choice
        alias, directive = pick(["", "", "other: "]), pick(["", "", " @skip(if: false)"])
        if after + 1 < FRAGMENTS and pick([True, False]):
            return f"...{type_name}{self._random.randint(after + 1, FRAGMENTS - 1)}{directive}"
        if depth == DEEPEST:
            return f"{alias}__typename{directive}"
        if pick([True, False, False]):
            return f"... on {type_name}{directive} {self._selections(type_name, after, depth + 1)}"
        if type_name == "ItemConnection":
            below = self._selections("Item", after, depth + 1)
            return pick([f"{alias}nodes{directive} {below}", f"{alias}edges{directive} {{ node {below} }}"])
        name = pick(["parent", "parts", "items"])
        arguments = "" if name == "parent" else pick(ARGUMENTS)
        below = self._selections("ItemConnection" if name == "items" else "Item", after, depth + 1)
        return f"{alias}{name}{arguments}{directive} {below}"


class Unfolding(Visitor):
    """Puts an inline fragment of the same content in the place of every spread."""

    def __init__(self, document: DocumentNode) -> None:
        super().__init__()
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> SelectionNode:
        fragment = self._fragments[node.name.value]
        return InlineFragmentNode(
            type_condition=fragment.type_condition,
            directives=node.directives,
            selection_set=visit(fragment.selection_set, self),
        )


def measured(document: DocumentNode) -> OperationMeasure:
    (measure,) = measure_operations(SCHEMA, SIZES, document)
    return measure


@pytest.mark.parametrize("seed", range(40))
def test_fragments_count_as_if_they_were_written_out(seed: int) -> None:
    document = RandomDocument(seed).document
    unfolded = visit(document, Unfolding(document))
    only = DocumentNode(
        definitions=tuple(each for each in unfolded.definitions if isinstance(each, OperationDefinitionNode))
    )
    assert "...Item" not in print_ast(only)
    folded, written_out = measured(document), measured(only)
    for name in ("aliases", "directives", "fields"):
        assert getattr(folded.total, name) == getattr(written_out.total, name)
    assert folded.total.depth.fields == written_out.total.depth.fields == depth(only)
    for first in (None, 0, 1, 5):
        assert folded.cost.nodes({"n": first}) == written_out.cost.nodes({"n": first})


def depth(node: Any) -> int:
    """How many fields lie within one another, without fragments."""
    if isinstance(node, DocumentNode):
        return max(depth(each) for each in node.definitions)
    below = (
        max((depth(each) for each in node.selection_set.selections), default=0) if node.selection_set else 0
    )
    return below + isinstance(node, FieldNode)
