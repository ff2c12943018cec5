"""Claims, their leases and their ends (`runtime.md` T3), over a tree in memory."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from db.runtime.effects import Effect, HoldLease
from db.runtime.errors import ClaimLost, InvalidTransition
from db.runtime.tree import Tree
from tests.model.memory import JSON
from tests.model.story import COMPLETED, DISABLED, FAILED, IN_PROGRESS, JOIN, PARALLEL, Story, child, workflow

LEAF = workflow("start > do > end", key="leaf")


def both(**steps: JSON) -> Story:
    """`a` and `b` wait at the same time."""
    return Story(
        workflow("start > split > a > join > end", "split > b > join", split=PARALLEL, join=JOIN, **steps)
    )


def pass_by(story: Story, seconds: float) -> None:
    story.tree.now += timedelta(seconds=seconds)


def test_t3_a_claim_hands_out_steps_in_the_order_given_and_not_more_than_asked_for() -> None:
    story = both()
    (claimed,) = story.claim("b", "a", worker="ann")
    step = story.step("b")
    assert claimed == (step.id, step.claim_token, step.lease_expires_at)
    assert (step.claim_worker, step.claimed_at) == ("ann", story.tree.now)
    assert step.lease_expires_at == story.tree.now + timedelta(seconds=60)
    assert story.step("a").claim_worker is None
    assert story.kinds() == ["STEP_CLAIMED b"]


def test_t3_what_is_taken_or_has_ended_is_left_out() -> None:
    story = both()
    story.complete("a")
    (first,) = story.claim("a", "b", limit=5)
    assert first.step_execution_id == story.step("b").id
    assert story.claim("a", "b", limit=5) == []
    assert story.kinds() == []


def test_t3_only_people_and_workers_take_steps() -> None:
    story = Story(LEAF, workflow("start > kid > end", kid=child("leaf")))
    assert story.claim("kid") == []


@pytest.mark.parametrize("token", [None, "another"])
def test_t3_while_a_claim_holds_only_its_token_completes_or_fails_the_step(token: str | None) -> None:
    story = both()
    (claimed,) = story.claim("a", worker="ann")
    for command in (partial(story.tree.complete, token=token), partial(story.tree.fail, token=token)):
        with pytest.raises(ClaimLost, match="'ann'") as lost:
            command(story.step("a").id)
        assert lost.value.claim is not None
        assert lost.value.claim.worker == "ann"
        assert lost.value.claim.lease_expires_at == claimed.lease_expires_at
    story.tree.complete(story.step("a").id, token=claimed.claim_token)
    assert story.step("a").status is COMPLETED
    assert story.step("a").claim_worker is story.step("a").claim_token is None


def test_t3_a_token_for_a_step_that_nobody_holds_has_lost_its_claim() -> None:
    story = both()
    with pytest.raises(ClaimLost) as lost:
        story.tree.complete(story.step("a").id, token="token_0")
    assert lost.value.claim is None


def test_t3_a_lease_that_has_passed_is_over_though_nobody_marked_it() -> None:
    story = both()
    (claimed,) = story.claim("a", lease_seconds=60)
    pass_by(story, 60)
    with pytest.raises(ClaimLost) as lost:
        story.tree.complete(story.step("a").id, token=claimed.claim_token)
    assert lost.value.claim is None
    story.complete("a")
    assert story.step("a").status is COMPLETED


def test_t3_a_step_whose_lease_has_passed_is_claimed_like_any_other() -> None:
    story = both()
    (first,) = story.claim("a", worker="ann")
    pass_by(story, 60)
    (second,) = story.claim("a", worker="bob")
    assert story.kinds() == ["STEP_CLAIM_EXPIRED a", "STEP_CLAIMED a"]
    assert second.claim_token != first.claim_token
    with pytest.raises(ClaimLost, match="'bob'"):
        story.tree.complete(story.step("a").id, token=first.claim_token)
    story.tree.complete(story.step("a").id, token=second.claim_token)


def test_t3_expiring_ends_a_claim_whose_lease_has_passed_and_no_other() -> None:
    story = both()
    (claimed,) = story.claim("a")
    story.tree.expire(story.step("a").id)
    assert story.step("a").claim_token == claimed.claim_token
    pass_by(story, 60)
    story.tree.expire(story.step("a").id)
    assert story.kinds() == ["STEP_CLAIM_EXPIRED a"]
    assert story.step("a").claim_worker is story.step("a").lease_expires_at is None
    story.tree.expire(story.step("a").id)
    assert story.kinds() == []


def test_t3_a_lease_that_was_extended_meanwhile_holds() -> None:
    story = both()
    (claimed,) = story.claim("a")
    pass_by(story, 60)
    step = story.step("a")
    extended = story.tree.now + timedelta(seconds=60)

    heard = story.tree._answer

    def between(effect: Effect, tree: Tree) -> Any:
        """A heartbeat comes after the row was read, and before the command believes that the lease has passed."""
        if isinstance(effect, HoldLease):
            story.tree.steps[step.id] = step._replace(lease_expires_at=extended)
        return heard(effect, tree)

    story.tree._answer = between  # type: ignore[method-assign]  # the moment cannot be hit otherwise
    story.tree.complete(step.id, token=claimed.claim_token)
    assert story.step("a").status is COMPLETED


def test_t3_an_assignment_holds_until_it_is_released() -> None:
    story = both()
    (claimed,) = story.claim("a", lease_seconds=None)
    assert claimed.lease_expires_at is None
    pass_by(story, 10**8)
    story.tree.expire(story.step("a").id)
    assert story.claim("a") == []
    story.tree.release(story.step("a").id, claimed.claim_token)
    assert story.kinds() == ["STEP_RELEASED a"]
    assert len(story.claim("a")) == 1


def test_t3_a_release_needs_the_token_or_is_a_supervisors() -> None:
    story = both()
    story.claim("a", worker="ann")
    with pytest.raises(ClaimLost, match="'ann'"):
        story.tree.release(story.step("a").id, "another")
    story.tree.release(story.step("a").id)
    assert story.step("a").claim_worker is None
    with pytest.raises(ClaimLost):
        story.tree.release(story.step("a").id)


def test_t3_a_claim_ends_with_its_attempt() -> None:
    story = both(a={"retry": {"maxAttempts": 2}})
    (claimed,) = story.claim("a")
    before = story.step("a").id
    story.tree.fail(before, token=claimed.claim_token)
    first, second = story.attempts("a")
    assert (first.status, first.claim_worker) == (FAILED, None)
    assert (second.status, second.claim_worker) == (IN_PROGRESS, None)
    with pytest.raises(InvalidTransition):
        story.tree.complete(before, token=claimed.claim_token)


def test_t3_disabling_cancelling_and_retrying_need_no_token() -> None:
    story = both()
    assert len(story.claim("a", "b", limit=2)) == 2
    story.disable("a")
    assert (story.step("a").status, story.step("a").claim_worker) == (DISABLED, None)
    story.cancel()
    assert (story.step("b").status, story.step("b").claim_worker) == (DISABLED, None)


def test_j2_the_journal_never_tells_a_token() -> None:
    story = both()
    (claimed,) = story.claim("a", worker="ann")
    change = story.tree.journal[-1]
    assert change.data["claim"]["worker"] == "ann"
    assert claimed.claim_token not in str(change)
