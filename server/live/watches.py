"""Who watches what: a subscriber's flag, and the index of a watched tree's subscribers (`live.md` H1, H7).

In memory only, and freed with the last watch. When positions are read and moved is `server/live/feed.py`.
"""

import asyncio
from collections.abc import Iterable

from db.journal import TreePage
from server.once import Once

_KEPT_PAGES = 4


class Watch:
    """One subscriber's flag, conflated: however much was committed, `changed` returns once (`live.md` H4)."""

    def __init__(self) -> None:
        self._flag = asyncio.Event()
        self._may_end = False

    async def changed(self) -> bool:
        """Return when something that concerns this watch was committed; whether that may have been an end."""
        await self._flag.wait()
        self._flag.clear()
        may_end, self._may_end = self._may_end, False
        return may_end

    def wake(self, *, may_end: bool = True) -> None:
        self._may_end |= may_end
        self._flag.set()


class WatchedTree:
    """A tree that somebody watches: how far its journal was read, and who wants to know of what.

    `position` is the revision up to which watches were woken; None until it was read. `wanted` is the highest
    revision rung and not yet read for, `confirmed` the highest that the database itself has told. `is_followed`: who
    follows all trees is to hear of what was rung. `behind_since`: when it was first known to be behind, by the event
    loop's clock. `pages` are those read by who streams the tree.
    """

    def __init__(self, root_id: str) -> None:
        self.root_id = root_id
        self.position: int | None = None
        self.wanted = 0
        self.confirmed = 0
        self.being_read = False
        self.behind_since: float | None = None
        self.missed_changes = False
        self.is_followed = False
        self.pages: Once[TreePage] = Once(_KEPT_PAGES)
        self.placed = asyncio.Event()
        self._of_tree: set[Watch] = set()
        self._of_execution: dict[str, set[Watch]] = {}

    @property
    def is_watched(self) -> bool:
        return bool(self._of_tree or self._of_execution)

    @property
    def is_wanted(self) -> bool:
        return self.is_watched or self.is_followed

    @property
    def is_behind(self) -> bool:
        known = max(self.wanted, self.confirmed)
        return self.is_wanted and self.position is not None and known > self.position

    def attach(self, watch: Watch, execution_id: str | None) -> None:
        """`execution_id` None: every change of the tree concerns `watch`."""
        if execution_id is None:
            self._of_tree.add(watch)
        else:
            self._of_execution.setdefault(execution_id, set()).add(watch)

    def detach(self, watch: Watch, execution_id: str | None) -> None:
        if execution_id is None:
            self._of_tree.discard(watch)
        elif watches := self._of_execution.get(execution_id):
            watches.discard(watch)
            if not watches:
                del self._of_execution[execution_id]

    def wake(self, execution_ids: Iterable[str], *, may_end: bool = True) -> None:
        """Wake whom changes of these executions concern; the journal names one for a step's change too."""
        for watch in self._of_tree:
            watch.wake(may_end=may_end)
        for execution_id in execution_ids:
            for watch in self._of_execution.get(execution_id, ()):
                watch.wake(may_end=may_end)

    def wake_all(self) -> None:
        self.wake(tuple(self._of_execution))
