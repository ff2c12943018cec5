"""Due dates, and what comes by itself when its time has come (`runtime.md` T1, S4, S7), over a tree in memory."""

from datetime import datetime, timedelta
from functools import partial

import pytest

from db.runtime.errors import InvalidTransition
from db.runtime.statuses import ExecutionStatus
from tests.model.memory import JSON
from tests.model.story import (
    COMPLETED,
    DISABLED,
    EXCLUSIVE,
    FAILED,
    IN_PROGRESS,
    NOT_STARTED,
    PARALLEL,
    Story,
    child,
    enabled_when,
    workflow,
)

AB = "start > a > b > end"
HOUR = timedelta(hours=1)
MOMENT = timedelta(microseconds=1)
LEAF = workflow("start > do > end", key="leaf")


def dated(**keys: JSON) -> Story:
    """`a` is due an hour after its start."""
    return Story(workflow(AB, a={"dueIn": "PT1H", **keys}))


def due_at(story: Story, step_id: str = "a") -> datetime:
    due = story.step(step_id).due_at
    assert due is not None
    return due


def overdue(**keys: JSON) -> Story:
    """`a` was not done in time."""
    story = dated(**keys)
    story.pass_until(due_at(story))
    story.come_due()
    assert story.step("a").is_overdue
    return story


# T1: overdue


def test_t1_a_step_becomes_overdue_when_its_due_date_passes_and_not_before() -> None:
    story = dated()
    due = due_at(story)
    story.pass_until(due - MOMENT)
    story.come_due()
    assert (story.kinds(), story.step("a").is_overdue) == ([], False)
    story.pass_until(due)
    story.come_due()
    step = story.step("a")
    assert (story.kinds(), step.is_overdue, step.overdue_at) == (["STEP_OVERDUE a"], True, story.tree.now)
    assert step.status is IN_PROGRESS, "late is not over"


def test_t1_a_step_becomes_overdue_once() -> None:
    story = overdue()
    story.pass_until(due_at(story) + HOUR)
    story.come_due()
    assert story.kinds() == []


def test_t1_what_is_not_in_progress_does_not_become_overdue() -> None:
    story = dated()
    story.set_due_date("b", story.tree.now)
    due = due_at(story)
    story.complete("a")
    story.fail("b")
    story.pass_until(due + HOUR)
    story.come_due()
    assert story.kinds() == []
    assert story.statuses("a", "b") == [COMPLETED, FAILED]


def test_t1_a_sub_workflow_step_is_overdue_too() -> None:
    story = Story(LEAF, workflow("start > kid > end", kid=child("leaf", dueIn="PT1H")))
    story.pass_until(due_at(story, "kid"))
    story.come_due()
    assert story.kinds() == ["STEP_OVERDUE kid"]


def test_t1_the_mark_is_no_more_than_a_mark_once_the_step_has_ended() -> None:
    story = overdue()
    story.complete("a")
    assert not story.step("a").is_overdue


def test_t1_a_new_attempt_computes_its_own_due_date_and_is_not_overdue() -> None:
    story = overdue(retry={"maxAttempts": 2})
    story.fail("a")
    step = story.step("a")
    assert (step.due_at, step.overdue_at) == (story.tree.now + HOUR, None)
    story.pass_until(due_at(story))
    story.come_due()
    assert story.kinds() == ["STEP_OVERDUE a"]


# T1, S7: setStepDueDate


def test_t1_a_due_date_set_by_hand_before_the_start_is_kept() -> None:
    story = Story(workflow(AB, b={"dueIn": "PT1H"}))
    by_hand = story.tree.now + 5 * HOUR
    story.set_due_date("b", by_hand)
    assert story.kinds() == ["STEP_DUE_DATE_SET b"]
    story.complete("a")
    assert story.step("b").due_at == by_hand


def test_t1_one_taken_away_before_the_start_leaves_the_definition_s() -> None:
    story = Story(workflow(AB, b={"dueIn": "PT1H"}))
    story.set_due_date("b", story.tree.now)
    story.set_due_date("b", None)
    story.complete("a")
    assert story.step("b").due_at == story.tree.now + HOUR


def test_t1_a_loop_computes_its_own_due_date() -> None:
    story = Story(
        workflow(
            "start > a > more > a",
            "more > end",
            when={"more > a": "__context__.b"},
            more=EXCLUSIVE,
            a={"dueIn": "PT1H"},
        ),
        context={"b": True},
    )
    story.set_due_date("a", story.tree.now + 9 * HOUR)
    story.complete("a")
    assert story.step("a").due_at == story.tree.now + HOUR


@pytest.mark.parametrize("hours", [2, 100])
def test_t1_moving_it_forward_clears_the_mark_which_can_come_true_once_more(hours: int) -> None:
    story = overdue()
    later = story.tree.now + hours * HOUR
    story.set_due_date("a", later)
    assert (story.step("a").overdue_at, story.step("a").due_at) == (None, later)
    story.come_due()
    assert story.kinds() == []
    story.pass_until(later)
    for kinds in (["STEP_OVERDUE a"], []):
        story.come_due()
        assert story.kinds() == kinds


def test_t1_moving_it_back_leaves_the_mark() -> None:
    story = overdue()
    marked = story.step("a").overdue_at
    story.set_due_date("a", due_at(story) - HOUR)
    assert story.step("a").overdue_at == marked
    story.come_due()
    assert story.kinds() == []


