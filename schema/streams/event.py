"""One event of a subscription whose subscribers each stand at a place of their own (`live.md` H4)."""

from dataclasses import dataclass

from schema.projection.rows import Rows


@dataclass(frozen=True, slots=True)
class Event:
    """What is projected for it; events of equal `rows` are made once for all who are given them.

    `id` is where one stands after it, in a form that a client can hand back to go on from there; None where that is
    told by what is projected (`Listing.cursor`), or where there is no going on.
    """

    rows: Rows
    id: str | None = None
