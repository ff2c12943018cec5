"""Connections by keyset: a cursor holds the order's keys of a row, so that pages stay put when rows come and go."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from graphql import GraphQLObjectType

from schema.projection.arguments import Arguments, BadUserInput, Given, Values, page_size
from schema.projection.conditions import Filter
from schema.projection.cursors import Keys, chosen_keys, own_keys
from schema.projection.declare import JournalOrder, OrderDirection, Paged
from schema.projection.journal import JournalKeys
from schema.projection.rows import Row

if TYPE_CHECKING:
    from schema.projection.compiler import Details, Query

DEFAULT_PAGE = 50
MAX_ORDER_KEYS = 10


def _check(keys: Keys | JournalKeys, values: Values) -> None:
    if values.get("first") is not None and values.get("last") is not None:
        raise BadUserInput("first and last cannot be given together.")
    for name in ("first", "last"):
        page_size(values, name, DEFAULT_PAGE)
    for name in ("after", "before"):
        if values.get(name) is not None:
            keys.decode(name, values[name])


def _keys(
    home: Paged, query: "Query", node: GraphQLObjectType, parent: Row, arguments: Arguments
) -> Keys | JournalKeys:
    if isinstance(home.order, JournalOrder):
        return JournalKeys(home.order, query, parent, arguments)
    table = query.table_of(node)
    given = arguments.input("orderBy")
    keys = list(given.items()) if given else []
    if len(keys) > MAX_ORDER_KEYS:
        raise BadUserInput(f"orderBy has {len(keys)} keys; at most {MAX_ORDER_KEYS} are allowed.")
    chosen = [_chosen(key) for key in keys]
    if chosen:
        return chosen_keys(chosen, home.order, table, query.sql)
    return own_keys(home.order, table, query.sql)


def _chosen(key: Given) -> tuple[str, bool]:
    """A column and whether it descends: both are members of enums, so they may stand in the text."""
    members = {name: each.label for name, each in key.members()}
    field, direction = members["field"], members["direction"]
    assert field is not None
    return field.value, direction is OrderDirection.DESC


@dataclass(frozen=True, slots=True)
class Found:
    """The rows that a page is made of, in order; `shown`: which of them are on it, where not all are."""

    source: str
    row: Row
    order: str
    shown: str | None = None


class Page:
    """One page of one connection."""

    def __init__(
        self, query: "Query", home: Paged, node: GraphQLObjectType, parent: Row, arguments: Arguments
    ) -> None:
        self._query = query
        self._home = home
        self._node = node
        self._parent = parent
        self._arguments = arguments
        self._keys = _keys(home, query, node, parent, arguments)
        self._filter = Filter(home.where, arguments, query)
        self._backward = arguments.given("last")
        self._size = self._limit()
        arguments.check(partial(_check, self._keys))

    def text(self, type_: GraphQLObjectType, details: "Details") -> str:
        """The connection object of a selection."""
        selected = self._query.selected(type_, details)
        tells_of_page = any(fields[0].node.name.value == "pageInfo" for fields in selected.values())
        found = self._numbered() if tells_of_page else self._plain()
        parts = {key: self._part(type_, found, fields) for key, fields in selected.items()}
        built = self._query.sql.build([(key, text) for key, (text, _) in parts.items()])
        # Without an aggregate in it the select would answer once for every row.
        aggregates = any(is_aggregate for _, is_aggregate in parts.values())
        return self._query.sql.nested(f"select {built}" + (f" from {found.source}" if aggregates else ""))

    def rows(self, item: Callable[[Row], str]) -> str:
        """A select of a JSON array of what `item` makes of each row of the page."""
        found = self._plain()
        return f"select {self._query.sql.items(item(found.row), found.order, None)} from {found.source}"

    def _plain(self) -> Found:
        """The page's rows."""
        rows, row = self._first_rows(self._size)
        order = self._keys.order_by(row, backward=False)
        if self._backward:
            rows = f"select * from ({rows}) {row.alias} order by {order}"
        return Found(f"({rows}) {row.alias}", row, order)

    def _numbered(self) -> Found:
        """With their number `n` from the end at which the page begins, and how many there are, `c`.

        There is one row more than the page holds: whether it is there tells whether the list goes on.
        """
        rows, row = self._first_rows(self._limit(plus=1))
        from_end = self._keys.order_by(row, backward=self._backward)
        numbered = (
            f"select {row.alias}.*, row_number() over (order by {from_end}) as n, count(*) over () as c"
            f" from ({rows}) {row.alias}"
        )
        direction = "desc" if self._backward else "asc"
        source = f"(select * from ({numbered}) {row.alias} order by n {direction}) {row.alias}"
        return Found(source, row, f"{row.alias}.n {direction}", f"{row.alias}.n <= {self._size}")

    def _first_rows(self, limit: str) -> tuple[str, Row]:
        """So many rows of the list from the end at which the page begins."""
        source, row = self._query.table(self._query.table_of(self._node))
        conditions = [self.listed(row)]
        conditions += [self._beyond(row, name) for name in ("after", "before") if self._arguments.given(name)]
        order = self._keys.order_by(row, backward=self._backward)
        where = " and ".join(conditions)
        return f"select {row.alias}.* from {source} where {where} order by {order} limit {limit}", row

    def _limit(self, plus: int = 0) -> str:
        return self._arguments.size("last" if self._backward else "first", DEFAULT_PAGE, plus=plus)

    def listed(self, row: Row) -> str:
        """Which rows the list has, whatever the page."""
        return self._home.join(self._parent, row, self._arguments) + self._filter.also(row)

    def _beyond(self, row: Row, name: str) -> str:
        return self._keys.beyond(row, self._placeholders(name), after=name == "after")

    def _placeholders(self, name: str) -> list[str]:
        return [self._key(name, index) for index in range(len(self._keys.kinds))]

    def _key(self, name: str, index: int) -> str:
        """A placeholder for one key of a cursor."""
        keys = self._keys  # not the page, which knows the request: a plan outlives it
        return self._arguments.derived(
            lambda values: keys.decode(name, values[name])[index], keys.kinds[index]
        )

    def _part(self, type_: GraphQLObjectType, found: Found, fields: "Details") -> tuple[str, bool]:
        """One field of the connection, and whether it aggregates the page's rows."""
        name = fields[0].node.name.value
        if name == "__typename":
            return self._query.sql.literal(type_.name), False
        if name == "totalCount":
            source, other = self._query.table(self._query.table_of(self._node))
            return f"(select count(*) from {source} where {self.listed(other)})", False
        if name == "pageInfo":
            return self._page_info(self._query.object_type(type_, name), found.row, fields)
        if name == "nodes":
            item = self._query.object(self._node, found.row, fields)
        else:
            item = self._edge(type_, found.row, fields)
        return self._query.sql.items(item, found.order, found.shown), True

    def _edge(self, type_: GraphQLObjectType, row: Row, details: "Details") -> str:
        edge = self._query.object_type(type_, "edges")
        pairs = []
        for key, fields in self._query.selected(edge, details).items():
            match fields[0].node.name.value:
                case "cursor":
                    pairs.append((key, self._keys.cursor(row)))
                case "node":
                    pairs.append((key, self._query.object(self._node, row, fields)))
                case _:
                    pairs.append((key, self._query.sql.literal(edge.name)))
        return self._query.sql.object(pairs)

    def _page_info(self, info: GraphQLObjectType, row: Row, details: "Details") -> tuple[str, bool]:
        sql, size = self._query.sql, self._size
        more = sql.boolean(self._more())
        cursor = self._keys.cursor(row)
        first = f"max(case when {row.alias}.n = 1 and {size} > 0 then {cursor} end)"
        is_last = f"{row.alias}.n = {size} or ({row.alias}.n = {row.alias}.c and {row.alias}.n < {size})"
        last = f"max(case when {is_last} then {cursor} end)"
        if self._backward:
            shown = {"hasPreviousPage": more, "startCursor": last, "endCursor": first}
        else:
            shown = {"hasNextPage": more, "startCursor": first, "endCursor": last}
        outside = {
            "__typename": sql.literal(info.name),
            "hasNextPage": sql.boolean(self._outside("before")),
            "hasPreviousPage": sql.boolean(self._outside("after")),
        }
        names = {
            key: fields[0].node.name.value for key, fields in self._query.selected(info, details).items()
        }
        text = sql.build([(key, shown.get(name) or outside[name]) for key, name in names.items()])
        return text, any(name in shown for name in names.values())

    def _more(self) -> str:
        """Whether the list goes on where the page ends: before its other cursor, or behind that."""
        near, far = ("before", "after") if self._backward else ("after", "before")
        return f"count(*) > {self._size} or {self._outside(far, near)}"

    def _outside(self, name: str, near: str | None = None) -> str:
        """Whether there is something on the other side of a cursor; of that only what lies behind the cursor `near`."""
        if not self._arguments.given(name):
            return "1 = 0"
        source, row = self._query.table(self._query.table_of(self._node))
        conditions = [
            self.listed(row),
            self._keys.not_beyond(row, self._placeholders(name), after=name == "after"),
        ]
        if near is not None and self._arguments.given(near):
            conditions.append(self._beyond(row, near))
        return f"exists (select 1 from {source} where {' and '.join(conditions)})"
