"""The journal without a gap, of one tree by revision or of all trees in the order of their commits (`live.md` J4, J5)."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from db.journal import Cursor, JournalPage
from db.runtime.changes import ChangeKind
from schema.context import Context
from schema.projection.compiler import Query
from schema.projection.journal import (
    NoLongerKept,
    cursor_of,
    decode,
    encode,
    require_all,
    require_following,
)
from schema.projection.rows import Listing, Row, Rows
from schema.streams.event import Event
from schema.streams.places import require_root
from schema.streams.tree_place import TreePlace
from schema.streams.types import SnapshotReason


@dataclass(frozen=True, slots=True)
class JournalPlace:
    """A place among all changes of a history; `epoch` None: of whichever this is."""

    cursor: Cursor
    epoch: str | None = None

    def why_not(self, page: JournalPage) -> SnapshotReason | None:
        """Why `page`, read after this place, does not go on from it."""
        if self.epoch not in (None, page.epoch):
            return SnapshotReason.EPOCH_CHANGED
        return SnapshotReason.CURSOR_EXPIRED if self.cursor < page.pruned else None


def change_events(
    context: Context, after: str | None, root_id: str | None, kinds: Sequence[ChangeKind] | None
) -> AsyncGenerator[Event, None]:
    """From the cursor `after`, or from now on. A `Last-Event-ID`, which is a cursor too, outranks `after`."""
    given = context.last_event_id or after
    place = None if given is None else _place(given, "after" if given is after else "Last-Event-ID")
    chosen = None if kinds is None else orjson.dumps([kind.value for kind in kinds]).decode()
    if root_id is None:
        return _of_all(context, place, chosen)
    return _of_tree(context, root_id, place, chosen)


async def _of_all(
    context: Context, place: JournalPlace | None, kinds: str | None
) -> AsyncGenerator[Event, None]:
    feed, journal, tenant = context.feed, context.journal, context.tenant
    async with feed.watch_all(tenant) as watch:
        place = place or JournalPlace(await journal.settled(tenant))
        page = await journal.page(tenant, place.cursor)
        while True:
            if reason := place.why_not(page):
                place = JournalPlace(await journal.settled(tenant), page.epoch)
                yield _resync(reason, place.cursor, page.epoch)
            else:
                if page.execution_ids:
                    try:
                        yield _listed(_ALL, kinds, _between(place.cursor, page.end))
                    except NoLongerKept:
                        # Since the page was read, which the feed may still have.
                        page = await journal.page(tenant, place.cursor)
                        continue
                else:
                    await watch.changed()
                place = JournalPlace(page.end, page.epoch)
            page = await feed.journal_page(tenant, place.cursor, page.epoch)


async def _of_tree(
    context: Context, root_id: str, given: JournalPlace | None, kinds: str | None
) -> AsyncGenerator[Event, None]:
    await require_root(context, "rootWorkflowExecutionId", root_id)
    feed, journal = context.feed, context.journal
    async with feed.watch(root_id=root_id) as watch:
        if given is None:
            place = TreePlace((await journal.tree_page(root_id, 0)).revision)
        else:
            place = TreePlace(await journal.revision_at(root_id, given.cursor), given.epoch)
        page = await journal.tree_page(root_id, place.revision)
        while True:
            if reason := place.why_not(page):
                place = TreePlace(page.revision, page.epoch)
                yield _resync(reason, await journal.tree_cursor(root_id, page.revision), page.epoch)
            elif (last := page.last) is not None:
                try:
                    yield _listed(_TREE, kinds, {"id": root_id, "after": place.revision, "until": last})
                except NoLongerKept:
                    page = await journal.tree_page(root_id, place.revision)
                    continue
                place = TreePlace(last, page.epoch)
            else:
                await watch.changed()
                place = TreePlace(place.revision, page.epoch)
            page = await feed.tree_page(root_id, place.revision, page.epoch)


def _place(cursor: str, name: str) -> JournalPlace:
    epoch, xid, position = decode(name, cursor)
    return JournalPlace(Cursor(xid, position), epoch)


def _resync(reason: SnapshotReason, cursor: Cursor, epoch: str) -> Event:
    text = encode(epoch, *cursor)
    return Event(Rows("ChangesResync", {"reason": reason.value, "cursor": text}), text)


def _between(after: Cursor, until: Cursor) -> Mapping[str, str | int]:
    return {
        "after_xid": after.xid,
        "after_position": after.position,
        "until_xid": until.xid,
        "until_position": until.position,
    }


def _listed(listing: Listing, kinds: str | None, values: Mapping[str, str | int]) -> Event:
    if kinds is None:
        return Event(Rows("Change", values, listing=listing))
    return Event(Rows("Change", {**values, "kinds": kinds}, listing=_OF_KINDS[listing]))


def _in_order(change: Row, query: Query) -> str:
    after, until = (
        f"({query.value(f'{end}_xid', 'bigint')}, {query.value(f'{end}_position', 'bigint')})"
        for end in ("after", "until")
    )
    require_all(query, after)
    here = f"({change.xid}, {change.position})"
    return f"{here} > {after} and {here} <= {until}"


def _in_tree(change: Row, query: Query) -> str:
    after, until = query.value("after", "bigint"), query.value("until", "bigint")
    require_following(query, query.value("id"), after)
    of_tree = f"{change.root_id} = {query.value('id')}"
    return f"{of_tree} and {change.revision} > {after} and {change.revision} <= {until}"


def _of_kinds(change: Row, query: Query) -> str:
    return query.sql.one_of(change.kind, query.value("kinds", "json"))


def _in_order_of_kinds(change: Row, query: Query) -> str:
    return f"{_in_order(change, query)} and {_of_kinds(change, query)}"


def _in_tree_of_kinds(change: Row, query: Query) -> str:
    return f"{_in_tree(change, query)} and {_of_kinds(change, query)}"


_ALL = Listing(_in_order, ("xid", "position"), cursor_of)
_TREE = Listing(_in_tree, ("revision",), cursor_of)
_OF_KINDS = {
    _ALL: Listing(_in_order_of_kinds, ("xid", "position"), cursor_of),
    _TREE: Listing(_in_tree_of_kinds, ("revision",), cursor_of),
}
