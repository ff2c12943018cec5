"""Where a field lives. Object types declare it on the right-hand side and never hold a resolver.

@rows_of(tables.StepExecution)
class WorkflowStepExecution(Node):
    due_at: datetime | None = column("When it should be done.")
    workflow_execution: WorkflowExecution = one("The execution.", "execution_id")
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

import strawberry
from sqlalchemy import Table
from sqlmodel import SQLModel
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from db.tables import table_of

if TYPE_CHECKING:
    from schema.projection.arguments import Arguments
    from schema.projection.compiler import Query
    from schema.projection.rows import Row

T = TypeVar("T", bound=type)
RowToSQL = Callable[["Row", "Query"], str]
Join = Callable[["Row", "Row", "Arguments"], str]

_HOME = "stepgraph.home"
_TABLE = "__stepgraph_table__"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the row; `name` None: the field's own name."""

    name: str | None


@dataclass(frozen=True, slots=True)
class Expression:
    """SQL over the row."""

    sql: RowToSQL


@dataclass(frozen=True, slots=True)
class Part:
    """An object made of columns of the same row, null while `presence`, a column or a condition, is null or false."""

    presence: str | RowToSQL


@dataclass(frozen=True, slots=True)
class One:
    """One row of another table; without one the field is null."""

    join: Join


@dataclass(frozen=True, slots=True)
class Summary:
    """The single row of a query over other rows."""

    query: RowToSQL


@dataclass(frozen=True, slots=True)
class Many:
    """Rows of another table, in an order, at most `first` of them where the field has that argument."""

    join: Join
    order: str
    limited: bool
    where: type | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Objects that a payload tells: its value of this name is a JSON array of them, which have `keys` beside their fields.

    Where the field is no list it is the first of them.
    """

    value: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paged:
    """A connection over another table; `order` where no other is asked for."""

    join: Join
    order: "Order | JournalOrder"
    where: type | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order over columns, each ascending or all descending, ended by a unique one; those that may be null are told."""

    name: str
    columns: tuple[str, ...]
    descending: bool = False
    nullable: tuple[str, ...] = ()


class OrderDirection(Enum):
    """Which way a key of an order goes."""

    ASC = "asc"
    DESC = "desc"


@dataclass(frozen=True, slots=True)
class JournalOrder:
    """The order of changes: by revision where `root` names their tree, else as they were committed (`live.md` J4)."""

    root: Callable[["Row", "Arguments"], str | None]


Home = Column | Expression | Part | One | Summary | Many | Told | Paged


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a declared field."""

    name: str
    type: Any
    description: str
    default: Any = None


def everything(_parent: "Row", _child: "Row", _arguments: "Arguments") -> str:
    """A join that keeps every row (of the tenant)."""
    return "1 = 1"


def on(column: str, key: str = "id") -> Join:
    """The child's `key` is the parent's `column`."""
    return lambda parent, child, _: f"{child[key]} = {parent[column]}"


def column(description: str, name: str | None = None) -> Any:
    """The field is a column."""
    return _declared(Column(name), description)


def sql(description: str, expression: RowToSQL) -> Any:
    """The field is an SQL expression over its row."""
    return _declared(Expression(expression), description)


def part(description: str, presence: str | RowToSQL) -> Any:
    """The field is an object of columns of the same row; a text names the column that is null where it is."""
    return _declared(Part(presence), description)


def one(
    description: str,
    join: Join | str,
    arguments: Sequence[Argument] = (),
    *,
    graphql_name: str | None = None,
) -> Any:
    """The field is one row of another table; a text names the column that holds the other's id."""
    home = One(on(join) if isinstance(join, str) else join)
    return _declared(home, description, arguments, graphql_name)


def summary(description: str, query: RowToSQL) -> Any:
    """The field is the one row of a query."""
    return _declared(Summary(query), description)


