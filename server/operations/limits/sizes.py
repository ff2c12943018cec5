"""How long lists are: what `first`, `last` and `limit` say, wherever a schema has them."""

from collections.abc import Iterable, Iterator
from typing import Final

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_list_type,
)

from schema.projection.paging import DEFAULT_PAGE
from server.operations.limits.cost import Size

IDS: Final = "ids"
ARGUMENTS: Final = ("first", "last", "limit")
UNSIZED_LIST: Final = 10
UNSIZED_CONNECTION: Final = DEFAULT_PAGE
DIGITS: Final = 10  # of an Int; the rest of a longer number changes nothing

Path = tuple[str, ...]


class Sizes:
    """The lists of one schema. A *page* is a type whose lists are as long as the field that leads to it says:
    a connection, and every other type that is answered by a field with a size and is no list itself.
    """

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._pages = set(self._names_of_pages())

    def is_page(self, type_: GraphQLNamedType | None) -> bool:
        """Whether the lists of this type are as long as the field says that leads to it."""
        return type_ is not None and type_.name in self._pages

    def of(self, node: FieldNode, field: GraphQLField) -> Size:
        """The size of the list or page that a field leads to."""
        unsized = UNSIZED_CONNECTION if _is_connection(get_named_type(field.type)) else UNSIZED_LIST
        return _size(node, field, unsized)

    def _names_of_pages(self) -> Iterator[str]:
        for type_ in self._schema.type_map.values():
            if _is_connection(type_):
                yield type_.name
            if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
                for field in type_.fields.values():
                    if is_sized(field) and not is_list(field.type):
                        yield from self._names_within(get_named_type(field.type))

    def _names_within(self, type_: GraphQLNamedType) -> Iterable[str]:
        members = self._schema.get_possible_types(type_) if is_abstract_type(type_) else ()
        return [type_.name, *(member.name for member in members)]


def is_list(type_: GraphQLOutputType) -> bool:
    """Whether it is a list, which may be one of non-null entries and non-null itself."""
    return is_list_type(get_nullable_type(type_))


def is_sized(field: GraphQLField) -> bool:
    """Whether a field takes a size, as an argument or within an argument's input."""
    return any(True for _ in _paths(field))


def _is_connection(type_: GraphQLNamedType) -> bool:
    return isinstance(type_, GraphQLObjectType) and {"edges", "pageInfo"} <= type_.fields.keys()


def _size(node: FieldNode, field: GraphQLField, unsized: int) -> Size:
    literals: list[int] = []
    variables: list[Path] = []
    defaults: list[int] = []
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    for path, default in _paths(field):
        value, rest = _at(given, path)
        if isinstance(value, IntValueNode):
            literals.append(int(value.value[:DIGITS]))
        elif isinstance(value, ListValueNode):
            literals.append(len(value.values))
        elif isinstance(value, VariableNode):
            variables.append((value.name.value, *rest))
        if default is not None:
            defaults.append(default)
    return Size(max(defaults, default=unsized), tuple(literals), tuple(variables))


def _paths(field: GraphQLField) -> Iterator[tuple[Path, int | None]]:
    """Where the sizes of a field stand in its arguments, with their defaults."""
    for name, argument in field.args.items():
        type_ = get_named_type(argument.type)
        if name in ARGUMENTS and type_ is GraphQLInt:
            yield (name,), _default(argument)
        elif name == IDS and is_list_type(get_nullable_type(argument.type)):
            # As many as it is given.
            yield (name,), None
        elif isinstance(type_, GraphQLInputObjectType):
            for inner in type_.fields.keys() & set(ARGUMENTS):
                if get_named_type(type_.fields[inner].type) is GraphQLInt:
                    yield (name, inner), _default(type_.fields[inner])


def _default(value: GraphQLArgument | GraphQLInputField) -> int | None:
    """The default, which schemas made of SDL and schemas made in Python keep in different places."""
    default = value.default
    if default is not None and isinstance(default.literal, IntValueNode):
        return int(default.literal.value)
    held = value.default_value if default is None else default.value
    return held if isinstance(held, int) else None


def _at(arguments: dict[str, ValueNode], path: Path) -> tuple[ValueNode | None, Path]:
    """The value there, or the variable that holds it with the rest of the path."""
    value = arguments.get(path[0])
    for depth, name in enumerate(path[1:], start=1):
        if not isinstance(value, ObjectValueNode):
            return value, path[depth:]
        value = {field.name.value: field.value for field in value.fields}.get(name)
    return value, ()
