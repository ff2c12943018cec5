"""Conditions: from a `where` object to SQL over a row, wherever that row comes from.

@where_of(tables.StepExecution)
class WorkflowStepExecutionWhere:
    due_at: DateTimeFilter | None = compared("When it should be done.")
    workflow_execution: WorkflowExecutionWhere | None = related("…", table, join, lambda: WorkflowExecutionWhere)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

import strawberry
from sqlalchemy import Table
from sqlmodel import SQLModel
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from db.tables import table_of
from schema.projection.cursors import kind_of

if TYPE_CHECKING:
    from schema.projection.compiler import Query
    from schema.projection.rows import Row

T = TypeVar("T", bound=type)
# Puts the operators of a filter over a value; the second says when that value counts as null, where it is not so itself.
Compare = Callable[[str, str | None], str]
Within = Callable[["Row", "Query", Compare], str]
Join = Callable[["Row", "Row"], str]

_HOME = "stepgraph.condition"
_WHERE = "__stepgraph_where__"


class Logic(Enum):
    """Members that hold conditions on the same row."""

    AND = "and"
    OR = "or"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Compared:
    """Operators over a value of the row, or of rows that it leads to; None: over the column of the member's name."""

    within: Within | None
    column: str | None
    kind: str | None


@dataclass(frozen=True, slots=True)
class Tested:
    """A condition that is to be true, or not to be true."""

    condition: "Callable[[Row, Query], str]"


@dataclass(frozen=True, slots=True)
class Searched:
    """Values inside a JSON column."""


@dataclass(frozen=True, slots=True)
class Related:
    """Some row of another table matches."""

    table: Table
    join: Join
    where: Callable[[], type]


Home = Logic | Compared | Tested | Searched | Related


@dataclass(frozen=True, slots=True)
class Where:
    """An input type: the table whose rows it tells apart, and each member's column and home by its GraphQL name."""

    table: Table
    members: Mapping[str, tuple[str, Home]]


def all_of() -> Any:
    """`and`: every one of the conditions."""
    return _declared(Logic.AND, "All of these hold; an empty list always does.", "and")


def any_of() -> Any:
    """`or`: at least one of the conditions."""
    return _declared(Logic.OR, "At least one of these holds; an empty list never does.", "or")


def none_of() -> Any:
    """`not`: two-valued, so what is null is on one of the two sides."""
    return _declared(
        Logic.NOT, "This does not hold; a comparison with null counts as one that does not.", "not"
    )


def compared(description: str, column: str | None = None) -> Any:
    """Operators over a column."""
    return _declared(Compared(None, column, None), description)


def compared_within(description: str, within: Within, kind: str = "text") -> Any:
    """Operators over a value that is no column of the row."""
    return _declared(Compared(within, None, kind), description)


def tested(description: str, condition: "Callable[[Row, Query], str]") -> Any:
    """A boolean."""
    return _declared(Tested(condition), description)


def searched(description: str) -> Any:
    """Values inside a JSON column, all of which must match."""
    return _declared(Searched(), description)


def related(description: str, model: type[SQLModel], join: Join, where: Callable[[], type]) -> Any:
    """Some row of another table matches."""
    return _declared(Related(table_of(model), join, where), description)


def _declared(home: Home, description: str, graphql_name: str | None = None) -> Any:
    return StrawberryField(
        description=description,
        graphql_name=graphql_name,
        default=strawberry.UNSET,
        metadata={_HOME: home},
    )


@dataclass_transform(
    field_specifiers=(all_of, any_of, none_of, compared, compared_within, tested, searched, related),
    kw_only_default=True,
)
def where_of(model: type[SQLModel]) -> Callable[[T], T]:
    """An input type whose members tell rows of a table apart; the class's docstring is its description."""

    def decorate(cls: T) -> T:
        decorated = strawberry.input(cls, description=(cls.__doc__ or "").strip())
        table = table_of(model)
        members = {
            field.graphql_name or to_camel_case(field.python_name): _member(table, field)
            for field in decorated.__strawberry_definition__.fields  # type: ignore[attr-defined]  # Strawberry's
        }
        setattr(decorated, _WHERE, Where(table, members))
        return decorated

    return decorate


def _member(table: Table, field: StrawberryField) -> tuple[str, Home]:
    home: Home = field.metadata[_HOME]
    if not isinstance(home, Compared) or home.within is not None:
        return field.python_name, home
    column = home.column or field.python_name
    return column, Compared(None, column, kind_of(table.c[column].type))


def where_home(where: type) -> Where:
    """What `where_of` made of a class."""
    home: Where = getattr(where, _WHERE)
    return home
