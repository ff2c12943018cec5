"""The tables of one tree as they stood at one of its revisions (`live.md` J6): each under its own name, made of its rows
and of what the journal tells of them.

A row gives what never changes, its latest image up to the revision what does. Both are found by an index for each row
that is needed, so that a condition on the table still decides how much is read (`docs/decisions/0009`).
"""

from collections.abc import Callable, Mapping
from typing import Final

from graphql import GraphQLError
from sqlalchemy import Table

from db import tables
from db.tables import table_of
from schema.projection.arguments import BadUserInput
from schema.projection.journal import is_told, is_untold
from schema.projection.spelling import Spelling

# The name of the value of `Rows` that says at which revision.
AS_OF: Final = "as_of"
TREE: Final = "past_tree"

EXECUTIONS: Final = table_of(tables.WorkflowExecution)
STEPS: Final = table_of(tables.StepExecution)
LINKS: Final = table_of(tables.StepChild)
JOURNAL: Final = table_of(tables.Journal)

# Columns that are told by the image, by the name that the API gives them.
_EXECUTION_TIMES: Final = {
    "started_at": "startedAt",
    "completed_at": "completedAt",
    "failed_at": "failedAt",
    "cancelled_at": "cancelledAt",
}
_STEP_TIMES: Final = {
    "started_at": "startedAt",
    "completed_at": "completedAt",
    "failed_at": "failedAt",
    "disabled_at": "disabledAt",
    "passed_at": "passedAt",
    "due_at": "dueAt",
    "retry_at": "retryAt",
}


