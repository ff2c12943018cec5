"""Attempts, retries and what commands act on (`runtime.md` S3, S4, S6, S7), over a tree in memory."""

from datetime import timedelta
from typing import Any

import pytest

from db.runtime.errors import InvalidTransition
from db.runtime.statuses import ExecutionStatus
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
    workflow,
)

AB = "start > a > b > end"
LEAF = workflow("start > do > end", key="leaf")


def loop(**steps: Any) -> dict[str, Any]:
    """`a` is done again as long as the context says so."""
    return workflow(
        "start > a > more > a", "more > end", when={"more > a": "__context__.b"}, more=EXCLUSIVE, **steps
    )


def both(**steps: Any) -> dict[str, Any]:
    """`a` and `b` at once."""
    return workflow(
        "start > split > a > join > end",
        "split > b > join",
        split=PARALLEL,
        join={"type": "gateway.parallel_join"},
        **steps,
    )


def retrying(most: int, **keys: Any) -> dict[str, Any]:
    return {"retry": {"maxAttempts": most, **keys}}


def test_s3_a_loop_enters_a_step_again_by_a_new_attempt() -> None:
    story = Story(loop(), context={"b": True})
    story.complete("a", output={"ok": 1})
    first, second = story.attempts("a")
    assert (first.attempt, first.status, first.is_current) == (1, COMPLETED, False)
    assert (second.attempt, second.status, second.entered_by) == (2, IN_PROGRESS, ("more-a",))
    assert story.tree.output(first.id) == {"ok": 1}
    assert story.tree.output(second.id) is None


def test_s3_commands_act_on_the_current_attempt_only() -> None:
    story = Story(workflow(AB, a=retrying(2)))
    replaced = story.step("a").id
    story.fail("a")
    with pytest.raises(InvalidTransition, match="replaced by a newer one"):
        story.tree.complete(replaced)


def test_s4_without_backoff_the_next_attempt_starts_at_once() -> None:
    story = Story(workflow(AB, a=retrying(3)))
    story.fail("a", "a")
    assert [each.status for each in story.attempts("a")] == [FAILED, FAILED, IN_PROGRESS]
    story.fail("a")
    assert len(story.attempts("a")) == 3, "maxAttempts counts attempts, not repetitions"
    assert story.status() is ExecutionStatus.FAILED


def test_s4_with_backoff_the_attempt_stays_failed_and_current_until_its_time_comes() -> None:
    story = Story(workflow(AB, a=retrying(4, backoff="PT10M", backoffRate=3)))
    for minutes in (10, 30, 90):
        story.fail("a")
        scheduled = story.step("a")
        assert (scheduled.status, scheduled.retry_at) == (FAILED, story.tree.now + timedelta(minutes=minutes))
        assert story.status() is ExecutionStatus.IN_PROGRESS, "what is scheduled keeps the execution going"
        story.wake("a")
        assert story.step("a").status is IN_PROGRESS
    story.fail("a")
    assert story.step("a").retry_at is None
    assert story.status() is ExecutionStatus.FAILED


def test_s4_retry_step_makes_the_scheduled_attempt_now_and_counts_anew() -> None:
    story = Story(workflow(AB, a=retrying(2, backoff="P1D", backoffRate=10)))
    for _ in range(3):
        story.fail("a")
        assert story.step("a").retry_at == story.tree.now + timedelta(days=1), "n = failures since entry"
        story.retry("a")
    assert story.step("a").attempt == 4


def test_s4_a_loop_that_enters_the_step_counts_anew() -> None:
    story = Story(loop(a=retrying(2)), context={"b": True})
    for _ in range(3):
        story.fail("a")
        assert story.step("a").status is IN_PROGRESS
        story.complete("a")
    story.fail("a", "a")
    assert story.status() is ExecutionStatus.FAILED
    assert len(story.attempts("a")) == 8


def test_s4_the_execution_fails_as_soon_as_nothing_is_in_progress() -> None:
    story = Story(both())
    story.fail("a")
    assert story.status() is ExecutionStatus.IN_PROGRESS
    story.complete("b")
    assert story.status() is ExecutionStatus.FAILED
    assert story.root.failure_code == "STEP_FAILED"
    assert "'a'" in (story.root.failure_message or "")


def test_s4_retry_step_reopens_a_failed_execution_and_clears_its_failure() -> None:
    story = Story(workflow(AB))
    story.fail("a")
    story.retry("a")
    assert story.status() is ExecutionStatus.IN_PROGRESS
    assert (story.root.failed_at, story.root.failure_code, story.root.failure_message) == (None, None, None)
    assert story.kinds() == ["EXECUTION_REOPENED", "STEP_CREATED a", "STEP_STARTED a"]
    story.complete("a", "b")
    assert story.status() is ExecutionStatus.COMPLETED


