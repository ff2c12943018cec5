"""One tree without a gap: its state, then every change, then its end (`live.md` J5, H2, H5, H8)."""

import re
from collections.abc import AsyncGenerator
from typing import Final

from db.journal import TreePage
from db.runtime.statuses import allowed_from
from schema.context import Context
from schema.projection.arguments import BadUserInput
from schema.projection.journal import NoLongerKept
from schema.projection.rows import Rows
from schema.streams.event import Event
from schema.streams.places import require_root
from schema.streams.tree_place import TreePlace
from schema.streams.types import SnapshotReason

_EVENT_ID: Final = re.compile("([0-9a-f]{1,64}):([0-9]{1,18})", re.ASCII)


async def tree_events(
    context: Context, root_id: str, after: int | None, epoch: str | None
) -> AsyncGenerator[Event, None]:
    """From `after`, or from the state. A `Last-Event-ID` outranks `after`."""
    place = _given(context.last_event_id, after, epoch)
    await require_root(context, "rootId", root_id)
    feed = context.feed
    async with feed.watch(root_id=root_id) as watch:
        # Of who comes nothing is known to be as new as the pages that are shared.
        page = await context.journal.tree_page(root_id, place.revision if place else 0)
        told_of_end = -1
        while True:
            reason = place and place.why_not(page)
            if place is None or reason is not None:
                place = TreePlace(page.revision, page.epoch)
                yield _snapshot(root_id, page, reason or SnapshotReason.START)
            elif (last := page.last) is not None:
                try:
                    yield _changed(root_id, place, page, last)
                except NoLongerKept:
                    # Since the page was read, which the feed may still have.
                    page = await context.journal.tree_page(root_id, place.revision)
                    continue
                place = TreePlace(last, page.epoch)
            else:
                if page.is_at_rest and told_of_end != page.revision:
                    told_of_end = page.revision
                    yield _ended(root_id, page)
                    # A retry reopens what has failed.
                    if not allowed_from(page.status):
                        return
                await watch.changed()
                place = TreePlace(place.revision, page.epoch)
            page = await feed.tree_page(root_id, place.revision, page.epoch)


def _given(last_event_id: str | None, after: int | None, epoch: str | None) -> TreePlace | None:
    if last_event_id is not None:
        found = _EVENT_ID.fullmatch(last_event_id)
        if found is None:
            raise BadUserInput("Last-Event-ID is none of this stream: those are 'epoch:revision'.")
        return TreePlace(int(found[2]), found[1])
    if after is None:
        return None
    if after < 0:
        raise BadUserInput(f"after is {after}; revisions begin with 1, and 0 is before all of them.")
    return TreePlace(after, epoch)


def _snapshot(root_id: str, page: TreePage, reason: SnapshotReason) -> Event:
    values = {"id": root_id, "revision": page.revision, "epoch": page.epoch, "reason": reason.value}
    return Event(Rows("TreeSnapshot", values, as_of=page.revision, is_now=True), _id(page, page.revision))


def _changed(root_id: str, place: TreePlace, page: TreePage, last: int) -> Event:
    values = {"id": root_id, "after": place.revision, "revision": last}
    return Event(Rows("TreeChanged", values), _id(page, last))


def _ended(root_id: str, page: TreePage) -> Event:
    values = {"id": root_id, "revision": page.revision}
    return Event(Rows("TreeEnded", values, as_of=page.revision, is_now=True), _id(page, page.revision))


def _id(page: TreePage, revision: int) -> str:
    return f"{page.epoch}:{revision}"
