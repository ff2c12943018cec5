"""Measuring the operations of a document: every node is visited once, however often fragments are spread.

Types are looked up but nothing is required of them: a field, a type or a fragment that does not exist, or a fragment
that leads back to itself, counts as little as can be and is the error of another rule.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
)

from server.operations.limits.cost import A_NODE, CEILING, NOTHING, Cost, Size
from server.operations.limits.sizes import UNSIZED_LIST, Sizes, is_list, is_sized

INTROSPECTION: Final = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class Depth:
    """How many fields lie within one another, and the innermost of them."""

    fields: int = 0
    innermost: FieldNode | None = None

    def within(self, node: FieldNode) -> "Depth":
        return Depth(self.fields + 1, self.innermost or node)


@dataclass(frozen=True, slots=True)
class Measure:
    """What a selection comes to. `per_entry` is what a page's lists cost for each of their entries."""

    depth: Depth = Depth()
    introspection: Depth = Depth()
    aliases: int = 0
    directives: int = 0
    fields: int = 0
    once: Cost = NOTHING
    per_entry: Cost = NOTHING

    def cost(self, size: Size) -> Cost:
        """With lists of this size."""
        return Cost.total((self.once, self.per_entry.times(size)))


@dataclass(frozen=True, slots=True)
class OperationMeasure:
    """What an operation comes to; `roots` are the costs of what it selects first, `root_fields` name it (`Query.node`)."""

    definition: OperationDefinitionNode
    total: Measure
    cost: Cost
    roots: tuple[tuple[SelectionNode, Cost], ...]
    root_fields: frozenset[str]


ANY_LIST: Final = Size(UNSIZED_LIST)
NO_MEASURE: Final = Measure()

# A measurement yields the measurements that it needs and is sent their results, so that nesting in a document is no
# recursion in Python.
Measurement = Generator[Any, Measure, Measure]


def measure_operations(schema: GraphQLSchema, sizes: Sizes, document: DocumentNode) -> list[OperationMeasure]:
    """Measure every operation of a document."""
    measuring = Measuring(schema, sizes, document)
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return [measuring.operation(each) for each in operations]


class Measuring:
    """Measures one document. `visits` counts the selections looked at."""

    def __init__(self, schema: GraphQLSchema, sizes: Sizes, document: DocumentNode) -> None:
        self.visits = 0
        self._schema = schema
        self._sizes = sizes
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self._measured: dict[str, Measure] = {}

    def operation(self, definition: OperationDefinitionNode) -> OperationMeasure:
        """Measure an operation with every fragment that it reaches."""
        root = self._schema.get_root_type(definition.operation)
        selections = definition.selection_set.selections
        measures = [_run(self._selection(each, root)) for each in selections]
        variables = definition.variable_definitions or ()
        directives = _directives(definition) + sum(_directives(each) for each in variables)
        total = sum_of([Measure(directives=directives), *measures])
        costs = [each.cost(ANY_LIST) for each in measures]
        return OperationMeasure(
            definition,
            total,
            Cost.total(costs),
            tuple(zip(selections, costs, strict=True)),
            self._root_fields(root, definition),
        )

    def _root_fields(
        self, root: GraphQLNamedType | None, definition: OperationDefinitionNode
    ) -> frozenset[str]:
        """By their names, not their aliases, and those that directives may leave out too."""
        names: set[str] = set()
        waiting = list(definition.selection_set.selections)
        spread: set[str] = set()
        while waiting:
            node = waiting.pop()
            if isinstance(node, FieldNode):
                names.add(f"{root.name if root else ''}.{node.name.value}")
            elif isinstance(node, InlineFragmentNode):
                waiting += node.selection_set.selections
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                spread.add(node.name.value)
                if fragment := self._fragments.get(node.name.value):
                    waiting += fragment.selection_set.selections
        return frozenset(names)

    def _selections(self, node: SelectionSetNode, parent: GraphQLNamedType | None) -> Measurement:
        measures = []
        for selection in node.selections:
            measures.append((yield self._selection(selection, parent)))  # noqa: PERF401  # no comprehension yields
        return sum_of(measures)

    def _selection(self, node: SelectionNode, parent: GraphQLNamedType | None) -> Measurement:
        self.visits += 1
        if isinstance(node, FieldNode):
            measure = yield self._field(node, parent)
        elif isinstance(node, InlineFragmentNode):
            condition = node.type_condition
            within = self._schema.get_type(condition.name.value) if condition else parent
            measure = yield self._selections(node.selection_set, within)
        else:
            assert isinstance(node, FragmentSpreadNode)
            measure = yield self._fragment(node.name.value)
        return _directed(measure, node)

    def _fragment(self, name: str) -> Measurement:
        if name in self._measured:
            return self._measured[name]
        definition = self._fragments.get(name)
        if definition is None:
            return NO_MEASURE
        self._measured[name] = NO_MEASURE  # for a fragment that leads back to itself
        type_ = self._schema.get_type(definition.type_condition.name.value)
        measure = yield self._selections(definition.selection_set, type_)
        self._measured[name] = _directed(measure, definition)
        return self._measured[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Measurement:
        field = self._schema.get_field(parent, node.name.value) if is_composite_type(parent) else None
        type_ = get_named_type(field.type) if field else None
        below = NO_MEASURE
        if node.selection_set is not None:
            below = yield self._selections(node.selection_set, type_)
        within = Measure(
            depth=below.depth.within(node),
            aliases=_bounded(below.aliases + (node.alias is not None)),
            directives=below.directives,
            fields=1,
        )
        if node.name.value in INTROSPECTION:
            return replace(within, depth=Depth(), introspection=within.depth)
        if field is None or not is_composite_type(type_) or type_.name.startswith("__"):
            return within
        size = self._sizes.of(node, field)
        if not is_list(field.type):
            return replace(within, once=Cost.total((A_NODE, below.cost(size))))
        entry = Cost.total((A_NODE, below.cost(ANY_LIST)))
        if self._sizes.is_page(parent) and not is_sized(field):
            return replace(within, per_entry=entry)
        return replace(within, once=entry.times(size))


def sum_of(measures: Sequence[Measure]) -> Measure:
    """What stands beside one another, together."""
    return Measure(
        depth=max((each.depth for each in measures), key=lambda depth: depth.fields, default=Depth()),
        introspection=max(
            (each.introspection for each in measures), key=lambda depth: depth.fields, default=Depth()
        ),
        aliases=_bounded(sum(each.aliases for each in measures)),
        directives=_bounded(sum(each.directives for each in measures)),
        fields=_bounded(sum(each.fields for each in measures)),
        once=Cost.total(each.once for each in measures),
        per_entry=Cost.total(each.per_entry for each in measures),
    )


def _run(measurement: Measurement) -> Measure:
    waiting: list[Measurement] = [measurement]
    result: Measure | None = None
    while True:
        try:
            waiting.append(waiting[-1].send(result))  # type: ignore[arg-type]  # the first `send` takes None
            result = None
        except StopIteration as end:
            waiting.pop()
            result = cast("Measure", end.value)
            if not waiting:
                return result


class _Directed(Protocol):
    @property
    def directives(self) -> Sequence[Any] | None: ...


def _directives(node: _Directed) -> int:
    return len(node.directives or ())


def _directed(measure: Measure, node: _Directed) -> Measure:
    """The measure with the directives of the node itself."""
    more = _directives(node)
    return replace(measure, directives=_bounded(measure.directives + more)) if more else measure


def _bounded(number: int) -> int:
    return min(number, CEILING)
