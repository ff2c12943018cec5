"""Commands on steps: complete, fail."""

from collections.abc import Callable, Generator
from functools import partial

from db.commands import transaction
from db.commands.bounds import require_text, require_within
from db.commands.outcome import Actor, Committed
from db.definitions import Definitions
from db.runtime import flow
from db.runtime.tree import JSONObject, Tree
from db.statements import Fetch, Row, Write
from db.store import Store

DEFAULT_FAILURE_CODE = "FAILED"


async def complete_step(
    store: Store, actor: Actor, step_execution_id: str, output: JSONObject | None
) -> Committed:
    """Complete a step that waits, and all that follows from it.

    Refuses with `NotFound`, `InvalidTransition`, `ValidationFailed` (output against `outputSchema`, I1), `LimitExceeded`.
    """
    given = output or {}
    require_within("outputData", given, store.limits.output_bytes, store.limits.json_depth)
    decide = partial(flow.complete, output=given)
    return await store.database.transact(_act(store.definitions, actor, step_execution_id, decide))


async def fail_step(
    store: Store, actor: Actor, step_execution_id: str, code: str | None, message: str
) -> Committed:
    """Fail a step that waits (S4). Refuses with `NotFound`, `InvalidTransition`, `ValidationFailed` (an empty code)."""
    if code is not None:
        require_text("code", code, 1, 200)
    decide = partial(flow.fail, code=DEFAULT_FAILURE_CODE if code is None else code, message=message)
    return await store.database.transact(_act(store.definitions, actor, step_execution_id, decide))


def _act(
    definitions: Definitions,
    actor: Actor,
    step_execution_id: str,
    decide: Callable[[Tree, str, str], flow.Decision],
) -> Generator[Fetch | Write, list[Row], Committed]:
    locked = yield from transaction.lock_by_step(actor, step_execution_id)
    tree, since = locked.tree, locked.tree.revision
    decision = decide(tree, step_execution_id, locked.execution_id)
    yield from transaction.carry_out(tree, decision, definitions)
    yield from transaction.write(tree, actor)
    return transaction.committed(tree, since, locked.execution_id, step_execution_id)
