"""Answers to what a decision asks (`db/runtime/effects.py`): rows into the tree, or values sent back."""

from collections.abc import Generator, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Text, bindparam, cast, func, select

from db.commands import rows
from db.commands.evaluating import evaluated, requests_of
from db.commands.outcome import Actor
from db.definitions import Definitions
from db.elements import OneOf
from db.ids import IdKind, is_id
from db.requests import Ask, Fetch, Request, Rest
from db.runtime.effects import (
    ChildResult,
    ChildVersion,
    Effect,
    Evaluate,
    FindChildVersion,
    FindLinks,
    FindResults,
    FindStatus,
    HoldLease,
    Link,
    Load,
    LoadData,
    LoadRunning,
    Pause,
    Results,
)
from db.runtime.statuses import ExecutionStatus
from db.runtime.tree import Tree
from db.runtime.values import Execution, Step
from db.runtime.versions import VersionStatus
from db.statements import Row, Statement
from db.tables import WorkflowTemplate, WorkflowTemplateVersion, table_of

_executions, _steps, _links = rows.executions, rows.steps, rows.links
_templates = table_of(WorkflowTemplate)
_versions = table_of(WorkflowTemplateVersion)

_EXECUTION = Statement(select(*rows.execution_columns).where(_executions.c.id == bindparam("id")))
_CURRENT_STEPS = Statement(
    select(*rows.step_columns)
    .where(_steps.c.execution_id == bindparam("execution_id"), _steps.c.is_current)
    .order_by(_steps.c.position)
)
_STATUS = Statement(select(_steps.c.status).where(_steps.c.id == bindparam("id")))
_HOLD_LEASE = Statement(
    select(_steps.c.lease_expires_at).where(_steps.c.id == bindparam("id")).with_for_update()
)
_CONTEXT = Statement(select(_executions.c.context).where(_executions.c.id == bindparam("id")))
_OUTPUTS = Statement(
    select(_steps.c.id, _steps.c.output_data).where(
        _steps.c.execution_id == bindparam("execution_id"),
        _steps.c.is_current,
        _steps.c.output_data.is_not(None),
    )
)
_below = (
    _executions.c.tenant == bindparam("tenant"),
    _executions.c.root_id == bindparam("root_id"),
    _executions.c.path > bindparam("path"),
    _executions.c.path < bindparam("path_end"),
    _executions.c.runtime_status == bindparam("status"),
)
_RUNNING = Statement(select(*rows.execution_columns).where(*_below).order_by(_executions.c.path))
_RUNNING_STEPS = Statement(
    select(*rows.step_columns)
    .join_from(_executions, _steps, _steps.c.execution_id == _executions.c.id)
    .where(*_below, _steps.c.is_current)
    .order_by(_steps.c.position)
)
_child_version = select(_versions.c.id, _templates.c.name, _versions.c.status).join_from(
    _versions, _templates, _templates.c.id == _versions.c.template_id
)
_CHILD_BY_ID = Statement(
    _child_version.where(_versions.c.id == bindparam("named"), _versions.c.tenant == bindparam("tenant"))
)
_CHILD_BY_KEY = Statement(
    _child_version.where(
        _templates.c.key == bindparam("named"),
        _templates.c.tenant == bindparam("tenant"),
        _versions.c.id == _templates.c.active_version_id,
    )
)
_LINKS = Statement(
    select(_links.c.child_index, _links.c.item, _links.c.child_id, _executions.c.runtime_status)
    .join_from(_links, _executions, _executions.c.id == _links.c.child_id)
    .where(_links.c.step_execution_id == bindparam("id"))
    .order_by(_links.c.child_index)
)
_NAMES = Statement(
    select(_executions.c.id, _executions.c.name, func.length(cast(_executions.c.context, Text))).where(
        OneOf(_executions.c.id, "ids")
    )
)
_CONTEXTS = Statement(select(_executions.c.id, _executions.c.context).where(OneOf(_executions.c.id, "ids")))
_outputs_of = (OneOf(_steps.c.execution_id, "ids"), _steps.c.is_current, _steps.c.output_data.is_not(None))
_OUTPUTS_LENGTH = Statement(
    select(func.sum(func.length(cast(_steps.c.output_data, Text)))).where(*_outputs_of)
)
_OUTPUTS_OF = Statement(
    select(_steps.c.execution_id, _steps.c.step_id, _steps.c.output_data).where(*_outputs_of)
)


class LockNeeded(Exception):  # a fact about the command, which then takes the lock
    """What a command relies on stands still only under the lock of its tree."""


def answer(
    effect: Effect, tree: Tree, actor: Actor, definitions: Definitions
) -> Generator[Request, Any, Any]:
    """Run what an effect needs; returns what is sent back to the decision."""
    match effect:
        case Pause():
            yield Rest()
        case Load():
            yield from _load(effect, tree, definitions)
        case LoadData():
            yield from _load_data(effect, tree)
        case LoadRunning():
            yield from _load_running(effect, tree, actor, definitions)
        case _:
            return (yield from _sent_back(effect, tree, actor, definitions))
    return None


def _sent_back(
    effect: FindStatus | HoldLease | FindChildVersion | FindLinks | FindResults | Evaluate,
    tree: Tree,
    actor: Actor,
    definitions: Definitions,
) -> Generator[Request, Any, Any]:
    """What a decision asks to know, not to have in the tree."""
    match effect:
        case FindStatus():
            found = yield Fetch(_STATUS, {"id": effect.step_execution_id})
            return found[0][0]
        case HoldLease():
            return (yield from _hold_lease(effect, tree))
        case FindChildVersion():
            return (yield from _find_child_version(effect, actor, definitions))
        case FindLinks():
            found = yield Fetch(_LINKS, {"id": effect.step_execution_id})
            return [Link(*row) for row in found]
        case FindResults():
            return (yield from _find_results(effect))
        case Evaluate():
            outcomes = yield Ask(requests_of(effect, tree.now))
            return evaluated(outcomes)


