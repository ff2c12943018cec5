"""Commands on executions: create, start, cancel, update the context."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import bindparam, select

from db.commands.bounds import require_text, require_within
from db.commands.flows import new_flow
from db.commands.guards import UNGUARDED, Guard, recall, remember, require_execution_revision
from db.commands.outcome import Actor, Committed
from db.commands.rows import FIND_ROOT, clock
from db.commands.together import run_on_tree
from db.commands.transaction import Named, TreeCommand, attempt, carry_out
from db.commands.writing import is_one_statement, write
from db.ids import IdKind, is_id, new_id
from db.requests import Begin, Fetch, Request
from db.runtime import decisions
from db.runtime.effects import Decision
from db.runtime.errors import InvalidTransition, NotFound, ValidationFailed
from db.runtime.flow import Flow
from db.runtime.schemas import require_valid
from db.runtime.statuses import ExecutionStatus
from db.runtime.tree import JSONObject, Tree
from db.runtime.validation import Issue, Severity
from db.runtime.values import Execution
from db.runtime.versions import VersionStatus
from db.session import Conflict
from db.statements import Statement
from db.store import Store
from db.tables import WorkflowTemplate, WorkflowTemplateVersion, table_of

_templates = table_of(WorkflowTemplate)
_versions = table_of(WorkflowTemplateVersion)
_runnable = select(_versions.c.id, _versions.c.version, _versions.c.status, _templates.c.name, clock)
_RUNNABLE_BY_ID = Statement(
    _runnable.join_from(_versions, _templates, _templates.c.id == _versions.c.template_id).where(
        _versions.c.id == bindparam("id"), _versions.c.tenant == bindparam("tenant")
    )
)
_RUNNABLE_BY_KEY = Statement(
    _runnable.join_from(
        _templates, _versions, _versions.c.id == _templates.c.active_version_id, isouter=True
    ).where(_templates.c.key == bindparam("key"), _templates.c.tenant == bindparam("tenant"))
)


@dataclass(frozen=True, slots=True)
class NewExecution:
    """What to create: exactly one of the version's id and the template's key is set."""

    workflow_template_version_id: str | None = None
    workflow_template_key: str | None = None
    name: str | None = None
    correlation_id: str | None = None
    context: JSONObject | None = None
    start: bool = True


async def create_workflow_execution(
    store: Store, actor: Actor, new: NewExecution, guard: Guard = UNGUARDED
) -> Committed:
    """Create a root execution and, unless asked not to, start it.

    Refuses with `NotFound`, `InvalidTransition` (the version is not PUBLISHED), `ValidationFailed` (no active version,
    context against `contextSchema`, a text's length), `LimitExceeded` (context).
    """
    if new.name is not None:
        require_text("name", new.name, 1, 200)
    if new.correlation_id is not None:
        # Indexed: PostgreSQL refuses an index entry of more than 2,704 bytes, SQLite none.
        require_text("correlationId", new.correlation_id, 1, 255)
    context = new.context or {}
    require_within("context", context, store.limits.context_bytes, store.limits.json_depth)
    return await attempt(store, lambda: _create(store, actor, new, context, guard))


async def start_workflow_execution(
    store: Store, actor: Actor, execution_id: str, guard: Guard = UNGUARDED
) -> Committed:
    """Start an execution that is NotStarted."""
    decide = partial(decisions.start, execution_id=execution_id)
    return await _act(store, actor, execution_id, decide, guard)


async def cancel_workflow_execution(
    store: Store, actor: Actor, execution_id: str, reason: str | None, guard: Guard = UNGUARDED
) -> Committed:
    """Cancel an execution that is InProgress, and all that runs below it (C3, S6)."""
    decide = partial(decisions.cancel, execution_id=execution_id, reason=reason)
    return await _act(store, actor, execution_id, decide, guard)


async def update_workflow_context(
    store: Store, actor: Actor, execution_id: str, patch: JSONObject, guard: Guard = UNGUARDED
) -> Committed:
    """Apply an RFC 7396 merge patch to the context; policies are read again (I2, S5)."""
    require_within("patch", patch, store.limits.context_bytes, store.limits.json_depth)
    decide = partial(decisions.update_context, execution_id=execution_id, patch=patch)
    return await _act(store, actor, execution_id, decide, guard)


async def _act(
    store: Store, actor: Actor, execution_id: str, decide: Callable[[Flow], Decision[None]], guard: Guard
) -> Committed:
    def guarded(flow: Flow, _: str) -> Decision[None]:
        yield from require_execution_revision(flow, execution_id, guard)
        yield from decide(flow)

    named = Named(execution_id=execution_id)
    return await run_on_tree(store, TreeCommand(actor, named, guarded, guard))


def _create(
    store: Store, actor: Actor, new: NewExecution, context: JSONObject, guard: Guard
) -> Generator[Request, Any, Committed]:
    before = yield from recall(actor, guard)
    if before is not None:
        committed = Committed(**before)
        if not (yield Fetch(FIND_ROOT, {"id": committed.root_id})):
            # It was made, and deleted since.
            raise NotFound(committed.root_id)
        return committed
    version_id, template_name, now = yield from _runnable_version(actor, new)
    try:
        definition = yield from store.definitions.load(version_id)
    except NotFound:
        raise _gone(new, version_id) from None
    require_valid(definition.context_schema, context, "The context", "/context")
    root_id = new_id(IdKind.EXECUTION)
    tree = Tree(root_id, 0, now, actor=actor.subject, definitions={version_id: definition})
    root = Execution(
        id=root_id,
        root_id=root_id,
        path=f"{root_id}/",
        version_id=version_id,
        name=new.name or template_name,
        correlation_id=new.correlation_id or root_id,
        runtime_status=ExecutionStatus.NOT_STARTED,
        created_at=now,
        revision=0,
    )
    flow = new_flow(tree, store)
    yield from carry_out(tree, decisions.create(flow, root, context), actor, store.definitions)
    if new.start:
        yield from carry_out(tree, decisions.start(flow, root_id), actor, store.definitions)
    # Nobody knows the tree yet, so there is nothing to lock; what it may take to decide holds up no transaction.
    if guard.once is not None or not is_one_statement(tree):
        yield Begin()
    try:
        yield from write(tree, actor.tenant)
    except Conflict:
        # Deleted between the reading of it and the writing.
        raise _gone(new, version_id) from None
    outcome = Committed(root_id, root_id, None, 0, tree.revision)
    yield from remember(actor, guard, outcome)
    return outcome


def _runnable_version(actor: Actor, new: NewExecution) -> Generator[Request, Any, tuple[str, str, Any]]:
    """The version that is to run: id, its template's name, and the time (D1, D2)."""
    if new.workflow_template_version_id is not None:
        named = new.workflow_template_version_id
        if not is_id(IdKind.TEMPLATE_VERSION, named):
            raise NotFound(named)
        found = yield Fetch(_RUNNABLE_BY_ID, {"id": named, "tenant": actor.tenant})
        if not found:
            raise NotFound(named)
    else:
        named = new.workflow_template_key or ""
        found = yield Fetch(_RUNNABLE_BY_KEY, {"key": named, "tenant": actor.tenant})
        if not found:
            raise NotFound(named, "workflow template with the key")
    version_id, version, status, template_name, now = found[0]
    if version_id is None:
        raise _no_active_version(named)
    if status is not VersionStatus.PUBLISHED:
        raise _not_published(version_id, version, status)
    return version_id, template_name, now


def _gone(new: NewExecution, version_id: str) -> NotFound | ValidationFailed:
    """The version was deleted by somebody else; before that it was no longer active."""
    if new.workflow_template_key is None:
        return NotFound(version_id)
    return _no_active_version(new.workflow_template_key)


def _no_active_version(key: str) -> ValidationFailed:
    message = f"The template {key!r} has no active version: activate one, or name the version to run."
    issue = Issue("NO_ACTIVE_VERSION", Severity.ERROR, message, "/workflowTemplateKey")
    return ValidationFailed("The input", [issue])


def _not_published(version_id: str, version: str, status: VersionStatus) -> InvalidTransition:
    draft = status is VersionStatus.DRAFT
    advice = "publish it first" if draft else "it is not started any more"
    return InvalidTransition(
        node_id=version_id,
        current=status.name,
        wanted=VersionStatus.PUBLISHED.name,
        allowed=(VersionStatus.PUBLISHED.name,) if draft else (),
        explanation=f"Version {version} is {status.name} and cannot be run: {advice}.",
    )
