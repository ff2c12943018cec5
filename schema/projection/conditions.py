"""From the `where` of a request to a condition on a row. A condition may be null, which a filter takes for false."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from db.runtime.moments import timestamp_text
from schema.projection.arguments import Arguments, Convert, Given, Values
from schema.projection.filters import Compared, Logic, Related, Searched, Tested, Where, where_home
from schema.projection.json_paths import as_path, eq_document, eq_values, in_values
from schema.projection.rows import Row
from schema.projection.where_checks import check_shape, check_values

if TYPE_CHECKING:
    from schema.projection.compiler import Query

TRUE, FALSE = "1 = 1", "1 = 0"


def _same(value: Any) -> Any:
    return value


def _array(values: Any) -> str:
    return orjson.dumps(values).decode()


_CONVERTED: Mapping[str, Convert] = {"text": _same, "bigint": _same, "time": timestamp_text}
_SIGNS = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class Filter:
    """The `where` of one field at one place in a document, if it has one."""

    def __init__(self, where: type | None, arguments: Arguments, query: "Query") -> None:
        self._where = None if where is None else where_home(where)
        self._given = arguments.input("where")
        self._query = query
        if self._where is not None and self._given is not None:
            check_shape(self._where, self._given)
            arguments.check(partial(_check, self._where))

    def also(self, row: Row) -> str:
        """What it says about a row, to be added to another condition."""
        if self._where is None or self._given is None:
            return ""
        return f" and {condition(self._where, self._given, row, self._query)}"


def _check(where: Where, values: Values) -> None:
    if values.get("where") is not None:
        check_values(where, values["where"], ("where",))


def condition(where: Where, given: Given, row: Row, query: "Query") -> str:
    """What a `where` says about a row."""
    text = _all([_member(where, name, each, row, query) for name, each in given.members()])
    return query.outlined_condition(text, row, where.table)


def _member(where: Where, name: str, given: Given, row: Row, query: "Query") -> str:
    column, home = where.members[name]
    match home:
        case Logic():
            return _logic(home, where, given, row, query)
        case Compared():
            return _compared(home, row, query, given)
        case Tested():
            tested = home.condition(row, query)
            return tested if given.flag else f"({tested}) is not true"
        case Searched():
            return _all([_searched(row[column], each, query) for each in given.items()])
        case Related():
            source, other = query.table(home.table)
            inner = condition(where_home(home.where()), given, other, query)
            return f"exists (select 1 from {source} where {home.join(row, other)} and {inner})"


def _logic(logic: Logic, where: Where, given: Given, row: Row, query: "Query") -> str:
    if logic is Logic.NOT:
        return f"({condition(where, given, row, query)}) is not true"
    parts = [condition(where, item, row, query) for item in given.items()]
    # `and` binds closer than `or`: its parts need no parentheses, of which SQLite takes few.
    return _all(parts) if logic is Logic.AND else _any(parts)


def _all(parts: list[str]) -> str:
    return " and ".join(parts) or TRUE


def _any(parts: list[str]) -> str:
    return f"({' or '.join(parts)})" if parts else FALSE


def _compared(home: Compared, row: Row, query: "Query", given: Given) -> str:
    kind = home.kind or "text"
    if not any(given.members()):
        return TRUE

    def compare(value: str, null: str | None) -> str:
        return _all([_operator(name, value, null, each, kind, query) for name, each in given.members()])

    if home.within is not None:
        return home.within(row, query, compare)
    assert home.column is not None
    return compare(row[home.column], None)


def _operator(name: str, value: str, null: str | None, given: Given, kind: str, query: "Query") -> str:
    sql = query.sql
    if name == "isNull":
        is_null = null or f"{value} is null"
        return is_null if given.flag else f"not ({is_null})"
    if name == "in":
        found = _among(value, given, kind, query)
    elif name == "startsWith":
        found = sql.starts_with(value, given.bind("text", _same))
    elif name == "contains":
        found = sql.contains(value, given.bind("text", _same))
    else:
        found = f"{value} {_SIGNS[name]} {_operand(given, kind)}"
    return found if null is None else f"not ({null}) and {found}"


def _operand(given: Given, kind: str) -> str:
    # A label stands in the text: it is the schema's own, and the planner knows how many rows have it.
    return given.bind(kind, _CONVERTED[kind]) if given.label is None else f"'{given.label.value}'"


def _among(value: str, given: Given, kind: str, query: "Query") -> str:
    if kind != "label":
        return query.sql.one_of(value, given.bind("json", _array))
    labels = ", ".join(_operand(each, kind) for each in given.items())
    return f"{value} in ({labels})" if labels else FALSE


def _searched(column: str, given: Given, query: "Query") -> str:
    path = given.bind("text", as_path)
    operators = [
        _path_operator(name, column, path, given, each, query) for name, each in _path_operators(given)
    ]
    return _all(operators)


def _path_operators(given: Given) -> list[tuple[str, Given]]:
    """All but the path; null is a value that `eq` can ask for."""
    there = dict(given.members())
    return [
        (name, each)
        for name, each in given.all_members()
        if name != "path" and (name == "eq" or name in there)
    ]


def _path_operator(name: str, column: str, path: str, given: Given, operand: Given, query: "Query") -> str:
    sql = query.sql
    match name:
        case "eq":
            document, values = given.bind("jsonb", eq_document), given.bind("jsonb", eq_values)
            return sql.json_equals(column, path, document, values)
        case "in":
            return sql.json_among(column, path, given.bind("jsonb", in_values))
    exists = sql.json_exists(column, path)
    return exists if operand.flag else f"({exists}) is not true"
