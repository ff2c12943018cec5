"""Connections by keyset: a cursor holds the order's keys of a row, so that pages stay put when rows come and go."""

from functools import partial
from typing import TYPE_CHECKING

from graphql import GraphQLObjectType
from sqlalchemy import Table

from schema.projection.arguments import Arguments, BadUserInput, Given, Values, page_size
from schema.projection.conditions import Filter
from schema.projection.cursors import Keys, chosen_keys, own_keys
from schema.projection.declare import OrderDirection, Paged
from schema.projection.rows import Row

if TYPE_CHECKING:
    from schema.projection.compiler import Details, Query

DEFAULT_PAGE = 50


def _check(keys: Keys, values: Values) -> None:
    if values.get("first") is not None and values.get("last") is not None:
        raise BadUserInput("first and last cannot be given together.")
    for name in ("first", "last"):
        page_size(values, name, DEFAULT_PAGE)
    for name in ("after", "before"):
        if values.get(name) is not None:
            keys.decode(name, values[name])


def _keys(home: Paged, query: "Query", table: Table, arguments: Arguments) -> Keys:
    given = arguments.input("orderBy")
    chosen = [_chosen(key) for key in given.items()] if given else []
    if chosen:
        return chosen_keys(chosen, home.order, table, query.sql)
    return own_keys(home.order, table, query.sql)


def _chosen(key: Given) -> tuple[str, bool]:
    """A column and whether it descends: both are members of enums, so they may stand in the text."""
    members = {name: each.label for name, each in key.members()}
    field, direction = members["field"], members["direction"]
    assert field is not None
    return field.value, direction is OrderDirection.DESC


class Page:
    """One page of one connection.

    Its rows are numbered from the end at which the page begins, and there is one row more than the page holds: whether
    it is there tells whether the list goes on.
    """

    def __init__(
        self, query: "Query", home: Paged, node: GraphQLObjectType, parent: Row, arguments: Arguments
    ) -> None:
        self._query = query
        self._home = home
        self._node = node
        self._parent = parent
        self._arguments = arguments
        self._keys = _keys(home, query, query.table_of(node), arguments)
        self._filter = Filter(home.where, arguments, query)
        self._backward = arguments.given("last")
        self._size = arguments.size("last" if self._backward else "first", DEFAULT_PAGE)
        self._limit = arguments.size("last" if self._backward else "first", DEFAULT_PAGE, plus=1)
        arguments.check(partial(_check, self._keys))

    def text(self, type_: GraphQLObjectType, details: "Details") -> str:
        """The connection object of a selection."""
        source, row = self._rows()
        parts = {
            key: self._part(type_, row, fields)
            for key, fields in self._query.selected(type_, details).items()
        }
        built = self._query.sql.build([(key, text) for key, (text, _) in parts.items()])
        # Without an aggregate in it the select would answer once for every row.
        aggregates = any(is_aggregate for _, is_aggregate in parts.values())
        return self._query.sql.nested(f"select {built}" + (f" from {source}" if aggregates else ""))

    def _rows(self) -> tuple[str, Row]:
        """The page's rows with their number `n` and how many there are, `c`."""
        source, row = self._query.table(self._query.table_of(self._node))
        conditions = [self._listed(row)]
        conditions += [self._beyond(row, name) for name in ("after", "before") if self._arguments.given(name)]
        order = self._keys.order_by(row, backward=self._backward)
        inner = f"select {row.alias}.* from {source} where {' and '.join(conditions)} order by {order} limit {self._limit}"
        numbered = (
            f"select {row.alias}.*, row_number() over (order by {order}) as n, count(*) over () as c"
            f" from ({inner}) {row.alias}"
        )
        direction = "desc" if self._backward else "asc"
        return f"(select * from ({numbered}) {row.alias} order by n {direction}) {row.alias}", row

    def _listed(self, row: Row) -> str:
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

    def _part(self, type_: GraphQLObjectType, row: Row, fields: "Details") -> tuple[str, bool]:
        """One field of the connection, and whether it aggregates the page's rows."""
        name = fields[0].node.name.value
        if name == "__typename":
            return self._query.sql.literal(type_.name), False
        if name == "totalCount":
            source, other = self._query.table(self._query.table_of(self._node))
            return f"(select count(*) from {source} where {self._listed(other)})", False
        if name == "pageInfo":
            return self._page_info(self._query.object_type(type_, name), row, fields)
        item = (
            self._query.object(self._node, row, fields) if name == "nodes" else self._edge(type_, row, fields)
        )
        number = f"{row.alias}.n{' desc' if self._backward else ''}"
        return self._query.sql.items(item, f"{row.alias}.n <= {self._size}", number), True

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
            self._listed(row),
            self._keys.not_beyond(row, self._placeholders(name), after=name == "after"),
        ]
        if near is not None and self._arguments.given(near):
            conditions.append(self._beyond(row, near))
        return f"exists (select 1 from {source} where {' and '.join(conditions)})"
