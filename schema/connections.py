"""Relay connections. Which rows they page through is declared where they are used (`declare.connection`)."""

from typing import Generic, TypeVar

import strawberry

from schema.projection.declare import JournalOrder, Order

NodeType = TypeVar("NodeType")

BY_INDEX = Order("childIndex", ("child_index", "id"))
NEWEST_FIRST = Order("createdAt", ("created_at", "id"), descending=True)
FIRST_STARTED = Order("startedAt", ("started_at", "id"), nullable=("started_at",))
OF_A_TREE = JournalOrder(lambda execution, _: execution.root_id)


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there is more after this page.")
    has_previous_page: bool = strawberry.field(description="Whether there is more before this page.")
    start_cursor: str | None = strawberry.field(
        description="Cursor of the first entry; null on an empty page."
    )
    end_cursor: str | None = strawberry.field(description="Cursor of the last entry; null on an empty page.")


@strawberry.type(description="An entry of a page.")
class Edge(Generic[NodeType]):
    cursor: str = strawberry.field(description="The entry's place in the list's order; opaque.")
    node: NodeType = strawberry.field(description="The entry itself.")


@strawberry.type(description="One page of a list, by keyset: stable while entries come and go.")
class Connection(Generic[NodeType]):
    edges: list[Edge[NodeType]] = strawberry.field(description="The entries with their cursors.")
    nodes: list[NodeType] = strawberry.field(description="The entries alone.")
    page_info: PageInfo = strawberry.field(description="Where this page lies.")
    total_count: int = strawberry.field(description="How many there are in all; counted only when asked for.")
