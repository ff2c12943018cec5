"""Arguments as the compiler may see them: whether they are given, never what they hold.

So a compiled text serves every value of the same shape, and no value of a request can reach the text.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial, reduce
from operator import getitem
from typing import TYPE_CHECKING, Any, Protocol, cast

from graphql import (
    FieldNode,
    GraphQLBoolean,
    GraphQLError,
    GraphQLField,
    GraphQLInputType,
    GraphQLResolveInfo,
    OperationDefinitionNode,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_scalar_type,
    parse,
    print_ast,
)
from graphql.execution.values import VariableValues, get_argument_values

from db.runtime.json_values import is_storable

if TYPE_CHECKING:
    from sqlalchemy import Table

    from schema.projection.rows import Row
    from schema.projection.spelling import Spelling

Values = Mapping[str, Any]
Convert = Callable[[Any], Any]
MAX_PAGE = 500


class BadUserInput(GraphQLError):
    """A value that the schema's types admit and the server does not."""

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": "BAD_USER_INPUT"})


class TooLarge(GraphQLError):
    """An operation that asks for more than one statement is to do, or one answer to hold."""

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": "LIMIT_EXCEEDED"})


@dataclass(frozen=True, slots=True)
class Site:
    """A place in a document where a field has arguments; read anew for every request, unless none is a variable."""

    field: GraphQLField
    node: FieldNode
    fragment_variables: Any
    fixed: Values | None

    @classmethod
    def of(cls, field: GraphQLField, node: FieldNode, fragment_variables: Any, values: Values) -> "Site":
        """The place of a node, where these values were found."""
        own = detached(node)
        # A text may hold the sign as well: that site is read anew for nothing.
        has_variables = "$" in print_ast(own)
        return cls(field, own, fragment_variables, None if has_variables else values)

    def values(self, variables: VariableValues) -> Values:
        """What it holds for a request."""
        if self.fixed is not None:
            return self.fixed
        return get_argument_values(self.field, self.node, variables, self.fragment_variables)


@dataclass(frozen=True, slots=True)
class KnownSite:
    """A place whose arguments were read beforehand."""

    known: Values

    def values(self, _variables: VariableValues) -> Values:
        """What it holds."""
        return self.known


AnySite = Site | KnownSite


def values_at(info: GraphQLResolveInfo[Any]) -> Values:
    """A field's arguments as its resolver's caller has them, in the API's names: a `where` is compiled from them."""
    # Strawberry gives resolvers the values alone. Their sources tell of variables within JSON, which no filter takes.
    variables = VariableValues({}, cast("dict[str, Any]", info.variable_values))
    return get_argument_values(info.parent_type.fields[info.field_name], info.field_nodes[0], variables)


def detached(node: FieldNode) -> FieldNode:
    """The field with its arguments alone: a document's node holds the whole document, and a plan outlives that."""
    arguments = ", ".join(print_ast(argument) for argument in node.arguments or ())
    text = f"{{ {node.name.value}({arguments}) }}" if arguments else f"{{ {node.name.value} }}"
    operation = parse(text, no_location=True).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    field = operation.selection_set.selections[0]
    assert isinstance(field, FieldNode)
    return field


class Binder(Protocol):
    """The statement in the making, as arguments use it."""

    sql: "Spelling"

    def table(self, table: "Table") -> tuple[str, "Row"]:
        """A table under a fresh alias, and its row."""

    def bind(self, site: int, read: Convert, kind: str) -> str:
        """A placeholder for what `read` finds in the site's arguments."""

    def number(self, site: int, read: Convert) -> str:
        """A validated integer that is written into the text: a bound limit is planned badly."""

    def check(self, site: int, check: Callable[[Values], None]) -> None:
        """Have the site's arguments checked before the statement runs."""

    def guard(self, broken: str, told: str, refuse: Callable[[str], GraphQLError]) -> None:
        """Have the statement answer nothing but `told`, of which `refuse` makes the error, while `broken` holds."""


