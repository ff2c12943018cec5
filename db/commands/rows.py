"""Between rows and the runtime's values: the statements that load and write a tree."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Table, bindparam, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from db.columns import Timestamp
from db.elements import OneOf
from db.row_changes import Insert, Update
from db.runtime.changes import Change
from db.runtime.effects import Link
from db.runtime.tree import Tree
from db.runtime.values import Execution, Step
from db.statements import Records, Statement
from db.tables import Journal, StepChild, StepExecution, WorkflowExecution, table_of

executions = table_of(WorkflowExecution)
steps = table_of(StepExecution)
journal = table_of(Journal)
links = table_of(StepChild)

EXECUTION_FIELDS = Execution._fields
STEP_FIELDS = Step._fields
_EXECUTION_MUTABLE = (
    "runtime_status",
    "started_at",
    "completed_at",
    "failed_at",
    "cancelled_at",
    "last_activity_at",
    "failure_code",
    "failure_message",
    "reason",
    "revision",
    "parent_step_id",
)
_STEP_MUTABLE = (
    "status",
    "is_current",
    "started_at",
    "completed_at",
    "failed_at",
    "disabled_at",
    "passed_at",
    "disabled_by",
    "entered_by",
    "due_at",
    "retry_at",
    "failure_code",
    "failure_message",
    "revision",
    "is_overridden",
    "open_children",
    "overdue_at",
    "claim_worker",
    "claim_token",
    "claimed_at",
)
_TREE = ("tree_revision", "tree_changed_at", "tree_size")
_JOURNAL = tuple(column.name for column in journal.columns if column.name not in ("position", "xid"))

execution_columns = tuple(executions.c[name] for name in EXECUTION_FIELDS)
step_columns = tuple(steps.c[name] for name in STEP_FIELDS)
_STEPS = Records(*(column.type for column in step_columns))

clock = func.clock_timestamp(type_=Timestamp())


_root = executions.alias("root")
_root_columns = (_root.c.id, _root.c.tree_revision, _root.c.tree_changed_at, _root.c.tree_size, clock)
ROOT_WIDTH = len(_root_columns)


def _lock(named: Table, execution_id: ColumnElement[str]) -> Statement:
    """Lock the root above a row: the root's columns, then the execution's id."""
    is_named = (named.c.id == bindparam("id"), named.c.tenant == bindparam("tenant"))
    above = select(named.c.root_id).where(*is_named).scalar_subquery()
    below = select(execution_id).where(named.c.id == bindparam("id")).scalar_subquery()
    return Statement(select(*_root_columns, below).where(_root.c.id == above).with_for_update())


# An execution's current attempts, all in one value, and the execution.
_with_steps = (
    select(func.array_agg(aggregate_order_by(func.row(*step_columns), steps.c.position), type_=_STEPS))
    .where(steps.c.execution_id == executions.c.id, steps.c.is_current)
    .scalar_subquery(),
    *execution_columns,
)


def _peek(named: FromClause, execution_id: ColumnElement[str]) -> Statement:
    """What a command begins with, without a lock and as of one moment: the root's columns, the steps, the execution.

    PostgreSQL's alone, as `WITH_STEPS` is.
    """
    return Statement(
        select(*_root_columns, *_with_steps)
        .select_from(named)
        .join(executions, executions.c.id == execution_id)
        .join(_root, _root.c.id == executions.c.root_id)
        .where(named.c.id == bindparam("id"), named.c.tenant == bindparam("tenant"))
    )


LOCK_BY_EXECUTION = _lock(executions, executions.c.id)
LOCK_BY_STEP = _lock(steps, steps.c.execution_id)
_named_step, _named_execution = steps.alias("named"), executions.alias("named")
PEEK_BY_STEP = _peek(_named_step, _named_step.c.execution_id)
PEEK_BY_EXECUTION = _peek(_named_execution, _named_execution.c.id)
WITH_STEPS = Statement(select(*_with_steps).where(OneOf(executions.c.id, "ids")))
LOCK_ROOT = Statement(select(*_root_columns).where(_root.c.id == bindparam("id")).with_for_update())
LOCK_ROOT_IF_FREE = Statement(
    select(*_root_columns).where(_root.c.id == bindparam("id")).with_for_update(skip_locked=True)
)
LOCK_ROOT_AT = Statement(
    select(_root.c.id)
    .where(_root.c.id == bindparam("id"), _root.c.tree_revision == bindparam("revision"))
    .with_for_update(skip_locked=True)
)
FIND_ROOT = Statement(select(_root.c.id).where(_root.c.id == bindparam("id")))
FIND_EXECUTION = Statement(
    select(executions.c.id).where(
        executions.c.id == bindparam("id"),
        executions.c.tenant == bindparam("tenant"),
        executions.c.root_id == bindparam("root_id"),
    )
)
FIND_EXECUTION_OF_STEP = Statement(
    select(steps.c.execution_id).where(
        steps.c.id == bindparam("id"),
        steps.c.tenant == bindparam("tenant"),
        steps.c.root_id == bindparam("root_id"),
    )
)
INSERT_EXECUTION = Insert(executions, (*EXECUTION_FIELDS, *_TREE, "tenant", "context", "item"))
INSERT_STEP = Insert(steps, (*STEP_FIELDS, "tenant", "root_id", "output_data"))
INSERT_CHANGE = Insert(journal, _JOURNAL)
UPDATE_EXECUTION = Update(executions, _EXECUTION_MUTABLE)
UPDATE_TREE = Update(executions, _TREE)
UPDATE_ROOT = Update(executions, (*_EXECUTION_MUTABLE, *_TREE))
UPDATE_EXECUTION_CONTEXT = Update(executions, (*_EXECUTION_MUTABLE, "context"))
UPDATE_ROOT_CONTEXT = Update(executions, (*_EXECUTION_MUTABLE, *_TREE, "context"))
UPDATE_PARENT_STEP = Update(executions, ("parent_step_id",))
INSERT_LINK = Insert(links, ("step_execution_id", "child_index", "tenant", "item", "child_id"))
UPDATE_STEP = Update(steps, _STEP_MUTABLE)
UPDATE_STEP_LEASE = Update(steps, (*_STEP_MUTABLE, "lease_expires_at"))
UPDATE_STEP_OUTPUT = Update(steps, (*_STEP_MUTABLE, "output_data"))


def execution_values(tree: Tree, execution: Execution, tenant: str) -> dict[str, Any]:
    """A new execution's row."""
    is_root = execution.id == tree.root_id
    return {
        **{name: getattr(execution, name) for name in EXECUTION_FIELDS},
        "tenant": tenant,
        "context": tree.contexts[execution.id],
        "item": tree.items.get(execution.id),
        "tree_revision": tree.revision if is_root else None,
        "tree_changed_at": tree.now if is_root else None,
        "tree_size": tree.size if is_root else None,
    }


