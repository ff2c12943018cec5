"""Lists of the reference: which rows, filtered and paged."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.schema.pages import order_of, page
from tests.schema.rows import Row
from tests.schema.wheres import matches

if TYPE_CHECKING:
    from tests.schema.reference import Reference

Find = Callable[["Reference", Row], list[Row]]


def everything(type_name: str, **values: Any) -> Find:
    """All objects of a type that hold these values."""
    return lambda reference, _: reference.all(type_name, **values)


def referring(type_name: str, column: str) -> Find:
    """The objects that refer to the row."""
    return lambda reference, row: reference.all(type_name, **{column: row["id"]})


def listed(field: str, find: Find) -> Callable[["Reference", Row, Any], Row]:
    """A connection over what is found."""

    def resolve(reference: "Reference", row: Row, arguments: Any) -> Row:
        found = [each for each in find(reference, row) if matches(reference, each, arguments.get("where"))]
        return page(found, order_of(field, arguments), arguments, reference.cursor_of)

    return resolve
