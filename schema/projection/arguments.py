"""Arguments as the compiler may see them: whether they are given, never what they hold.

So a compiled text serves every value of the same shape, and no value of a request can reach the text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from graphql import (
    FieldNode,
    GraphQLBoolean,
    GraphQLError,
    GraphQLField,
    GraphQLInputType,
    OperationDefinitionNode,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    parse,
    print_ast,
)

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


@dataclass(frozen=True, slots=True)
class Site:
    """A place in a document where a field has arguments; read anew for every request."""

    field: GraphQLField
    node: FieldNode
    fragment_variables: Any


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


class Arguments:
    """The arguments of one field at one place."""

    def __init__(self, binder: Binder, site: int, given: Sequence[str]) -> None:
        self.query = binder
        self._site = site
        self._given = frozenset(given)

    def given(self, name: str) -> bool:
        """Whether the argument is there and not null."""
        return name in self._given

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


def is_storable(text: str) -> bool:
    """PostgreSQL's text has no NUL, and neither database has lone surrogates."""
    return "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def shape(value: Any, type_: GraphQLInputType) -> Any:
    """What a compiled text depends on: keys, lengths, nulls, booleans and enum members; never a text or a number.

    What a JSON scalar holds is nobody's business here: a text for each of its shapes would never be used again.
    """
    if is_non_null_type(type_):
        return shape(value, type_.of_type)
    if value is None:
        return None
    if is_list_type(type_):
        return (list, *(shape(item, type_.of_type) for item in value))
    if is_input_object_type(type_):
        return tuple((name, shape(item, type_.fields[name].type)) for name, item in value.items())
    return value if isinstance(value, Enum) or type_ is GraphQLBoolean else type(value)
