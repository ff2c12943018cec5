"""Claiming steps, tree by tree, and keeping them (`runtime.md` T3).

Candidates are read without a lock. Then each tree is claimed in by itself: first without waiting for anybody, and only if
that brought nothing in line for the tree of the first candidate. What counts is what a step is when its tree is held.
"""

import secrets
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Integer, bindparam, case, select, update

from db.commands.candidates import Candidate, Wanted, candidates_for, candidates_of
from db.commands.guards import Guard, Once, recall
from db.commands.optimistic import Contended, without_lock
from db.commands.outcome import Actor, ClaimedStep, Committed
from db.commands.rows import clock, steps
from db.commands.together import wait_for_tree
from db.commands.transaction import Named, TreeCommand, commit, on_tree
from db.elements import Later
from db.ids import IdKind, is_id
from db.requests import Fetch, Request
from db.runtime import claims
from db.runtime.claims import Claimed, ClaimTerms
from db.runtime.effects import Decision
from db.runtime.errors import ClaimLost, CurrentClaim, NotFound, Refusal
from db.runtime.flow import Flow
from db.runtime.moments import timestamp_text
from db.runtime.statuses import StepStatus
from db.runtime.values import Place
from db.session import Unavailable
from db.statements import Statement
from db.store import Store

# How often candidates are read anew that others have taken. Each time somebody got one.
MOST_READINGS = 20

_named = (steps.c.id == bindparam("id_"), steps.c.tenant == bindparam("tenant_"))
_later = Later(bindparam("seconds", type_=Integer()))
# A lease is only ever moved on, and an assignment, which has none, stays one.
_HEARTBEAT = Statement(
    update(steps)
    .where(
        *_named,
        steps.c.claim_token == bindparam("token"),
        steps.c.status == StepStatus.IN_PROGRESS,
        (steps.c.lease_expires_at > clock) | steps.c.lease_expires_at.is_(None),
    )
    .values(
        lease_expires_at=case((steps.c.lease_expires_at < _later, _later), else_=steps.c.lease_expires_at)
    )
    .returning(steps.c.lease_expires_at)
)
_CLAIM_NOW = Statement(
    select(steps.c.claim_worker, steps.c.claimed_at, steps.c.lease_expires_at, steps.c.status, clock).where(
        *_named
    )
)


class NothingLeft(Refusal):
    """None of the candidates in a tree can be claimed any more; nobody is told."""


OnCommit = Callable[[Committed], Awaitable[None]]


async def unheard(_: Committed) -> None:
    """Nobody is to be told."""


