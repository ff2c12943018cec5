"""A journal in memory with the real one's semantics, which fails, hangs and forgets as it is told."""

import asyncio
import sys
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from db.journal import Cursor, JournalEntry, JournalPage, TreePage, TreeRevisions
from db.runtime.changes import ChangeKind
from db.runtime.statuses import ExecutionStatus
from server.live.ring import Ring

T = TypeVar("T")
LONGEST = 500


class MemoryJournal:
    """`page_reads` and `revision_reads` record what was asked, in order."""

    def __init__(self) -> None:
        self.trees: dict[str, list[JournalEntry]] = {}
        self.page_reads: list[tuple[str, int]] = []
        self.revision_reads: list[list[str]] = []
        self.unreadable: set[str] = set()
        self.order: list[JournalEntry] = []
        self.tree_pages: list[tuple[str, int]] = []
        self.journal_reads: list[tuple[str, Cursor]] = []
        self.history = "first"
        self.pruned = Cursor(0, 0)
        self.unsettled = sys.maxsize
        self.away = False
        self.answers_late = False
        self.open = asyncio.Event()
        self.open.set()
        self._asked = asyncio.Event()

    def commit(
        self,
        root_id: str,
        *execution_ids: str,
        step: str | None = None,
        tenant: str = "default",
        kind: ChangeKind = ChangeKind.EXECUTION_STARTED,
    ) -> Ring:
        """Commit a change of each execution, of the root's own if none is named; returns the ring."""
        tree = self.trees.setdefault(root_id, [])
        before = self.revision(root_id)
        for revision, execution_id in enumerate(execution_ids or [root_id], before + 1):
            tree.append(JournalEntry(revision, kind, execution_id, step, tenant))
            self.order.append(tree[-1])
        return Ring(root_id, before, self.revision(root_id))

    def revision(self, root_id: str) -> int:
        tree = self.trees.get(root_id)
        return tree[-1].revision if tree else 0

    async def asked(self, reads: int) -> None:
        """Return when it was asked `reads` times in all."""
        async with asyncio.timeout(30):
            while len(self.page_reads) + len(self.revision_reads) < reads:
                self._asked.clear()
                await self._asked.wait()

    async def tree_revisions(self, root_ids: Collection[str]) -> TreeRevisions:
        self.revision_reads.append(sorted(root_ids))
        return await self._answer(
            lambda: TreeRevisions(
                self.history,
                {root_id: self.revision(root_id) for root_id in root_ids if root_id in self.trees},
            )
        )

    async def tree_changes(self, root_id: str, after: int, limit: int) -> Sequence[JournalEntry]:
        self.page_reads.append((root_id, after))
        if root_id in self.unreadable:
            raise ValueError(f"{root_id} is unreadable")
        return await self._answer(
            lambda: [entry for entry in self.trees.get(root_id, []) if entry.revision > after][:limit]
        )

    async def tree_page(self, root_id: str, after: int) -> TreePage:
        """Of a tree that never ends."""
        self.tree_pages.append((root_id, after))

        def read() -> TreePage:
            kept = [entry.revision for entry in self.trees.get(root_id, []) if entry.revision > after]
            first, last = (kept[0], kept[-1]) if kept else (None, None)
            return TreePage(
                self.history, self.revision(root_id), ExecutionStatus.IN_PROGRESS, False, first, last
            )

        return await self._answer(read)

    async def settled(self, tenant: str) -> Cursor:
        return await self._answer(lambda: Cursor(0, self._end(tenant)))

    async def page(self, tenant: str, after: Cursor) -> JournalPage:
        """Rows in the order of their commits; those from `unsettled` on are not shown yet."""
        self.journal_reads.append((tenant, after))

        def read() -> JournalPage:
            there = [
                (position, entry)
                for position, entry in enumerate(self.order, 1)
                if entry.tenant == tenant and position > after.position
            ]
            shown = [(position, entry) for position, entry in there if position < self.unsettled][:LONGEST]
            end = Cursor(0, shown[-1][0]) if shown else after
            ids = [entry.execution_id for _, entry in shown]
            return JournalPage(self.history, self.pruned, end, ids, is_all=len(shown) == len(there))

        return await self._answer(read)

    def _end(self, tenant: str) -> int:
        of_tenant = [
            position
            for position, entry in enumerate(self.order, 1)
            if entry.tenant == tenant and position < self.unsettled
        ]
        return of_tenant[-1] if of_tenant else 0

    async def _answer(self, query: Callable[[], T]) -> T:
        """What `query` finds when it is asked, or with `answers_late` when the journal is open."""
        self._asked.set()
        found = query()
        await asyncio.sleep(0)
        await self.open.wait()
        if self.away:
            raise ConnectionRefusedError("the database is away")
        return query() if self.answers_late else found
