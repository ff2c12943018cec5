"""What a resolver returns in place of objects, and what a declaration sees in place of a row."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from schema.projection.compiler import Query


@dataclass(frozen=True, slots=True)
class Listing:
    """Which rows are listed, as SQL, and the columns that order them.

    With `cursor` each of them, an event of its own, comes as a text with its cursor: `[{"id", "text"}, …]`.
    """

    condition: Callable[["Row", "Query"], str]
    order: tuple[str, ...]
    cursor: Callable[["Row", "Query"], str] | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """ "Project this": an object type by its GraphQL name, and the values that find it.

    For a type with a table each value must equal the column of its name; for a payload the values are its row.
    """

    type_name: str
    values: Mapping[str, Any] = field(default_factory=dict)
    # A list of the objects whose ids are in the value `ids`, a JSON array as text; of an interface one for each id.
    is_list: bool = False
    # A list of rows of the type's table that hang on the execution with the id in the value `id`.
    listing: Listing | None = None
    # One of many that are asked for at one place: they share a statement.
    is_one_of_many: bool = False
    # An object, as a text, for each entry of the value `entries`, a JSON array as text; these are the entries' members,
    # each with its kind. Null for an entry whose object is not there.
    each: tuple[tuple[str, str], ...] | None = None
    # The revision of its tree at which the object, an execution, is shown with all that hangs on it; None: as it is.
    as_of: int | None = None
    # Whether the tree most probably is at `as_of` still: read as it is then, if it proves to be.
    is_now: bool = False

    @property
    def kinds(self) -> tuple[tuple[str, str], ...]:
        """Its values by their names, with the kinds that a statement knows them as."""
        return tuple(
            (name, "bigint" if isinstance(value, int) else "text") for name, value in self.values.items()
        )

    @property
    def key(self) -> Hashable:
        """Equal for what is projected alike."""
        return self.type_name, tuple(self.values.items()), self.is_list, self.listing, self.as_of


class Declared:
    """The result of a root field that is declared, not resolved."""


DECLARED: Final = Declared()


class Row:
    """A row under its alias: `row.due_at` and `row["due_at"]` are its column as SQL; an unknown column is an error."""

    def __init__(self, alias: str, columns: Iterable[str]) -> None:
        self._alias = alias
        self._columns = frozenset(columns)

    def __getitem__(self, column: str) -> str:
        if column not in self._columns:
            raise LookupError(f"{self._alias} has no column {column!r}")
        return f"{self._alias}.{column}"

    def __getattr__(self, column: str) -> str:
        if column.startswith("_"):
            raise AttributeError(column)
        return self[column]

    @property
    def alias(self) -> str:
        """The name under which the statement knows this row."""
        return self._alias


class ValuesRow(Row):
    """A payload's row: its columns are values that are bound."""

    def __init__(self, placeholders: Mapping[str, str]) -> None:
        super().__init__("values", placeholders)
        self._placeholders = dict(placeholders)

    def __getitem__(self, column: str) -> str:
        if column not in self._placeholders:
            raise LookupError(f"the payload has no value {column!r}")
        return self._placeholders[column]
