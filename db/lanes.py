"""Who waits for which tree in this process: a line for each tree that is busy, and nothing for any other."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

MOST_TOGETHER = 64
KNOWN_IDS = 50_000


@dataclass(frozen=True, slots=True)
class Waiter:
    """Some work, and who waits for what it comes to."""

    work: Any
    answer: asyncio.Future[Any]


@dataclass(slots=True)
class Lane:
    """The line of one tree."""

    waiting: deque[Waiter] = field(default_factory=deque)


class Lanes:
    """The lines of all busy trees. A line ends when nobody waits in it any more."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._engaged: set[str] = set()
        # Trees that were left, each with the number of the last time.
        self._left: OrderedDict[str, int] = OrderedDict()
        self._departures = 0
        self._roots: OrderedDict[str, str] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def busy_root(self, id_: str) -> str | None:
        """The tree that an id is known to be in, if there is a line for it."""
        root_id = self._roots.get(id_)
        return root_id if root_id in self._lanes else None

    def is_busy(self, root_id: str) -> bool:
        """Whether there is a line for a tree."""
        return root_id in self._lanes

    @property
    def departures(self) -> int:
        """How often a tree was left so far: a moment, for `engage`."""
        return self._departures

    def engage(self, root_id: str, since: int) -> bool:
        """Say that somebody is at a tree, without a line. False where somebody is, or was after that moment: what was read
        of the tree then is old. Otherwise `leave` it again.
        """
        if root_id in self._engaged or root_id in self._lanes or self._left.get(root_id, 0) > since:
            return False
        self._engaged.add(root_id)
        return True

    def leave(self, root_id: str) -> None:
        """Nobody is at the tree any more."""
        self._engaged.discard(root_id)
        self._departures += 1
        self._left[root_id] = self._departures
        self._left.move_to_end(root_id)
        if len(self._left) > KNOWN_IDS:
            self._left.popitem(last=False)

    def know(self, id_: str, root_id: str) -> None:
        """Remember in which tree an id is; that never changes."""
        self._roots[id_] = root_id
        if len(self._roots) > KNOWN_IDS:
            self._roots.popitem(last=False)

    async def join(
        self, root_id: str, work: Any, together: Callable[[list[Any]], Awaitable[list[Any]]]
    ) -> Any:
        """Stand in line for a tree; returns or raises what the work came to.

        `together` does work of one tree at once, and returns a result or an exception for each.
        """
        lane = self._lanes.get(root_id)
        waiter = Waiter(work, asyncio.get_running_loop().create_future())
        if lane is None:
            lane = self._lanes[root_id] = Lane()
            task = asyncio.create_task(self._serve(root_id, lane, together), name=f"lane of {root_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        lane.waiting.append(waiter)
        return await waiter.answer

    async def _serve(
        self, root_id: str, lane: Lane, together: Callable[[list[Any]], Awaitable[list[Any]]]
    ) -> None:
        while lane.waiting:
            taken = [lane.waiting.popleft() for _ in range(min(len(lane.waiting), MOST_TOGETHER))]
            try:
                results = await together([waiter.work for waiter in taken])
            except Exception as error:
                results = [error] * len(taken)
            for waiter, result in zip(taken, results, strict=True):
                _tell(waiter, result)
        del self._lanes[root_id]


def _tell(waiter: Waiter, result: Any) -> None:
    if waiter.answer.cancelled():
        return
    if isinstance(result, Exception):
        waiter.answer.set_exception(result)
    else:
        waiter.answer.set_result(result)
