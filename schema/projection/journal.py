"""Pages of the journal: of one tree by revision, of all trees by the writers' transactions (`live.md` J4).

A cursor is the same in both: the epoch, and the transaction and position of a row.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import orjson
from graphql import GraphQLError

from db import tables
from db.tables import table_of
from schema.projection.arguments import Arguments, Binder, Values
from schema.projection.cursors import is_text, keys_of
from schema.projection.declare import JournalOrder
from schema.projection.rows import Row, ValuesRow

if TYPE_CHECKING:
    from schema.projection.compiler import Query

_JOURNAL: Final = table_of(tables.Journal)
_EPOCH: Final = table_of(tables.JournalEpoch)
_TAG: Final = "journal"


def epoch_of(query: "Query") -> str:
    """The name of this history, as SQL."""
    source, epoch = query.constant_table(_EPOCH)
    return f"(select {epoch.epoch} from {source})"


def cursor_of(change: Row, query: "Query") -> str:
    """A change's cursor, as SQL."""
    return query.sql.cursor(_TAG, [epoch_of(query), change.xid, change.position])


_BOUNDARY: Final = f"(select pruned_xid, pruned_position from {_EPOCH.name})"


def is_told(alias: str) -> str:
    """Whether a change lies after the boundary up to which history is not told any more (`live.md` J5), as SQL."""
    return f"({alias}.xid, {alias}.position) > {_BOUNDARY}"


def is_untold(alias: str) -> str:
    """Whether it does not; said so that an index serves it too."""
    return f"({alias}.xid, {alias}.position) <= {_BOUNDARY}"


class NoLongerKept(GraphQLError):
    """Changes that were to be told are no longer: where they are read from, one begins again (`live.md` J5)."""


def missed(query: "Query", after: str, root: str | None = None) -> str:
    """Whether changes of all trees, or below a root, after a cursor are not told any more, as SQL.

    Of what was removed of a row a later change is still there, but of a tree that was deleted nothing is.
    """
    source, change = query.original_table(_JOURNAL)
    listed = f"{change.tenant} = {query.value('tenant')}" if root is None else f"{change.root_id} = {root}"
    between = f"({change.xid}, {change.position}) > {after} and {is_untold(change.alias)}"
    found = f"exists (select 1 from {source} where {listed} and {between})"
    if root is not None:
        return found
    return f"({found} or {after} < (select deleted_xid, deleted_position from {_EPOCH.name}))"


def require_following(query: Binder, root: str, after: str) -> None:
    """Raise `NoLongerKept` unless the change of a tree that follows a revision is still told."""
    source, change = query.table(_JOURNAL)
    following = f"{change.root_id} = {root} and {change.revision} = {after} + 1"
    query.guard(f"not exists (select 1 from {source} where {following})", "''", _not_kept)


def require_all(query: "Query", after: str) -> None:
    """Raise `NoLongerKept` unless all changes of all trees that follow a cursor are still told."""
    query.guard(missed(query, after), "''", _not_kept)


def _not_kept(_: str) -> GraphQLError:
    return NoLongerKept("Changes after this place are no longer kept.", extensions={"code": "CURSOR_EXPIRED"})


def decode(argument: str, cursor: str) -> list[Any]:
    """A cursor's epoch, transaction and position; raises `BadUserInput` for what no journal has given out."""
    return keys_of(argument, cursor, _TAG, (is_text, _is_number, _is_number))


def encode(epoch: str, xid: int, position: int) -> str:
    """A change's cursor, as a change shows it."""
    return orjson.dumps([_TAG, epoch, xid, position]).hex()


def _key_in(argument: str, number: int, values: Values) -> Any:
    return decode(argument, values[argument])[number]


class JournalKeys:
    """The order of a list of changes, with the members of `cursors.Keys`."""

    kinds = ("text", "bigint", "bigint")

    def __init__(self, order: JournalOrder, query: "Query", parent: Row, arguments: Arguments) -> None:
        self._root = order.root(parent, arguments)
        self._columns = ("xid", "position") if self._root is None else ("revision",)
        self._source, self._other = query.table(_JOURNAL)
        self._query = query
        epoch = epoch_of(query)
        for name in ("after", "before"):
            if arguments.given(name):
                given = arguments.derived(partial(_key_in, name, 0), "text")
                query.guard(f"{epoch} <> {given}", epoch, _epoch_changed)
        if isinstance(parent, ValuesRow) and arguments.given("after"):
            xid, position = (arguments.derived(partial(_key_in, "after", n), "bigint") for n in (1, 2))
            query.guard(missed(query, f"({xid}, {position})", self._root), epoch, _expired)

    def order_by(self, row: Row, *, backward: bool) -> str:
        """The order, or its reverse."""
        word = "desc" if backward else "asc"
        return ", ".join(f"{row[name]} {word}" for name in self._columns)

    def beyond(self, row: Row, placeholders: Sequence[str], *, after: bool) -> str:
        """The changes strictly after (or before) a cursor."""
        return self._compared(row, ">" if after else "<", placeholders)

    def not_beyond(self, row: Row, placeholders: Sequence[str], *, after: bool) -> str:
        """All other changes."""
        return self._compared(row, "<=" if after else ">=", placeholders)

    def cursor(self, row: Row) -> str:
        """A change's cursor as SQL."""
        return cursor_of(row, self._query)

    def decode(self, argument: str, cursor: str) -> list[Any]:
        """A cursor's keys; raises `BadUserInput`."""
        return decode(argument, cursor)

    def _compared(self, row: Row, sign: str, placeholders: Sequence[str]) -> str:
        _, xid, position = placeholders
        if self._root is None:
            return f"({row.xid}, {row.position}) {sign} ({xid}, {position})"
        return self._compared_in_tree(row, sign, xid, position)

    def _compared_in_tree(self, row: Row, sign: str, xid: str, position: str) -> str:
        """By revision, for which there is an index: the cursor's own, or where that row is not of this tree the last
        one before it.
        """
        other, among = self._other, f"from {self._source} where {self._other.root_id} = {self._root}"
        own = f"select {other.revision} {among} and {other.position} = {position} and {other.xid} = {xid}"
        last = (
            f"select max({other.revision}) {among} and ({other.xid}, {other.position}) < ({xid}, {position})"
        )
        if sign in (">", "<="):
            return f"{row.revision} {sign} coalesce(({own}), ({last}), 0)"
        # What is not before the cursor's place begins after the last one that is.
        return f"{row.revision} {sign} coalesce(({own}), ({last}) + 1, 1)"


def _epoch_changed(epoch: str) -> GraphQLError:
    return GraphQLError(
        "The database was restored since this cursor was given out; begin again without one.",
        extensions={"code": "EPOCH_CHANGED", "epoch": epoch},
    )


def _expired(epoch: str) -> GraphQLError:
    return GraphQLError(
        "Changes after this cursor are no longer kept; begin again without one.",
        extensions={"code": "CURSOR_EXPIRED", "epoch": epoch},
    )


def _is_number(key: object) -> bool:
    return isinstance(key, int) and not isinstance(key, bool) and 0 <= key < 2**63
