"""Compare and set, and doing a thing once (`runtime.md` I3, I4)."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from db.commands.outcome import Actor, Committed, TemplateChanged
from db.commands.rows import clock
from db.requests import Fetch, Request, Write
from db.row_changes import Insert, each_of
from db.runtime.effects import Decision
from db.runtime.errors import IdempotencyConflict, RevisionConflict
from db.runtime.flow import Flow
from db.session import Conflict
from db.statements import Statement
from db.tables import Idempotency, table_of

KEPT_FOR = timedelta(hours=24)

_keys = table_of(Idempotency)
_key_is = (_keys.c.tenant == bindparam("tenant"), _keys.c.key == bindparam("key"))
_RECALL = Statement(
    select(_keys.c.mutation, _keys.c.input_hash, _keys.c.outcome, _keys.c.created_at, clock).where(*_key_is)
)
# Only what was found: somebody else may have forgotten it as well and done the command anew.
_FORGET = Statement(delete(_keys).where(*_key_is, _keys.c.created_at == bindparam("created_at")))
_GROW = Statement(
    update(_keys)
    .where(_keys.c.tenant == bindparam("of"), _keys.c.key == bindparam("named"))
    .values(outcome=bindparam("grown", type_=_keys.c.outcome.type))
)
_NOW = Statement(select(clock))
INSERT_KEY = Insert(_keys, tuple(column.name for column in _keys.columns))


@dataclass(frozen=True, slots=True)
class Once:
    """A command that is to be done once: its key, its name, and a hash of its input without the key.

    One that takes several transactions is remembered with each of them: `done` is what it has come to so far.
    """

    key: str
    mutation: str
    input_hash: str
    done: Committed | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """Under what conditions a command is carried out."""

    if_revision: int | None = None
    once: Once | None = None


UNGUARDED = Guard()


class Repeated(Exception):
    """Somebody did the same thing at the same time; asked again, what they did is known."""


def require_execution_revision(flow: Flow, execution_id: str, guard: Guard) -> Decision[None]:
    """Refuse with `RevisionConflict` unless the execution is as the client knew it."""
    if guard.if_revision is None:
        return
    execution = yield from flow.loaded(execution_id)
    if execution.revision != guard.if_revision:
        raise RevisionConflict(execution_id, guard.if_revision, execution.revision)


def require_step_revision(
    flow: Flow, execution_id: str, step_execution_id: str, guard: Guard
) -> Decision[None]:
    """Refuse with `RevisionConflict` unless the attempt is as the client knew it."""
    if guard.if_revision is None:
        return
    yield from flow.loaded(execution_id)
    steps = flow.tree.steps[execution_id].values()
    step = next((each for each in steps if each.id == step_execution_id), None)
    if step is not None and step.revision != guard.if_revision:
        raise RevisionConflict(step_execution_id, guard.if_revision, step.revision)


def recall(actor: Actor, guard: Guard) -> Generator[Request, Any, dict[str, Any] | None]:
    """What the same command came to before, or None; `IdempotencyConflict` where the key stands for another one."""
    once = guard.once
    if once is None or once.done is not None:
        return None
    found = yield Fetch(_RECALL, {"tenant": actor.tenant, "key": once.key})
    if not found:
        return None
    mutation, input_hash, outcome, created_at, now = found[0]
    if now - created_at >= KEPT_FOR:
        yield Write(_FORGET, [{"tenant": actor.tenant, "key": once.key, "created_at": created_at}])
        return None
    if (mutation, input_hash) != (once.mutation, once.input_hash):
        raise IdempotencyConflict(once.key, mutation)
    kept: dict[str, Any] = outcome
    return kept


def remember(
    actor: Actor, guard: Guard, outcome: Committed | TemplateChanged
) -> Generator[Request, Any, None]:
    """Keep what a command came to; only what succeeded is remembered."""
    if guard.once is None:
        return
    if guard.once.done is not None:
        yield Write(
            _GROW, [{"of": actor.tenant, "named": guard.once.key, "grown": _kept(guard.once, outcome)}]
        )
        return
    ((now,),) = yield Fetch(_NOW, {})
    try:
        yield Write(each_of(INSERT_KEY), [key_values(actor, guard.once, outcome, now)])
    except Conflict:
        raise Repeated from None


def key_values(
    actor: Actor, once: Once, outcome: Committed | TemplateChanged, now: datetime
) -> dict[str, Any]:
    """The row of a command that was done once."""
    return {
        "tenant": actor.tenant,
        "key": once.key,
        "mutation": once.mutation,
        "input_hash": once.input_hash,
        "outcome": _kept(once, outcome),
        "created_at": now,
    }


def _kept(once: Once, outcome: Committed | TemplateChanged) -> dict[str, Any]:
    """What is remembered of a command: of one that goes on what it began with, and all steps that it has handed out."""
    if once.done is not None and isinstance(outcome, Committed):
        outcome = replace(once.done, claims=[*(once.done.claims or ()), *(outcome.claims or ())])
    return {name: getattr(outcome, name) for name in outcome.__slots__}
