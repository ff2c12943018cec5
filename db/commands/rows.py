"""Between rows and the runtime's values: the statements that load and write a tree."""

from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, func, select, true

from db.columns import Timestamp
from db.row_changes import Insert, Update
from db.runtime.changes import Change
from db.runtime.effects import Link
from db.runtime.tree import Tree
from db.runtime.values import Execution, Step
from db.statements import Statement
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
)
_TREE = ("tree_revision", "tree_changed_at", "tree_size")
_JOURNAL = tuple(column.name for column in journal.columns if column.name not in ("position", "xid"))

clock = func.clock_timestamp(type_=Timestamp())


_root = executions.alias("root")
_root_columns = (_root.c.id, _root.c.tree_revision, _root.c.tree_changed_at, _root.c.tree_size, clock)


def _lock(named: Table, execution_id: ColumnElement[str], *, skip_locked: bool = False) -> Statement:
    """Lock the root above a row: root id, execution id, then the root's columns, null where it is skipped."""
    is_named = (named.c.id == bindparam("id"), named.c.tenant == bindparam("tenant"))
    if skip_locked:
        root = select(*_root_columns).where(_root.c.id == named.c.root_id).with_for_update(skip_locked=True)
        tried = root.lateral("tried")
        joined = named.outerjoin(tried, true())
        return Statement(select(named.c.root_id, execution_id, *tried.c).select_from(joined).where(*is_named))
    above = select(named.c.root_id).where(*is_named).scalar_subquery()
    below = select(execution_id).where(named.c.id == bindparam("id")).scalar_subquery()
    return Statement(select(_root.c.id, below, *_root_columns).where(_root.c.id == above).with_for_update())


LOCK_BY_EXECUTION = _lock(executions, executions.c.id)
LOCK_BY_STEP = _lock(steps, steps.c.execution_id)
TRY_LOCK_BY_EXECUTION = _lock(executions, executions.c.id, skip_locked=True)
TRY_LOCK_BY_STEP = _lock(steps, steps.c.execution_id, skip_locked=True)
LOCK_ROOT = Statement(select(*_root_columns).where(_root.c.id == bindparam("id")).with_for_update())
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
