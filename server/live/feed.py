"""The feed: one per process, it reads each change of a watched tree once and wakes whom it concerns.

Source: `live.md` H1, H2, H7, B2, B3. A position (the revision) per watched tree is all it keeps. Rings say
where to read and a sweep finds what they did not say, so a ring is a hint and never believed. Snapshots and
payloads are the subscribers'. All trees at once are watched by `server/live/tail.py`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from typing import NoReturn, Protocol

from db.journal import Cursor, JournalEntry, JournalPage, TreePage, TreeRevisions
from db.runtime.changes import ChangeKind
from server.backoff import Backoff
from server.live.broadcast import DoorbellHealth, DoorbellStatus
from server.live.followers import Follower, Followers
from server.live.outage import Outage
from server.live.ring import Ring
from server.live.tail import TailReader, Tails
from server.live.watches import Watch, WatchedTree
from server.telemetry.metrics import FEED_LAG_SECONDS, FEED_MISSED_RINGS
from server.waiting import happens

log = logging.getLogger(__name__)

TREES_PER_QUERY = 500
# After which nothing follows in an execution; FAILED may be reopened.
ENDS = frozenset({ChangeKind.EXECUTION_COMPLETED, ChangeKind.EXECUTION_CANCELLED})


class JournalReader(TailReader, Protocol):
    """`db/journal.py`, or a test's; may raise anything, and is then asked again."""

    async def tree_revisions(self, root_ids: Collection[str], /) -> TreeRevisions:
        """Where these trees stand."""

    async def tree_changes(self, root_id: str, after: int, limit: int, /) -> Sequence[JournalEntry]:
        """The next changes after revision `after`, ascending and dense, `limit` at most."""

    async def tree_page(self, root_id: str, after: int, /) -> TreePage:
        """How the tree stands, and where the next page of its changes ends."""