def test_t1_taking_it_away_clears_the_mark_for_good() -> None:
    story = overdue()
    story.set_due_date("a", None)
    assert (story.step("a").due_at, story.step("a").overdue_at) == (None, None)
    story.pass_until(story.tree.now + 100 * HOUR)
    story.come_due()
    assert story.kinds() == []


def test_t1_a_date_in_the_past_is_overdue_as_soon_as_the_timer_looks() -> None:
    story = Story(workflow(AB))
    story.set_due_date("a", story.tree.now - HOUR)
    assert not story.step("a").is_overdue
    story.come_due()
    assert story.kinds() == ["STEP_OVERDUE a"]


@pytest.mark.parametrize("hours", [None, 1])
def test_s7_the_same_date_again_changes_nothing(hours: int | None) -> None:
    story = Story(workflow(AB))
    date = hours and story.tree.now + hours * HOUR
    story.set_due_date("a", date)
    story.set_due_date("a", date)
    assert story.kinds() == []


def test_s7_a_failed_execution_may_be_reopened_so_what_waits_in_it_has_a_date() -> None:
    story = Story(workflow(AB))
    story.fail("a")
    assert story.status() is ExecutionStatus.FAILED
    story.set_due_date("b", story.tree.now + HOUR)
    assert story.kinds() == ["STEP_DUE_DATE_SET b"]


def test_s7_a_due_date_is_refused_where_nobody_has_anything_to_do() -> None:
    story = Story(LEAF, workflow("start > a > kid > c > end", c={"type": "sys.task"}, kid=child("leaf")))
    date = story.tree.now + HOUR
    replaced = story.step("a").id
    set_date = partial(story.tree.set_due_date, due_at=date)
    for step_id, of_type in (("kid", "sys.sub_workflow"), ("start", "start"), ("end", "end")):
        with pytest.raises(InvalidTransition, match=f"is of type {of_type};"):
            set_date(story.step(step_id).id)
    story.disable("c")
    with pytest.raises(InvalidTransition, match="it is DISABLED, not NOT_STARTED or IN_PROGRESS"):
        set_date(story.step("c").id)
    story.enable("c")
    story.fail("a")
    with pytest.raises(InvalidTransition, match="it is FAILED") as refusal:
        set_date(story.step("a").id)
    assert (refusal.value.current, refusal.value.wanted, refusal.value.allowed) == (
        "FAILED",
        "IN_PROGRESS",
        (),
    )
    story.retry("a")
    with pytest.raises(InvalidTransition, match="replaced by a newer one"):
        set_date(replaced)
    story.complete("a")
    with pytest.raises(InvalidTransition, match="it is COMPLETED"):
        set_date(story.step("a").id)
    story.cancel()
    assert story.statuses("c") == [NOT_STARTED]
    with pytest.raises(InvalidTransition, match="its execution is CANCELLED"):
        set_date(story.step("c").id)


# S4: retries, and T2: everything at once


def test_s4_the_next_attempt_starts_when_its_time_has_come_and_not_before() -> None:
    story = Story(workflow(AB, a={"retry": {"maxAttempts": 2, "backoff": "PT1H"}}))
    story.fail("a")
    retry_at = story.step("a").retry_at
    assert retry_at is not None
    story.pass_until(retry_at - MOMENT)
    story.come_due()
    assert story.kinds() == []
    story.wake("a")
    assert story.kinds() == ["STEP_CREATED a", "STEP_STARTED a"]
    assert (story.step("a").attempt, story.step("a").entry_attempt) == (2, 1), "it is no entry"
    story.come_due()
    assert story.kinds() == []


def test_s4_the_next_attempt_reads_its_policy_afresh_and_is_passed_where_it_is_disabled() -> None:
    retry = {"retry": {"maxAttempts": 2, "backoff": "PT1H"}}
    story = Story(workflow(AB, a=enabled_when("__context__.b") | retry), context={"b": True})
    story.fail("a")
    story.patch({"b": False})
    story.wake("a")
    assert story.statuses("a", "b") == [DISABLED, IN_PROGRESS]
    assert story.step("a").attempt == 2


def test_s4_what_a_cancellation_took_away_does_not_come() -> None:
    story = Story(workflow(AB, a={"retry": {"maxAttempts": 2, "backoff": "PT1H"}}))
    story.fail("a")
    story.cancel()
    story.pass_until(story.tree.now + 100 * HOUR)
    story.come_due()
    assert story.kinds() == []


def test_t2_all_that_is_due_in_an_execution_comes_in_the_order_of_its_definition() -> None:
    story = Story(
        workflow(
            "start > split > a > join > end",
            "split > b > join",
            "split > c > join",
            split=PARALLEL,
            join={"type": "gateway.parallel_join"},
            a={"dueIn": "PT1H"},
            b={"retry": {"maxAttempts": 2, "backoff": "PT1M"}},
            c={"dueIn": "PT2H"},
        )
    )
    story.fail("b")
    story.claim("a", lease_seconds=60)
    story.pass_until(story.tree.now + 3 * HOUR)
    story.come_due()
    assert story.kinds() == [
        "STEP_OVERDUE a",
        "STEP_CLAIM_EXPIRED a",
        "STEP_CREATED b",
        "STEP_STARTED b",
        "STEP_OVERDUE c",
    ]
