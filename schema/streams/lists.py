"""A list's first page, kept right (`live.md` H6)."""

from collections.abc import AsyncGenerator, Hashable

from schema.context import Context, OperationInfo
from schema.projection.rows import Rows
from schema.streams.event import Event
from schema.streams.list_page import NO_ENTRIES
from schema.streams.list_reader import ListKind, ListReader


def list_events(info: OperationInfo, kind: ListKind) -> AsyncGenerator[Event, None]:
    """The page, then the difference between the page that was sent last and the page as it is. Raises as the query does."""
    context: Context = info.context
    reader = ListReader(kind, context.plans, context.reader, context.tenant, info._raw_info)
    return _of_page(context, kind.event, reader)


async def _of_page(context: Context, type_name: str, reader: ListReader) -> AsyncGenerator[Event, None]:
    async with context.lists.open(reader) as live:
        sent, read = await live.now()
        yield _event(type_name, sent.since(None), (read,))
        while True:
            page = await live.after(sent)
            entries, name = page.since(sent), (sent.number, page.number)
            sent = page
            if entries != NO_ENTRIES:
                yield _event(type_name, entries, name)


def _event(type_name: str, entries: str, name: Hashable) -> Event:
    return Event(Rows(type_name, {"entries": entries}), name=name)