class Arguments:
    """The arguments of one field at one place."""

    def __init__(self, binder: Binder, site: int, values: Values) -> None:
        self.query = binder
        self._site = site
        self._values = values

    def given(self, name: str) -> bool:
        """Whether the argument is there and not null."""
        return self._values.get(name) is not None

    def input(self, name: str) -> "Given | None":
        """An argument that is an input object or a list; None where it is not given."""
        return Given(self, (name,), self._values[name]) if self.given(name) else None

    def value(self, name: str, kind: str = "text") -> str:
        """A placeholder for the argument's value."""
        return self.query.bind(self._site, lambda values: bindable(values[name], name), kind)

    def derived(self, read: Convert, kind: str) -> str:
        """A placeholder for something computed from the arguments."""
        return self.query.bind(self._site, read, kind)

    def size(self, name: str, default: int, plus: int = 0) -> str:
        """A page size as text."""
        return self.query.number(self._site, lambda values: page_size(values, name, default) + plus)

    def check(self, check: Callable[[Values], None]) -> None:
        """Have the arguments checked before the statement runs."""
        self.query.check(self._site, check)


class Given:
    """A value inside an argument: what it is made of is seen, texts and numbers in it are not."""

    def __init__(self, arguments: Arguments, path: tuple[str | int, ...], value: Any) -> None:
        self._arguments = arguments
        self._path = path
        self._value = value

    @property
    def place(self) -> str:
        """Where it stands, for people: `where.and[0].name`."""
        return place_of(self._path)

    def members(self) -> Iterator[tuple[str, "Given"]]:
        """The members of an input object; null is the same as not there."""
        return ((name, each) for name, each in self.all_members() if each._value is not None)

    def all_members(self) -> Iterator[tuple[str, "Given"]]:
        """The members of an input object, also those that are null."""
        for name, value in self._value.items():
            yield name, Given(self._arguments, (*self._path, name), value)

    def items(self) -> list["Given"]:
        """The items of a list."""
        return [Given(self._arguments, (*self._path, index), item) for index, item in enumerate(self._value)]

    @property
    def flag(self) -> bool:
        """A boolean."""
        assert isinstance(self._value, bool), self.place
        return self._value

    @property
    def label(self) -> Enum | None:
        """A member of an enum; None where it is something else."""
        return self._value if isinstance(self._value, Enum) else None

    def bind(self, kind: str, convert: Convert) -> str:
        """A placeholder for what `convert` makes of the value."""
        return self._arguments.derived(partial(_read, self._path, convert), kind)


def _read(path: tuple[str | int, ...], convert: Convert, values: Values) -> Any:
    return convert(reduce(getitem, path, values))  # type: ignore[arg-type]  # a name finds a member, a number an item


def place_of(path: Iterable[str | int]) -> str:
    """A place inside the arguments, for people: `where.and[0].name`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def page_size(values: Values, name: str, default: int) -> int:
    """A page size within bounds; raises `BadUserInput`."""
    given = values.get(name)
    size = default if given is None else int(given)
    if not 0 <= size <= MAX_PAGE:
        raise BadUserInput(f"{name} is {size}; it must be from 0 to {MAX_PAGE}.")
    return size


def bindable(value: Any, name: str = "A text") -> Any:
    """A value that both databases take; `name` says whose it is where it is refused (I5)."""
    if isinstance(value, str) and not is_storable(value):
        raise BadUserInput(f"{name} holds a NUL character or a lone surrogate.")
    return value


def shape(value: Any, type_: GraphQLInputType) -> Any:
    """What a compiled text depends on: keys, lengths, nulls, booleans and enum members; never a text or a number.

    What a JSON scalar holds is nobody's business here: a text for each of its shapes would never be used again. Nor is
    the length of a list of texts or numbers, which is bound as one array.
    """
    if is_non_null_type(type_):
        return shape(value, type_.of_type)
    if value is None:
        return None
    if is_list_type(type_):
        if not _is_seen(type_.of_type):
            return list
        return (list, *(shape(item, type_.of_type) for item in value))
    if is_input_object_type(type_):
        return tuple((name, shape(item, type_.fields[name].type)) for name, item in value.items())
    return value if _is_seen(type_) else type(value)


def _is_seen(type_: GraphQLInputType) -> bool:
    """Whether a text may depend on more of a value than that it is there."""
    if is_non_null_type(type_):
        return _is_seen(type_.of_type)
    return type_ is GraphQLBoolean or not is_scalar_type(type_)
