"""Who works on a step, and for how long (`runtime.md` T3). Every function that yields is a decision (`effects.py`).

A lease that has passed is over at that moment, marked or not. A heartbeat moves a lease without a lock or a revision, so
one that seems to have passed is looked at again while nobody can move it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from db.runtime.changes import ChangeKind
from db.runtime.effects import Decision, HoldLease
from db.runtime.errors import ClaimLost
from db.runtime.flow import Flow
from db.runtime.statuses import StepStatus
from db.runtime.tree import Tree
from db.runtime.values import Place, Step

NewToken = Callable[[], str]


class ClaimTerms(NamedTuple):
    """For whom steps are claimed, and how many seconds their leases last; None: an assignment, which does not end."""

    worker: str
    lease_seconds: int | None


class Claimed(NamedTuple):
    """A step that was handed out: the attempt's id, the token that completes it, and when its lease ends (UTC)."""

    step_execution_id: str
    claim_token: str
    lease_expires_at: datetime | None


def claim(
    flow: Flow, places: Iterable[Place], limit: int, terms: ClaimTerms, new_token: NewToken
) -> Decision[list[Claimed]]:
    """Hand out as many as `limit` of these steps that are in progress and nobody's, in their order.

    What is taken or has ended is left out. A claim whose lease has passed is told as expired first.
    """
    claimed: list[Claimed] = []
    for place in places:
        if len(claimed) == limit:
            break
        step = yield from _current(flow, place)
        if step is None or not step.type.is_task or (yield from is_held(flow, step)):
            continue
        if step.claim_worker is not None:
            step = _end(flow.tree, step, ChangeKind.STEP_CLAIM_EXPIRED)
        claimed.append(_hand_out(flow.tree, step, terms, new_token()))
    return claimed


def expire(flow: Flow, place: Place) -> Decision[None]:
    """Mark that the claim of an attempt is over because its lease has passed (STEP_CLAIM_EXPIRED).

    Changes nothing where that is not so: the lease was extended, the claim released, or the attempt has ended.
    """
    step = yield from _current(flow, place)
    if step is None or step.claim_worker is None or (yield from is_held(flow, step)):
        return
    _end(flow.tree, step, ChangeKind.STEP_CLAIM_EXPIRED)


def release(tree: Tree, step: Step, reason: str | None) -> None:
    """Take an attempt from whoever has it (STEP_RELEASED)."""
    _end(tree, step, ChangeKind.STEP_RELEASED, reason)


def is_held(flow: Flow, step: Step) -> Decision[bool]:
    """Whether somebody has an attempt in progress: assigned, or under a lease that has not passed."""
    tree = flow.tree
    if step.claim_worker is None or step.status is not StepStatus.IN_PROGRESS:
        return False
    if _lasts(step, tree.now):
        return True
    lease_expires_at = yield HoldLease(step.id)
    held = tree.current(step)._replace(lease_expires_at=lease_expires_at)
    tree.steps[step.execution_id][step.step_id] = held
    return _lasts(held, tree.now)


def require_token(flow: Flow, step: Step, token: str | None) -> Decision[None]:
    """Refuse with `ClaimLost` but the token of the claim that holds, or none where no claim does."""
    holds = yield from is_held(flow, step)
    if (step.claim_token if holds else None) != token:
        raise ClaimLost.of(flow.tree.current(step), is_held=holds)


def _lasts(step: Step, now: datetime) -> bool:
    return step.lease_expires_at is None or step.lease_expires_at > now


def _current(flow: Flow, place: Place) -> Decision[Step | None]:
    """The attempt, if it is current and in progress."""
    yield from flow.loaded(place.execution_id)
    steps = flow.tree.steps[place.execution_id].values()
    step = next((each for each in steps if each.id == place.step_execution_id), None)
    return step if step is not None and step.status is StepStatus.IN_PROGRESS else None


def _hand_out(tree: Tree, step: Step, terms: ClaimTerms, token: str) -> Claimed:
    seconds = terms.lease_seconds
    ends = None if seconds is None else tree.now + timedelta(seconds=seconds)
    tree.leased.add(step.id)
    taken = step._replace(
        claim_worker=terms.worker, claim_token=token, claimed_at=tree.now, lease_expires_at=ends
    )
    tree.change_step(taken, ChangeKind.STEP_CLAIMED, step.status)
    return Claimed(step.id, token, ends)


def _end(tree: Tree, step: Step, kind: ChangeKind, reason: str | None = None) -> Step:
    tree.leased.add(step.id)
    free = step._replace(claim_worker=None, claim_token=None, claimed_at=None, lease_expires_at=None)
    return tree.change_step(free, kind, step.status, reason=reason)
