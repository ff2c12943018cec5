"""One event of a subscription whose subscribers each stand at a place of their own (`live.md` H4)."""

from collections.abc import Hashable
from dataclasses import dataclass

from schema.projection.rows import Rows


@dataclass(frozen=True, slots=True)
class Event:
    """What is projected for it; events of equal `key` are made once for all who are given them.

    `id` is where one stands after it, in a form that a client can hand back to go on from there; None where that is
    told by what is projected (`Listing.cursor`), or where there is no going on.
    """

    rows: Rows
    id: str | None = None
    # What tells it from others, where that is less than all of its rows.
    name: Hashable = None

    @property
    def key(self) -> Hashable:
        """Equal for what is the same to everybody."""
        return (self.rows.key if self.name is None else self.name), self.id
