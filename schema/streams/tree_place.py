"""Where a subscriber stands in a tree, and whether the stream can go on from there (`live.md` J5)."""

from dataclasses import dataclass

from db.journal import TreePage
from schema.streams.types import SnapshotReason


@dataclass(frozen=True, slots=True)
class TreePlace:
    """Everything up to `revision` is known; `epoch` None: of a history that was not named."""

    revision: int
    epoch: str | None = None

    def why_not(self, page: TreePage) -> SnapshotReason | None:
        """Why `page`, read after this place, does not go on from it."""
        if self.epoch not in (None, page.epoch) or self.revision > page.revision:
            return SnapshotReason.EPOCH_CHANGED
        # Where nothing is kept after it, there must be nothing after it.
        following = page.revision + 1 if page.first is None else page.first
        return SnapshotReason.CURSOR_EXPIRED if following > self.revision + 1 else None
