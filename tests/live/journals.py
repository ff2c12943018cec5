"""A journal in memory with the real one's semantics, which fails, hangs and forgets as it is told."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from server.ring import Ring

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    revision: int
    execution_id: str
    step_execution_id: str | None = None
    kind: str = "EXECUTION_STARTED"


class MemoryJournal:
    """`page_reads` and `revision_reads` record what was asked, in order."""

    def __init__(self) -> None:
        self.trees: dict[str, list[Entry]] = {}
        self.page_reads: list[tuple[str, int]] = []
        self.revision_reads: list[list[str]] = []
        self.unreadable: set[str] = set()
        self.away = False
        self.answers_late = False
        self.open = asyncio.Event()
        self.open.set()
        self._asked = asyncio.Event()

    def commit(self, root_id: str, *execution_ids: str, step: str | None = None) -> Ring:
        """Commit a change of each execution, of the root's own if none is named; returns the ring."""
        tree = self.trees.setdefault(root_id, [])
        before = self.revision(root_id)
        for revision, execution_id in enumerate(execution_ids or [root_id], before + 1):
            tree.append(Entry(revision, execution_id, step))
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

    async def tree_revisions(self, root_ids: Collection[str]) -> dict[str, int]:
        self.revision_reads.append(sorted(root_ids))
        return await self._answer(
            lambda: {root_id: self.revision(root_id) for root_id in root_ids if root_id in self.trees}
        )

    async def tree_changes(self, root_id: str, after: int, limit: int) -> Sequence[Entry]:
        self.page_reads.append((root_id, after))
        if root_id in self.unreadable:
            raise ValueError(f"{root_id} is unreadable")
        return await self._answer(
            lambda: [entry for entry in self.trees.get(root_id, []) if entry.revision > after][:limit]
        )

    async def _answer(self, query: Callable[[], T]) -> T:
        """What `query` finds when it is asked, or with `answers_late` when the journal is open."""
        self._asked.set()
        found = query()
        await asyncio.sleep(0)
        await self.open.wait()
        if self.away:
            raise ConnectionRefusedError("the database is away")
        return query() if self.answers_late else found
