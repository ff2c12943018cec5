"""Arguments as the compiler may see them: whether they are given, never what they hold.

So a compiled text serves every value of the same shape, and no value of a request can reach the text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from graphql import FieldNode, GraphQLError, GraphQLField

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


class Binder(Protocol):
    """The statement in the making, as arguments use it."""

    def bind(self, site: int, read: Convert, kind: str) -> str:
        """A placeholder for what `read` finds in the site's arguments."""

    def number(self, site: int, read: Convert) -> str:
        """A validated integer that is written into the text: a bound limit is planned badly."""

    def check(self, site: int, check: Callable[[Values], None]) -> None:
        """Have the site's arguments checked before the statement runs."""


class Arguments:
    """The arguments of one field at one place."""

    def __init__(self, binder: Binder, site: int, given: Sequence[str]) -> None:
        self._binder = binder
        self._site = site
        self._given = frozenset(given)

    def given(self, name: str) -> bool:
        """Whether the argument is there and not null."""
        return name in self._given

    def value(self, name: str, kind: str = "text") -> str:
        """A placeholder for the argument's value."""
        return self._binder.bind(self._site, lambda values: bindable(values[name]), kind)

    def derived(self, read: Convert, kind: str) -> str:
        """A placeholder for something computed from the arguments."""
        return self._binder.bind(self._site, read, kind)

    def size(self, name: str, default: int, plus: int = 0) -> str:
        """A page size as text."""
        return self._binder.number(self._site, lambda values: page_size(values, name, default) + plus)

    def check(self, check: Callable[[Values], None]) -> None:
        """Have the arguments checked before the statement runs."""
        self._binder.check(self._site, check)


def page_size(values: Values, name: str, default: int) -> int:
    """A page size within bounds; raises `BadUserInput`."""
    given = values.get(name)
    size = default if given is None else int(given)
    if not 0 <= size <= MAX_PAGE:
        raise BadUserInput(f"{name} is {size}; it must be from 0 to {MAX_PAGE}.")
    return size


def bindable(value: Any) -> Any:
    """A value that both databases take; PostgreSQL's text has no NUL and neither has lone surrogates (I5)."""
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= each <= "\udfff" for each in value)):
        raise BadUserInput("A text holds a NUL character or a lone surrogate.")
    return value


def shape(value: Any) -> Any:
    """What a compiled text depends on: keys, lengths, nulls, booleans and enum members; never a text or a number."""
    if isinstance(value, Mapping):
        return tuple((key, shape(item)) for key, item in value.items())
    if isinstance(value, list):
        return (list, *(shape(item) for item in value))
    if value is None or isinstance(value, bool | Enum):
        return value
    return type(value)
