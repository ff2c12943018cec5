"""Commands on steps: complete, fail, release, retry, disable, enable, set the due date. Claiming is `claiming.py`."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from db.commands.bounds import require_text, require_within
from db.commands.guards import UNGUARDED, Guard, require_step_revision
from db.commands.outcome import Actor, Committed
from db.commands.together import run_on_tree
from db.commands.transaction import Named, TreeCommand
from db.runtime import decisions, due
from db.runtime.effects import Decision
from db.runtime.flow import Flow
from db.runtime.tree import JSONObject
from db.runtime.values import Place
from db.store import Store

DEFAULT_FAILURE_CODE = "FAILED"

Decide = Callable[[Flow, Place], Decision[None]]


async def complete_step(
    store: Store,
    actor: Actor,
    step_execution_id: str,
    output: JSONObject | None,
    guard: Guard = UNGUARDED,
    *,
    token: str | None = None,
) -> Committed:
    """Complete a step that waits, and all that follows from it; `token` is that of the claim, while one holds (T3).

    Refuses with `NotFound`, `InvalidTransition`, `ClaimLost`, `ValidationFailed` (output against `outputSchema`, I1),
    `LimitExceeded`.
    """
    given = output or {}
    require_within("outputData", given, store.limits.output_bytes, store.limits.json_depth)
    decide = partial(decisions.complete, output=given, token=token)
    return await _act(store, actor, step_execution_id, decide, guard)


async def fail_step(
    store: Store,
    actor: Actor,
    step_execution_id: str,
    code: str | None,
    message: str,
    guard: Guard = UNGUARDED,
    *,
    token: str | None = None,
) -> Committed:
    """Fail a step that waits (S4); `token` is that of the claim, while one holds (T3).

    Refuses with `NotFound`, `InvalidTransition`, `ClaimLost`, `ValidationFailed` (an empty code).
    """
    if code is not None:
        require_text("code", code, 1, 200)
    code = DEFAULT_FAILURE_CODE if code is None else code
    decide = partial(decisions.fail, code=code, message=message, token=token)
    return await _act(store, actor, step_execution_id, decide, guard)


async def release_step(
    store: Store,
    actor: Actor,
    step_execution_id: str,
    token: str | None,
    reason: str | None,
    guard: Guard = UNGUARDED,
) -> Committed:
    """End a claim by its token, or as a supervisor with none (T3). Refuses with `NotFound`, `ClaimLost`."""
    decide = partial(decisions.release, token=token, reason=reason)
    return await _act(store, actor, step_execution_id, decide, guard)


async def retry_step(
    store: Store, actor: Actor, step_execution_id: str, reason: str | None, guard: Guard = UNGUARDED
) -> Committed:
    """Make a new attempt at a Failed step, reopening what has failed around it (S4, C5)."""
    return await _act(store, actor, step_execution_id, partial(decisions.retry, reason=reason), guard)


async def disable_step(
    store: Store, actor: Actor, step_execution_id: str, reason: str | None, guard: Guard = UNGUARDED
) -> Committed:
    """Take a step out, or skip a Failed one (S5, S7)."""
    return await _act(store, actor, step_execution_id, partial(decisions.disable, reason=reason), guard)


async def enable_step(
    store: Store, actor: Actor, step_execution_id: str, reason: str | None, guard: Guard = UNGUARDED
) -> Committed:
    """Take a Disabled step in again that flow has not passed (S5, S7)."""
    return await _act(store, actor, step_execution_id, partial(decisions.enable, reason=reason), guard)


async def set_step_due_date(
    store: Store, actor: Actor, step_execution_id: str, due_at: datetime | None, guard: Guard = UNGUARDED
) -> Committed:
    """Say when a step is due (UTC), or with None that it is not (T1, S7). Refuses with `NotFound`, `InvalidTransition`."""
    return await _act(store, actor, step_execution_id, partial(due.set_due_date, due_at=due_at), guard)


async def _act(store: Store, actor: Actor, step_execution_id: str, decide: Decide, guard: Guard) -> Committed:
    def guarded(flow: Flow, execution_id: str) -> Decision[None]:
        yield from require_step_revision(flow, execution_id, step_execution_id, guard)
        yield from decide(flow, Place(execution_id, step_execution_id))

    named = Named(step_execution_id=step_execution_id)
    return await run_on_tree(store, TreeCommand(actor, named, guarded, guard))