def execution_update(execution: Execution) -> dict[str, Any]:
    """What a command may have changed in an execution's row."""
    return {"key": execution.id, **{name: getattr(execution, name) for name in _EXECUTION_MUTABLE}}


def tree_update(tree: Tree) -> dict[str, Any]:
    """The tree's own columns, on the row of its root."""
    return {
        "key": tree.root_id,
        "tree_revision": tree.revision,
        "tree_changed_at": tree.now,
        "tree_size": tree.size,
    }


def step_values(tree: Tree, step: Step, tenant: str) -> dict[str, Any]:
    """A new attempt's row."""
    return {
        **{name: getattr(step, name) for name in STEP_FIELDS},
        "tenant": tenant,
        "root_id": tree.root_id,
        "output_data": tree.outputs.get(step.id),
    }


def step_update(step: Step) -> dict[str, Any]:
    """What a command may have changed in an attempt's row, but its output."""
    return {"key": step.id, **{name: getattr(step, name) for name in _STEP_MUTABLE}}


def link_values(link: tuple[str, Link], tenant: str) -> dict[str, Any]:
    """An attempt's tie to a child."""
    step_execution_id, tie = link
    return {
        "step_execution_id": step_execution_id,
        "child_index": tie.index,
        "tenant": tenant,
        "item": tie.item,
        "child_id": tie.child_id,
    }


def change_values(tree: Tree, change: Change, tenant: str) -> dict[str, Any]:
    """A change's journal row."""
    return {
        "tenant": tenant,
        "root_id": tree.root_id,
        "revision": change.revision,
        "execution_id": change.execution_id,
        "step_execution_id": change.step_execution_id,
        "kind": change.kind,
        "at": change.at,
        "actor": change.actor,
        "from_status": change.from_status,
        "to_status": change.to_status,
        "attempt": change.attempt,
        "reason": change.reason,
        "data": change.data,
        "detail": change.detail,
    }
