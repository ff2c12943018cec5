"""What travels on the broadcast channel: rings and heartbeats, as values and as text (`live.md` section 2).

Ids and numbers only, under 200 bytes; the database is the truth. How they travel is `server/live/broadcast.py`.
"""

import re
from dataclasses import dataclass
from typing import Self

CHANNEL = "stepgraph:changes"
"""The one channel of every process on one database: never a channel per execution."""

LONGEST_MESSAGE = 200

_RING = re.compile(r"ring ([!-~]{1,120}) ([0-9]{1,18}) ([0-9]{1,18})", re.ASCII)
_BEAT = re.compile(r"beat ([0-9a-f]{1,32}) ([0-9]{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Ring:
    """The tree of `root_id` went from `from_revision` to `to_revision`; made after the commit.

    Raises `ValueError` when the revisions do not rise or the id cannot be written in one word.
    """

    root_id: str
    from_revision: int
    to_revision: int

    def __post_init__(self) -> None:
        if not 0 <= self.from_revision < self.to_revision:
            raise ValueError(f"a ring's revisions must rise: {self.from_revision} → {self.to_revision}")
        if _RING.fullmatch(self.text) is None:
            raise ValueError(f"a ring cannot carry the root id {self.root_id[:130]!r}")

    @property
    def text(self) -> str:
        return f"ring {self.root_id} {self.from_revision} {self.to_revision}"

    def merged(self, other: Self) -> Self:
        """One ring that says what both say of the same tree."""
        first, last = min(self.from_revision, other.from_revision), max(self.to_revision, other.to_revision)
        return type(self)(self.root_id, first, last)


@dataclass(frozen=True, slots=True)
class Beat:
    """A process's heartbeat: it publishes one, and hears it if the whole way through the broker works."""

    process: str
    number: int

    @property
    def text(self) -> str:
        return f"beat {self.process} {self.number}"


def parse_message(text: str) -> Ring | Beat:
    """The value that `text` stands for. Raises `ValueError` for anything else, however long."""
    if len(text) <= LONGEST_MESSAGE:
        if ring := _RING.fullmatch(text):
            return Ring(ring[1], int(ring[2]), int(ring[3]))
        if beat := _BEAT.fullmatch(text):
            return Beat(beat[1], int(beat[2]))
    raise ValueError(f"not a message of {CHANNEL}: {text[:60]!r}")