def test_s6_cancelling_disables_what_is_in_progress_and_forgets_what_is_scheduled() -> None:
    story = Story(both(a=retrying(2, backoff="PT1H")))
    story.fail("a")
    story.cancel()
    assert story.statuses("a", "b", "join") == [FAILED, DISABLED, NOT_STARTED]
    assert story.step("a").retry_at is None
    assert story.step("b").passed_at is None, "flow has not gone through it"
    assert story.kinds() == ["EXECUTION_CANCELLED", "STEP_RETRY_SCHEDULED a", "STEP_DISABLED b"]


def test_s7_skipping_a_failed_step_makes_an_attempt_that_is_disabled_and_passed() -> None:
    story = Story(workflow(AB))
    story.fail("a")
    story.disable("a")
    skipped = story.step("a")
    assert (skipped.attempt, skipped.status, skipped.passed_at) == (2, DISABLED, story.tree.now)
    assert story.status() is ExecutionStatus.IN_PROGRESS
    assert story.step("b").status is IN_PROGRESS


def test_s7_a_scheduled_step_can_be_skipped() -> None:
    story = Story(workflow(AB, a=retrying(2, backoff="PT1H")))
    story.fail("a")
    story.disable("a")
    assert story.statuses("a", "b") == [DISABLED, IN_PROGRESS]


def test_s7_a_step_that_was_passed_is_not_enabled_again() -> None:
    story = Story(workflow(AB))
    story.disable("a")
    assert isinstance(story.refused("enable", "a"), InvalidTransition)


def test_s7_a_step_disabled_before_its_turn_can_be_enabled_until_flow_comes() -> None:
    story = Story(workflow("start > a > b > c > end"))
    story.disable("b")
    story.enable("b")
    assert (story.step("b").status, story.step("b").disabled_at, story.step("b").disabled_by) == (
        NOT_STARTED,
        None,
        None,
    )
    story.disable("b")
    story.complete("a")
    assert story.statuses("b", "c") == [DISABLED, IN_PROGRESS]


REFUSED_ON_TYPES = [
    (command, step_id)
    for command in ("complete", "fail", "retry", "disable", "enable")
    for step_id in ("start", "split", "join", "end")
]


@pytest.mark.parametrize(("command", "step_id"), REFUSED_ON_TYPES)
def test_s7_no_command_acts_on_gateways_and_ends(command: str, step_id: str) -> None:
    assert isinstance(Story(both()).refused(command, step_id), InvalidTransition)


@pytest.mark.parametrize("command", ["complete", "fail", "retry", "enable"])
def test_s7_a_sub_workflow_in_progress_ends_by_its_children_alone(command: str) -> None:
    story = Story(LEAF, workflow("start > kids > end", kids=child("leaf")))
    assert isinstance(story.refused(command, "kids"), InvalidTransition)


@pytest.mark.parametrize("command", ["complete", "fail", "retry", "disable", "enable"])
@pytest.mark.parametrize("end", [["complete", "a", "b"], ["cancel"]], ids=["completed", "cancelled"])
def test_s7_no_command_acts_on_the_steps_of_what_is_completed_or_cancelled(
    command: str, end: list[str]
) -> None:
    story = Story(workflow(AB))
    getattr(story, end[0])(*end[1:])
    for step_id in ("a", "b"):
        assert isinstance(story.refused(command, step_id), InvalidTransition)


def test_s1_a_refusal_names_the_status_the_wanted_one_and_the_allowed_ones() -> None:
    refusal = Story(workflow(AB)).refused("complete", "b")
    assert isinstance(refusal, InvalidTransition)
    assert (refusal.current, refusal.wanted, refusal.allowed) == (
        "NOT_STARTED",
        "COMPLETED",
        ("IN_PROGRESS", "DISABLED"),
    )


def test_i2_the_context_changes_while_not_started_in_progress_and_failed() -> None:
    story = Story(workflow(AB), context={"a": {"x": 1, "y": 2}}, start=False)
    story.patch({"a": {"x": None, "z": [1]}})
    assert story.tree.context(story.root.id) == {"a": {"y": 2, "z": [1]}}
    story.start()
    story.patch({"a": 3})
    story.fail("a")
    story.patch({"b": None})
    assert story.tree.context(story.root.id) == {"a": 3}


@pytest.mark.parametrize("end", [["complete", "a", "b"], ["cancel"]], ids=["completed", "cancelled"])
def test_i2_the_context_does_not_change_after_completed_and_cancelled(end: list[str]) -> None:
    story = Story(workflow(AB))
    getattr(story, end[0])(*end[1:])
    assert isinstance(story.refused("patch", {"a": 1}), InvalidTransition)
