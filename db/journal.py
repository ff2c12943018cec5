"""The journal as the feed reads it: what was committed in a tree, in order (`live.md` J1, H1)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, bindparam, select

from db.elements import OneOf
from db.runtime.changes import ChangeKind
from db.session import Database
from db.statements import Statement
from db.tables import Journal, WorkflowExecution, table_of

_journal = table_of(Journal)
_executions = table_of(WorkflowExecution)

_REVISIONS = Statement(
    select(_executions.c.id, _executions.c.tree_revision).where(OneOf(_executions.c.id, "root_ids"))
)
_CHANGES = Statement(
    select(_journal.c.revision, _journal.c.kind, _journal.c.execution_id, _journal.c.step_execution_id)
    .where(_journal.c.root_id == bindparam("root_id"), _journal.c.revision > bindparam("after"))
    .order_by(_journal.c.revision)
    .limit(bindparam("most", type_=BigInteger()))
)


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One committed change: where it stands in its tree, and whose it is."""

    revision: int
    kind: ChangeKind
    execution_id: str
    step_execution_id: str | None


class JournalReader:
    """Reads the journal of one database. Root ids come from reads that were the tenant's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tree_revisions(self, root_ids: Collection[str]) -> Mapping[str, int]:
        """The revision of each of these trees; those that do not exist are left out."""
        rows = await self._database.rows(_REVISIONS, {"root_ids": list(root_ids)})
        return {row[0]: row[1] for row in rows}

    async def tree_changes(self, root_id: str, after: int, limit: int) -> Sequence[JournalEntry]:
        """The next changes of a tree after a revision, ascending and dense, at most `limit`."""
        values = {"root_id": root_id, "after": after, "most": limit}
        return [JournalEntry(*row) for row in await self._database.rows(_CHANGES, values)]