def _hold_lease(effect: HoldLease, tree: Tree) -> Generator[Request, Any, datetime | None]:
    """Until the transaction ends, which only one that has locked the tree has."""
    if not tree.is_locked:
        raise LockNeeded
    ((lease_expires_at,),) = yield Fetch(_HOLD_LEASE, {"id": effect.step_execution_id})
    ends: datetime | None = lease_expires_at
    return ends


def _load(effect: Load, tree: Tree, definitions: Definitions) -> Generator[Request, Any, None]:
    found = yield Fetch(_EXECUTION, {"id": effect.execution_id})
    execution = _execution(tree, found[0])
    current = yield Fetch(_CURRENT_STEPS, {"execution_id": execution.id})
    definition = yield from definitions.load(execution.version_id)
    tree.put(execution, [Step(*row) for row in current], definition)


def load_together(ids: Iterable[str], tree: Tree, definitions: Definitions) -> Generator[Request, Any, None]:
    """Bring several executions with their steps into a tree in which nothing is yet; PostgreSQL's alone."""
    for row in (yield Fetch(rows.WITH_STEPS, {"ids": list(ids)})):
        yield from put_with_steps(row, tree, definitions)


def put_with_steps(row: Row, tree: Tree, definitions: Definitions) -> Generator[Request, Any, Execution]:
    """Put an execution and its steps into a tree, as one row holds them."""
    current, *of_execution = row
    execution = Execution._make(of_execution)
    definition = yield from definitions.load(execution.version_id)
    tree.put(execution, [Step._make(step) for step in current], definition)
    return execution


def _execution(tree: Tree, row: Row) -> Execution:
    """An execution's row, with the tie to its parent as this transaction may have left it (C5)."""
    execution = Execution(*row)
    return execution._replace(parent_step_id=tree.adoptions.get(execution.id, execution.parent_step_id))


def _load_data(effect: LoadData, tree: Tree) -> Generator[Request, Any, None]:
    context = yield Fetch(_CONTEXT, {"id": effect.execution_id})
    outputs = yield Fetch(_OUTPUTS, {"execution_id": effect.execution_id})
    tree.put_data(effect.execution_id, context[0][0], {row[0]: row[1] for row in outputs})


def _load_running(
    effect: LoadRunning, tree: Tree, actor: Actor, definitions: Definitions
) -> Generator[Request, Any, None]:
    path = tree.executions[effect.execution_id].path
    place = {
        "tenant": actor.tenant,
        "root_id": tree.root_id,
        "path": path,
        "path_end": f"{path[:-1]}0",  # '0' follows '/'
        "status": ExecutionStatus.IN_PROGRESS,
    }
    running = yield Fetch(_RUNNING, place)
    if not running:
        return
    steps = _by_execution(Step(*row) for row in (yield Fetch(_RUNNING_STEPS, place)))
    for execution in (_execution(tree, row) for row in running):
        if execution.id not in tree.executions:
            definition = yield from definitions.load(execution.version_id)
            tree.put(execution, steps[execution.id], definition)


def _by_execution(steps: Iterable[Step]) -> dict[str, list[Step]]:
    found: dict[str, list[Step]] = {}
    for step in steps:
        found.setdefault(step.execution_id, []).append(step)
    return found


def _find_child_version(
    effect: FindChildVersion, actor: Actor, definitions: Definitions
) -> Generator[Request, Any, ChildVersion | None]:
    """A pinned version may have been deprecated since (D1); by key it is the active one."""
    named = effect.version_id or effect.template_key or ""
    if effect.version_id is not None and not is_id(IdKind.TEMPLATE_VERSION, named):
        return None
    statement = _CHILD_BY_ID if effect.version_id is not None else _CHILD_BY_KEY
    found = yield Fetch(statement, {"named": named, "tenant": actor.tenant})
    if not found or found[0][2] is VersionStatus.DRAFT:
        return None
    version_id, name, _ = found[0]
    definition = yield from definitions.load(version_id)
    return ChildVersion(version_id, name, definition)


def _find_results(effect: FindResults) -> Generator[Request, Any, Results]:
    """Names always; contexts and outputs unless their text alone is longer than allowed."""
    ids = {"ids": list(effect.execution_ids)}
    if not effect.execution_ids:
        return Results([], complete=True)
    named = yield Fetch(_NAMES, ids)
    ((outputs_length,),) = yield Fetch(_OUTPUTS_LENGTH, ids)
    length = sum(row[2] for row in named) + (outputs_length or 0)
    # Text in the database has spaces that compact JSON has not: at most one for each other character.
    if length > 2 * effect.max_bytes:
        return Results([ChildResult(row[0], row[1], {}, {}) for row in named], complete=False)
    contexts = {row[0]: row[1] for row in (yield Fetch(_CONTEXTS, ids))}
    outputs: dict[str, dict[str, Any]] = {row[0]: {} for row in named}
    for execution_id, step_id, output in (yield Fetch(_OUTPUTS_OF, ids)):
        outputs[execution_id][step_id] = output
    children = [ChildResult(row[0], row[1], contexts[row[0]], outputs[row[0]]) for row in named]
    return Results(children, complete=True)