class Bell(Protocol):
    """What the feed needs of `server.live.broadcast.Doorbell`."""

    @property
    def health(self) -> DoorbellHealth: ...

    def listen(
        self, on_ring: Callable[[Ring], None], on_status: Callable[[DoorbellStatus], None]
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class FeedTiming:
    """Seconds. Positions are compared every `sweep`, or `poll` while the doorbell is degraded; a query that
    takes longer than `read` has failed."""

    sweep: float = 3.0
    poll: float = 1.0
    read: float = 10.0
    first_retry: float = 0.1
    longest_retry: float = 5.0

    def backoff(self) -> Backoff:
        """The delays of something that is tried again."""
        return Backoff(self.first_retry, self.longest_retry)


class Feed:
    """Start it after, and stop it before the doorbell. `readers` trees at most are read at the same time."""

    def __init__(
        self,
        doorbell: Bell,
        journal: JournalReader,
        *,
        timing: FeedTiming | None = None,
        page_size: int = 500,
        readers: int = 4,
    ) -> None:
        self._doorbell = doorbell
        self._journal = journal
        self._timing = timing or FeedTiming()
        self._page_size = page_size
        self._readers = readers
        self._trees: dict[str, WatchedTree] = {}
        self._unplaced: dict[str, WatchedTree] = {}
        self._to_read: asyncio.Queue[WatchedTree] = asyncio.Queue()
        self._outage = Outage(self._timing.backoff, self._timing.read)
        self._followers = Followers()
        self._tails = Tails(journal, self._followers, self._outage, self._interval)
        self._epoch = ""
        self._sweep_due = 0.0
        self._nudge = asyncio.Event()
        self._tasks: list[asyncio.Task[NoReturn]] = []
        doorbell.listen(self._hear, self._turn)

    @property
    def watched_trees(self) -> int:
        return len(self._trees)

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._keep_positions(), name="feed positions")]
        for number in range(self._readers):
            self._tasks.append(asyncio.create_task(self._keep_reading(), name=f"feed reader {number}"))

    async def stop(self) -> None:
        """Reading ends, and nothing wakes a watch any more: end the subscribers first."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks = []
        for tree in self._trees.values():
            tree.pages.close()
        self._tails.close()

    @asynccontextmanager
    async def watch(self, *, root_id: str, execution_id: str | None = None) -> AsyncIterator[Watch]:
        """A watch of the tree, or of one execution in it; read the snapshot after entering (H2).

        Whatever is committed after entering wakes it; a change committed while entering may. Entering waits
        for the tree's position if nobody watched the tree, and does not fail when the journal cannot be read.
        """
        watch = Watch()
        tree = self._trees.get(root_id)
        if tree is None or not tree.is_watched:
            # Not one that is only followed: where that stands was told by a ring.
            tree = self._add(root_id)
        tree.attach(watch, execution_id)
        try:
            # Whoever attaches while the position is still being read waits too: otherwise a change between
            # its snapshot and that reading would be counted as known to everybody.
            await tree.placed.wait()
            yield watch
        finally:
            tree.detach(watch, execution_id)
            if not tree.is_wanted:
                self._remove(tree)

    async def tree_page(self, root_id: str, after: int, epoch: str) -> TreePage:
        """How a watched tree stands, and the next page of its changes after a revision of a history.

        Read once for all who are there. While the journal cannot be read it waits.
        """
        tree = self._trees[root_id]
        return await tree.pages.get(
            (after, epoch, tree.position, self._epoch),
            lambda: self._outage.persist(
                f"a page of {root_id}", lambda: self._journal.tree_page(root_id, after)
            ),
        )

    @asynccontextmanager
    async def watch_all(self, tenant: str) -> AsyncIterator[Watch]:
        """A watch of all the tenant's trees, which wakes when more of their changes is settled (J4)."""
        async with self._tails.of(tenant).watch() as watch:
            yield watch

    async def journal_page(self, tenant: str, after: Cursor, epoch: str) -> JournalPage:
        """The next page of the settled changes of a tenant that is watched, as `tree_page` is read."""
        return await self._tails.of(tenant).page(after, epoch)

    @asynccontextmanager
    async def follow(self, tenant: str) -> AsyncIterator[Follower]:
        """Follow the tenant's executions: what changes is told by id as soon as it is rung, or found by the sweep."""
        with self._followers.following(tenant) as follower:
            async with self._tails.of(tenant).held():
                yield follower

    def _add(self, root_id: str) -> WatchedTree:
        tree = self._trees[root_id] = self._unplaced[root_id] = WatchedTree(root_id)
        self._nudge.set()
        return tree

    def _remove(self, tree: WatchedTree) -> None:
        # A watcher that comes after the last one has left starts a tree of its own.
        if self._trees.get(tree.root_id) is tree:
            del self._trees[tree.root_id]
            tree.pages.close()
            self._unplaced.pop(tree.root_id, None)
            self._outage.heal(tree.root_id)

    def _hear(self, ring: Ring) -> None:
        self._tails.ring()
        tree = self._trees.get(ring.root_id)
        if tree is None and self._followers:
            tree = self._trees[ring.root_id] = WatchedTree(ring.root_id)
            tree.position = ring.from_revision
            tree.placed.set()
            tree.is_followed = True
        if tree is not None:
            tree.wanted = max(tree.wanted, ring.to_revision)
            self._read_soon(tree)

    def _turn(self, status: DoorbellStatus) -> None:
        """Sweep at once: when the broker is back, and when it turns out that it has been away for a while."""
        log.debug("feed: the doorbell is %s, comparing positions", status)
        self._sweep_due = 0.0
        self._nudge.set()
        self._tails.nudge()

    def _read_soon(self, tree: WatchedTree) -> None:
        if tree.is_behind and tree.behind_since is None:
            tree.behind_since = asyncio.get_running_loop().time()
        if tree.is_behind and not tree.being_read:
            tree.being_read = True
            # To the end, though who watches may leave before.
            tree.is_followed = bool(self._followers)
            self._to_read.put_nowait(tree)

    async def _keep_positions(self) -> NoReturn:
        """Place trees that are newly watched, and sweep all of them when it is time to (B3)."""
        clock = asyncio.get_running_loop().time
        while True:
            await happens(self._nudge, within=self._next_sweep() - clock())
            self._nudge.clear()
            trees, self._unplaced = self._unplaced, {}
            if clock() >= self._next_sweep():
                trees = self._trees
                self._sweep_due = clock() + self._interval()
                self._outage.retry_at = None
            await self._compare(trees)

    def _interval(self) -> float:
        working = self._doorbell.health.status is DoorbellStatus.OK
        return self._timing.sweep if working else self._timing.poll

    def _next_sweep(self) -> float:
        retry_at = self._outage.retry_at
        return self._sweep_due if retry_at is None else min(self._sweep_due, retry_at)

    def _look_at_epoch(self, epoch: str) -> None:
        """Wake everybody where another history has begun: positions in it say nothing (J5)."""
        if self._epoch not in ("", epoch):
            for tree in self._trees.values():
                tree.wake_all()
        self._epoch = epoch

    async def _compare(self, trees: Mapping[str, WatchedTree]) -> None:
        """Read the trees' revisions; a tree found behind is read, one without a position gets it."""
        remaining = iter(list(trees.values()))
        while chunk := list(islice(remaining, TREES_PER_QUERY)):
            before = {tree.root_id: tree.position for tree in chunk}
            try:
                async with asyncio.timeout(self._timing.read):
                    revisions = await self._journal.tree_revisions(list(before))
            except Exception as error:
                self._fail("", error)
                self._let_in(trees.values())
                return
            self._outage.heal("")
            self._look_at_epoch(revisions.epoch)
            for tree in chunk:
                self._place(tree, before[tree.root_id], revisions.of_root.get(tree.root_id, 0))

    def _let_in(self, trees: Iterable[WatchedTree]) -> None:
        """Let watchers in without a position; whatever they miss until there is one wakes them then."""
        for tree in trees:
            tree.missed_changes = tree.position is None
            tree.placed.set()

    def _place(self, tree: WatchedTree, before: int | None, revision: int) -> None:
        """`revision` was read after the position was `before`."""
        tree.confirmed = revision
        if before is None:
            tree.position = revision
            if tree.missed_changes or tree.wanted:
                tree.wake_all()
            tree.missed_changes = False
            tree.placed.set()
        elif revision < before:
            # Only a database that was put back to an older state has a lower revision than was read before.
            tree.position, tree.wanted = revision, 0
            tree.wake_all()
        if not tree.is_behind:
            self._outage.heal(tree.root_id)
        elif tree.behind_since is None:
            FEED_MISSED_RINGS.inc()
        self._read_soon(tree)
        self._leave_if_read(tree)

    async def _keep_reading(self) -> NoReturn:
        while True:
            tree = await self._to_read.get()
            try:
                await self._read(tree)
            except Exception as error:
                tree.being_read = False
                if tree.is_wanted:
                    self._fail(tree.root_id, error)
            else:
                tree.being_read = False
                self._outage.heal(tree.root_id)
                _measure_lag(tree)
                self._read_soon(tree)
                self._leave_if_read(tree)

    def _leave_if_read(self, tree: WatchedTree) -> None:
        """Who follows all trees has heard of this one; nobody else needs its position."""
        if not tree.is_behind:
            tree.is_followed = False
            if not tree.is_watched:
                self._remove(tree)

    async def _read(self, tree: WatchedTree) -> None:
        """Read `tree`'s journal from its position to its end, page by page, waking whom it concerns."""
        tree.wanted = 0
        confirmed = tree.confirmed
        while tree.is_wanted and tree.position is not None:
            async with asyncio.timeout(self._timing.read):
                page = await self._journal.tree_changes(tree.root_id, tree.position, self._page_size)
            advance(tree, page)
            if page:
                self._followers.tell(page[0].tenant, {entry.execution_id for entry in page})
            if len(page) < self._page_size:
                break
        confirmed = min(confirmed, tree.confirmed)  # lower now: the database was put back meanwhile
        if tree.position is not None and tree.position < confirmed:
            # The journal ends below the tree's revision: what is missing was pruned, and may be anybody's.
            tree.position = confirmed
            tree.wake_all()

    def _fail(self, what: str, error: Exception) -> None:
        self._outage.note(what, error, asyncio.get_running_loop().time())
        self._nudge.set()


def _measure_lag(tree: WatchedTree) -> None:
    if tree.behind_since is not None:
        FEED_LAG_SECONDS.observe(asyncio.get_running_loop().time() - tree.behind_since)
        tree.behind_since = None


def advance(tree: WatchedTree, page: Sequence[JournalEntry]) -> None:
    """Move `tree` over `page`, waking whom it concerns; everybody, where rows are missing before it or in it."""
    if not page or tree.position is None:
        return
    dense = page[-1].revision == tree.position + len(page)
    tree.position = page[-1].revision
    if dense:
        tree.wake({entry.execution_id for entry in page}, may_end=any(entry.kind in ENDS for entry in page))
    else:
        tree.wake_all()