def many(
    description: str,
    join: Join,
    order: str,
    arguments: Sequence[Argument] = (),
    *,
    where: type | None = None,
) -> Any:
    """The field is a list of rows."""
    limited = any(argument.name == "first" for argument in arguments)
    return _declared(Many(join, order, limited, where), description, (*arguments, *_filter_arguments(where)))


def told(description: str, value: str, *keys: str) -> Any:
    """The field is what the payload itself tells, in this value of it; `keys` are members that joins need."""
    return _declared(Told(value, keys), description)


def connection(
    description: str,
    join: Join,
    order: Order | JournalOrder,
    arguments: Sequence[Argument] = (),
    *,
    where: type | None = None,
    order_by: type | None = None,
) -> Any:
    """The field is a connection; `order_by` is the input type of an order's keys, whose fields are named by columns."""
    every = (*PAGE_ARGUMENTS, *arguments, *_filter_arguments(where), *_order_arguments(order_by))
    return _declared(Paged(join, order, where), description, every)


def _filter_arguments(where: type | None) -> Sequence[Argument]:
    if where is None:
        return ()
    return (
        Argument("where", where | None, "Only what fulfils all of this; everything where absent or empty."),
    )


def _order_arguments(order_by: type | None) -> Sequence[Argument]:
    if order_by is None:
        return ()
    keys = list[order_by] | None  # type: ignore[valid-type]  # a list type made at run time
    described = "The keys of another order, the weightiest first; the list's own order where absent or empty."
    return (Argument("order_by", keys, described),)


PAGE_ARGUMENTS = (
    Argument(
        "first", int | None, "How many from the start, at most 500; 50 where neither first nor last is given."
    ),
    Argument("after", str | None, "Only what comes after this cursor."),
    Argument("last", int | None, "How many from the end, at most 500; not together with first."),
    Argument("before", str | None, "Only what comes before this cursor."),
)


def _declared(
    home: Home, description: str, arguments: Sequence[Argument] = (), graphql_name: str | None = None
) -> Any:
    field = StrawberryField(description=description, graphql_name=graphql_name, metadata={_HOME: home})
    field.arguments = [
        StrawberryArgument(
            python_name=argument.name,
            graphql_name=None,
            type_annotation=StrawberryAnnotation(argument.type),
            description=argument.description,
            default=argument.default if argument.default is not None else strawberry.UNSET,
        )
        for argument in arguments
    ]
    return field


@dataclass_transform(
    field_specifiers=(column, sql, part, one, summary, many, told, connection), kw_only_default=True
)
def rows_of(model: type[SQLModel] | None) -> Callable[[T], T]:
    """An object type whose objects are rows of a table; None: of a query, of a part of a row, or a payload.

    The class's docstring is the type's description.
    """

    def decorate(cls: T) -> T:
        setattr(cls, _TABLE, None if model is None else table_of(model))
        return strawberry.type(cls, description=(cls.__doc__ or "").strip())

    return decorate


@dataclass(frozen=True, slots=True)
class TypeHome:
    """An object type: its table, and the home of each field by its GraphQL name."""

    table: Table | None
    fields: Mapping[str, tuple[str, Home]]


def homes_of(schema: strawberry.Schema) -> dict[str, TypeHome]:
    """Every object type of a schema that declares where its fields live, by its GraphQL name."""
    homes = {}
    for name, entry in schema.schema_converter.type_map.items():
        definition = entry.definition
        if isinstance(definition, StrawberryObjectDefinition) and not definition.is_input:
            fields = dict(_fields(schema, definition))
            if fields:
                homes[name] = TypeHome(getattr(definition.origin, _TABLE, None), fields)
    return homes


def _fields(
    schema: strawberry.Schema, definition: StrawberryObjectDefinition
) -> Iterator[tuple[str, tuple[str, Home]]]:
    for field in definition.fields:
        home = field.metadata.get(_HOME)
        if home is not None:
            yield schema.config.name_converter.from_field(field), (field.python_name, home)