@dataclass(slots=True)
class Claiming:
    """What a call has got so far: the steps that it was handed, and what was committed for that."""

    store: Store
    actor: Actor
    limit: int
    terms: ClaimTerms
    once: Once | None = None
    on_commit: OnCommit = unheard
    claimed: list[ClaimedStep] = field(default_factory=list)
    committed: list[Committed] = field(default_factory=list)
    # Whether the same call was answered before: this is that answer, and the end of it.
    is_repeated: bool = False
    _made: list[ClaimedStep] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether nothing more is to be claimed."""
        return self.is_repeated or len(self.claimed) >= self.limit

    def command(self, candidates: Sequence[Candidate]) -> TreeCommand:
        """Claim what can be claimed of candidates in one tree."""
        places = [Place(each.execution_id, each.id) for each in candidates]
        wanted = self.limit - len(self.claimed)

        def decide(flow: Flow, _: str) -> Decision[list[ClaimedStep]]:
            claimed = yield from claims.claim(flow, places, wanted, self.terms, new_token)
            if not claimed:
                raise NothingLeft
            self._made = list(map(_told, claimed))
            return self._made

        first = candidates[0].execution_id
        return TreeCommand(self.actor, Named(execution_id=first), decide, Guard(once=self.once), first)

    def keep(self, outcome: Committed) -> None:
        """A transaction has committed: just now, or before under the same key."""
        if outcome.claims is not self._made:
            self.recall(outcome)
            return
        self.claimed += self._made
        self.committed.append(outcome)
        if self.once is not None:
            done = replace(self.once.done or outcome, claims=list(self.claimed))
            self.once = replace(self.once, done=done)

    def recall(self, before: Committed) -> None:
        """The same call was answered before, with this."""
        self.claimed, self.committed, self.is_repeated = list(before.claims or ()), [before], True


async def claim_steps(
    store: Store,
    actor: Actor,
    wanted: Wanted,
    limit: int,
    terms: ClaimTerms,
    once: Once | None = None,
    on_commit: OnCommit = unheard,
) -> Claiming:
    """Claim up to `limit` steps, the oldest first; what is taken or has ended is left out, so it may be none.

    Done `once` it is remembered with each tree that it claims in, tokens included; an empty answer is not. `on_commit` is
    told of each tree. Where the database goes away meanwhile it returns what it has got.
    """
    claiming = Claiming(store, actor, limit, terms, once, on_commit)
    if once is not None:
        before = await store.database.attempt(recall(actor, Guard(once=once)))
        if before is not None:
            claiming.recall(Committed(**before))
    statement = candidates_for(wanted, actor.tenant, limit)
    for _ in range(MOST_READINGS):
        if claiming.claimed or claiming.is_done:
            break
        since = store.lanes.departures
        trees = _by_tree(candidates_of(await store.database.rows(*statement)))
        if not trees:
            break
        try:
            await _claim_among(claiming, trees, since)
        except Unavailable:
            if not claiming.claimed:
                raise
    return claiming


async def heartbeat_step(
    store: Store, actor: Actor, step_execution_id: str, token: str, lease_seconds: int
) -> ClaimedStep:
    """Let a claim's lease last for so many seconds from now, if not longer; no revision, no lock of the tree.

    Refuses with `NotFound`, `ClaimLost` (another's claim, or one that has ended).
    """
    if not is_id(IdKind.STEP_EXECUTION, step_execution_id):
        raise NotFound(step_execution_id)
    place = {"id_": step_execution_id, "tenant_": actor.tenant}
    return await store.database.attempt(_extend(place, token, lease_seconds))


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(24)


def _by_tree(candidates: Sequence[Candidate]) -> dict[str, list[Candidate]]:
    """Candidates by their roots, the trees of the oldest first."""
    trees: dict[str, list[Candidate]] = {}
    for each in candidates:
        trees.setdefault(each.root_id, []).append(each)
    return trees


async def _claim_among(claiming: Claiming, trees: dict[str, list[Candidate]], since: int) -> None:
    """Claim in one tree after another, passing by those where somebody is, or was since the candidates were read.

    Where that brought nothing wait for the first.
    """
    lanes = claiming.store.lanes
    for root_id, candidates in trees.items():
        if claiming.is_done:
            return
        if lanes.engage(root_id, since):
            try:
                await _claim_in(claiming, candidates, without_waiting)
            finally:
                lanes.leave(root_id)
    if not claiming.claimed:
        await _claim_in(claiming, next(iter(trees.values())), in_line)


async def _claim_in(
    claiming: Claiming,
    candidates: list[Candidate],
    how: Callable[[Store, str, TreeCommand], Awaitable[Committed]],
) -> None:
    try:
        outcome = await how(claiming.store, candidates[0].root_id, claiming.command(candidates))
    except (NothingLeft, Contended):
        return
    claiming.keep(outcome)
    await claiming.on_commit(outcome)


async def without_waiting(store: Store, _root_id: str, command: TreeCommand) -> Committed:
    """Carry a command out if nobody else is at its tree; raises `Contended`."""
    if store.database.kind == "sqlite":
        return await commit(store, lambda: on_tree(store, command))
    return await store.database.attempt(without_lock(store, command))


async def in_line(store: Store, root_id: str, command: TreeCommand) -> Committed:
    """Carry a command out once its tree is free."""
    if store.database.kind == "sqlite":
        return await commit(store, lambda: on_tree(store, command))
    return await wait_for_tree(store, root_id, command)


def _extend(place: dict[str, str], token: str, seconds: int) -> Generator[Request, Any, ClaimedStep]:
    found = yield Fetch(_HEARTBEAT, {**place, "token": token, "seconds": seconds})
    if found:
        return _told(Claimed(place["id_"], token, found[0][0]))
    there = yield Fetch(_CLAIM_NOW, place)
    if not there:
        raise NotFound(place["id_"])
    worker, claimed_at, ends, status, now = there[0]
    is_held = worker is not None and status is StepStatus.IN_PROGRESS and (ends is None or ends > now)
    raise ClaimLost(CurrentClaim(worker, claimed_at, ends) if is_held else None)


def _told(claimed: Claimed) -> ClaimedStep:
    ends = claimed.lease_expires_at
    return ClaimedStep(
        claimed_id=claimed.step_execution_id,
        claim_token=claimed.claim_token,
        lease_expires_at=None if ends is None else timestamp_text(ends),
    )