class Past:
    """A tree at a revision; both are placeholders, the tree's is the id of any execution in it."""

    def __init__(self, spelling: Spelling, tenant: str, execution_id: str, revision: str) -> None:
        self._sql = spelling
        self._tenant = tenant
        self._execution_id = execution_id
        self._revision = revision
        self._views: Mapping[str, Callable[[], str]] = {
            EXECUTIONS.name: self._executions,
            STEPS.name: self._steps,
            LINKS.name: self._links,
            JOURNAL.name: self._changes,
        }

    @property
    def beyond(self) -> str:
        """Whether the tree has not had the revision, as SQL; null where there is no such execution."""
        return f"{self._revision} not between 1 and {self.tree_revision}"

    @property
    def revision(self) -> str:
        """The revision, as SQL."""
        return self._revision

    def expired(self, revision: str) -> str:
        """Whether how the tree stood at a revision that it had is no longer kept, as SQL.

        It is where the next change is still told: the images that are kept of what lies before are those of then.
        """
        following = f"{self._in_tree('k')} and k.revision = {revision} + 1 and {is_told('k')}"
        return (
            f"({revision} < {self.tree_revision}"
            f" and not exists (select 1 from {self._journal('k')} where {following}))"
        )

    def oldest_kept(self, revision: str) -> str:
        """What `refuse_expired` is told, as SQL."""
        before = f"{self._in_tree('k')} and {is_untold('k')}"
        oldest = f"(select max(k.revision) from {self._journal('k')} where {before})"
        return f"coalesce({oldest}, {self.tree_revision}) || ' ' || {revision}"

    @property
    def tree_revision(self) -> str:
        """The tree's revision now, as SQL."""
        return f"(select revision from {TREE})"

    @property
    def told(self) -> str:
        """What `refuse` is told, as SQL."""
        return f"{self.tree_revision} || ' ' || {self._revision}"

    @staticmethod
    def refuse(told: str) -> GraphQLError:
        """The error of a revision that the tree has not had."""
        tree_revision, revision = told.split()
        return BadUserInput(
            f"The tree has had the revisions 1 to {tree_revision}; {revision} is none of them."
        )

    def before_views(self) -> list[str]:
        """The common table expressions that the views read."""
        originals = self._sql.originals(tuple(self._views))
        found = [f"{name} as not materialized ({select})" for name, select in originals]
        return [*found, f"{TREE} as materialized ({self._tree()})"]

    def _tree(self) -> str:
        source = self._sql.original(EXECUTIONS.name)
        return (
            f"select r.id as root_id, r.tree_revision as revision from {source} b join {source} r on r.id = b.root_id"
            f" where b.tenant = {self._tenant} and b.id = {self._execution_id}"
        )

    def visible(self, table: str) -> str | None:
        """The select behind the name of a table; None for one that is not of the tree."""
        view = self._views.get(table)
        return None if view is None else view()

    def _executions(self) -> str:
        data = "j.data"
        told = {
            "runtime_status": "j.to_status",
            **{column: self._sql.member(data, (name,), "time") for column, name in _EXECUTION_TIMES.items()},
            **self._failure(data),
            "reason": self._sql.member(data, ("reason",), "text"),
            "context": self._context(),
            "last_activity_at": self._last_activity(),
            "revision": f"(select max(k.revision) from {self._journal('k')} where {self._of('b.id', 'k')})",
            "tree_revision": f"case when b.tree_revision is not null then {self._revision} end",
            "parent_step_id": self._parent_step(),
        }
        latest = self._latest(f"{self._of('b.id', 'k')} and k.step_execution_id is null")
        joined = self._sql.with_latest(latest, optional=False)
        return self._select(EXECUTIONS, told, joined, f"b.root_id = (select root_id from {TREE})")

    def _steps(self) -> str:
        data = "j.data"
        told = {
            "status": "coalesce(j.to_status, 'NotStarted')",
            **{column: self._sql.member(data, (name,), "time") for column, name in _STEP_TIMES.items()},
            **self._failure(data),
            "overdue_at": self._overdue(data),
            **self._claim(data),
            "disabled_by": self._sql.member(data, ("disabledBy",), "text"),
            "entered_by": f"coalesce({self._sql.member(data, ('enteredBy',), 'json')}, '[]')",
            # Written once, with the change that completed the attempt.
            "output_data": "case when j.to_status = 'Completed' then b.output_data end",
            "revision": f"coalesce(j.revision, {self._born('b.execution_id')})",
            "is_current": f"(b.is_current or {self._next_attempt()} > {self._revision})",
        }
        latest = self._latest(f"{self._of('b.execution_id', 'k')} and k.step_execution_id = b.id")
        joined = self._sql.with_latest(latest, optional=True)
        # First attempts come with their execution, later ones with a change of their own.
        exists = f"(j.revision is not null or b.attempt = 1 and {self._born('b.execution_id')} <= {self._revision})"
        return self._select(STEPS, told, joined, f"b.root_id = (select root_id from {TREE}) and {exists}")

    def _links(self) -> str:
        return self._select(LINKS, {}, "", f"{self._born('b.child_id')} <= {self._revision}")

    def _changes(self) -> str:
        told = f"{self._in_tree('b')} and b.revision <= {self._revision} and {is_told('b')}"
        return self._select(JOURNAL, {}, "", told)

    def _select(self, table: Table, told: Mapping[str, str], joined: str, condition: str) -> str:
        """The rows of a table `b`, with other values in the columns that are told; what is not shown is now's."""
        columns = [
            f"{told[column.name]} as {column.name}" if column.name in told else f"b.{column.name}"
            for column in table.columns
        ]
        shown = ", ".join([*columns, *self._sql.own_columns("b")])
        source = self._sql.original(table.name)
        return f"select {shown} from {source} b{joined} where b.tenant = {self._tenant} and {condition}"

    # What the journal tells.

    def _in_tree(self, alias: str) -> str:
        return f"{alias}.root_id = (select root_id from {TREE})"

    def _journal(self, alias: str) -> str:
        return f"{self._sql.original(JOURNAL.name)} {alias}"

    def _of(self, execution_id: str, alias: str) -> str:
        """The changes of an execution and its steps up to the revision."""
        own = f"{alias}.tenant = {self._tenant} and {alias}.execution_id = {execution_id}"
        return f"{own} and {alias}.revision <= {self._revision}"

    def _latest(self, condition: str) -> str:
        """The latest change `k` under a condition; the order is that of the index `journal_image`."""
        order = "order by k.step_execution_id desc, k.revision desc limit 1"
        return f"from {self._journal('k')} where {condition} {order}"

    def _born(self, execution_id: str) -> str:
        """The revision at which an execution was created, as long as that is kept."""
        own = f"k.tenant = {self._tenant} and k.execution_id = {execution_id}"
        return f"(select min(k.revision) from {self._journal('k')} where {own})"

    def _failure(self, data: str) -> dict[str, str]:
        return {
            "failure_code": self._sql.member(data, ("failure", "code"), "text"),
            "failure_message": self._sql.member(data, ("failure", "message"), "text"),
        }

    def _overdue(self, data: str) -> str:
        """The image tells whether, not when."""
        is_overdue = self._sql.member(data, ("isOverdue",), "boolean")
        return f"case when {is_overdue} then {self._sql.member(data, ('dueAt',), 'time')} end"

    def _claim(self, data: str) -> dict[str, str]:
        """A claim as it was made: what heartbeats did to its lease is not told, so it holds until a change ends it."""
        return {
            "claim_worker": self._sql.member(data, ("claim", "worker"), "text"),
            "claimed_at": self._sql.member(data, ("claim", "claimedAt"), "time"),
            "lease_expires_at": self._sql.member(data, ("claim", "leaseExpiresAt"), "time"),
        }

    def _context(self) -> str:
        kinds = "k.kind in ('EXECUTION_CREATED', 'CONTEXT_UPDATED')"
        latest = self._latest(f"{self._of('b.id', 'k')} and k.step_execution_id is null and {kinds}")
        return f"(select {self._sql.member('k.data', ('context',), 'json')} {latest})"

    def _last_activity(self) -> str:
        of_steps = f"{self._of('b.id', 'k')} and k.step_execution_id is not null"
        return f"(select k.at from {self._journal('k')} where {of_steps} order by k.revision desc limit 1)"

    def _parent_step(self) -> str:
        """The newest attempt that lists the child and was there."""
        links, steps = self._sql.original(LINKS.name), self._sql.original(STEPS.name)
        made = f"(s.attempt = 1 or {self._made('s')} <= {self._revision})"
        listed = f"l.tenant = {self._tenant} and l.child_id = b.id and s.tenant = {self._tenant} and {made}"
        joined = f"{links} l join {steps} s on s.id = l.step_execution_id"
        return f"(select s.id from {joined} where {listed} order by s.attempt desc limit 1)"

    def _made(self, step: str) -> str:
        """The revision at which an attempt that is not the first was made."""
        own = f"k.execution_id = {step}.execution_id and k.step_execution_id = {step}.id"
        return f"(select min(k.revision) from {self._journal('k')} where k.tenant = {self._tenant} and {own})"

    def _next_attempt(self) -> str:
        """The revision at which the attempt after this one was made."""
        following = "n.execution_id = b.execution_id and n.step_id = b.step_id and n.attempt = b.attempt + 1"
        source = f"{self._sql.original(STEPS.name)} n"
        return f"(select {self._made('n')} from {source} where n.tenant = {self._tenant} and {following})"


def refuse_expired(told: str) -> GraphQLError:
    """The error of a revision of which no more is kept."""
    oldest, revision = told.split()
    return GraphQLError(
        f"How the tree stood at revision {revision} is no longer kept; the oldest revision that is kept is {oldest}.",
        extensions={"code": "REVISION_EXPIRED", "oldestRevision": int(oldest)},
    )
