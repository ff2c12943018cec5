"""Whether steps take part (`runtime.md` S5, X2), over a tree in memory."""

from typing import Any

import pytest

from db.runtime.errors import InvalidTransition
from db.runtime.statuses import ExecutionStatus
from db.runtime.values import DisabledBy
from tests.model.story import (
    COMPLETED,
    DISABLED,
    EXCLUSIVE,
    FAILED,
    IN_PROGRESS,
    JOIN,
    NOT_STARTED,
    PARALLEL,
    Story,
    batch,
    enabled_when,
    workflow,
)

ABC = "start > a > b > c > end"
THROWS = "__context__.bad ? $error('boom') : __context__.a"
LEAF = workflow("start > do > end", key="leaf")
DEFAULT_DISABLED = {"activationPolicy": {"defaultStatus": "Disabled"}}


def loop(**steps: Any) -> dict[str, Any]:
    return workflow(
        "start > a > b > more > a",
        "more > end",
        when={"more > a": "__context__.again"},
        more=EXCLUSIVE,
        **steps,
    )


def test_s5_a_default_of_disabled_holds_from_the_beginning_and_flow_goes_through() -> None:
    story = Story(workflow(ABC, b=DEFAULT_DISABLED))
    assert (story.step("b").status, story.step("b").disabled_by) == (DISABLED, DisabledBy.DEFAULT)
    assert story.step("b").passed_at is None
    story.complete("a")
    assert story.statuses("b", "c") == [DISABLED, IN_PROGRESS]
    assert (story.step("b").passed_at, story.step("b").entered_by) == (story.tree.now, ("a-b",))


def test_s5_the_default_is_not_read_where_there_is_an_enabled_when() -> None:
    policy = enabled_when("__context__.a", defaultStatus="Disabled")
    assert Story(workflow(ABC, b=policy), context={"a": 1}).step("b").status is NOT_STARTED


def test_s5_a_policy_is_read_when_the_attempt_is_made_and_after_every_change_of_the_context() -> None:
    story = Story(workflow(ABC, b=enabled_when("__context__.a")))
    assert (story.step("b").status, story.step("b").disabled_by) == (DISABLED, DisabledBy.POLICY)
    story.patch({"a": 1})
    assert (story.step("b").status, story.step("b").disabled_by) == (NOT_STARTED, None)
    story.patch({"a": 0})
    assert story.step("b").status is DISABLED
    story.patch({"a": True})
    story.complete("a")
    assert story.statuses("b", "c") == [IN_PROGRESS, NOT_STARTED]


@pytest.mark.parametrize(
    ("value", "is_true"), [([0], False), ([], False), ([0, [1]], True), ("0", True), (-1, True)]
)
def test_x1_a_policy_is_cast_to_boolean_by_jsonatas_rule(value: Any, is_true: bool) -> None:
    story = Story(workflow(ABC, b=enabled_when("__context__.a")), context={"a": value})
    assert (story.step("b").status is NOT_STARTED) == is_true


def test_s5_a_policy_that_is_no_longer_true_disables_a_step_in_progress_and_flow_goes_on() -> None:
    story = Story(workflow(ABC, a=enabled_when("__context__.a")), context={"a": 1})
    story.patch({"a": None})
    assert story.statuses("a", "b") == [DISABLED, IN_PROGRESS]
    assert story.step("a").passed_at == story.tree.now
    story.patch({"a": 1})
    assert story.step("a").status is DISABLED, "it has been passed, and so it has ended"


def test_s5_policies_are_read_before_flow_moves_on() -> None:
    story = Story(workflow(ABC, b=enabled_when("__steps__.a.outputData.ok")))
    story.complete("a", output={"ok": True})
    assert story.kinds() == ["STEP_COMPLETED a", "STEP_ENABLED b", "STEP_STARTED b"]
    other = Story(
        workflow(ABC, b=enabled_when("__steps__.a.attempt > 0"), c=enabled_when("__steps__.a.outputData.ok"))
    )
    other.complete("a", output={"ok": True})
    assert other.kinds() == ["STEP_COMPLETED a", "STEP_ENABLED c", "STEP_STARTED b"]


def test_s5_policies_are_read_in_definition_order() -> None:
    policy = enabled_when("__context__.a")
    story = Story(workflow(ABC, c=policy, b=policy))
    story.patch({"a": 1})
    assert story.kinds() == ["CONTEXT_UPDATED", "STEP_ENABLED b", "STEP_ENABLED c"]


def test_s5_the_policies_of_a_failed_execution_are_read_too() -> None:
    story = Story(workflow(ABC, b=enabled_when("__context__.a")))
    story.fail("a")
    story.patch({"a": 1})
    assert story.step("b").status is NOT_STARTED


def test_s5_a_transition_may_disable_what_it_enters() -> None:
    story = Story(workflow(ABC, arrive_disabled=("a > b",)))
    story.complete("a")
    assert (story.step("b").status, story.step("b").disabled_by) == (DISABLED, DisabledBy.ARRIVAL)
    assert story.statuses("c") == [IN_PROGRESS]


def test_s5_disable_step_outranks_the_policy_for_that_attempt_only() -> None:
    story = Story(loop(b=enabled_when("__context__.a")), context={"a": 1, "again": True})
    story.disable("b")
    story.patch({"a": 2})
    assert (story.step("b").status, story.step("b").disabled_by) == (DISABLED, DisabledBy.COMMAND)
    story.complete("a")
    assert story.step("b").passed_at is not None
    assert story.step("a").attempt == 2
    story.complete("a")
    assert (story.step("b").attempt, story.step("b").status) == (2, IN_PROGRESS), (
        "a new attempt reads it afresh"
    )


def test_s5_enable_step_outranks_the_policy_for_that_attempt_only() -> None:
    story = Story(loop(b=enabled_when("__context__.a")), context={"again": True})
    story.enable("b")
    story.patch({"x": 1})
    story.complete("a")
    assert story.step("b").status is IN_PROGRESS
    story.patch({"a": False})
    assert story.step("b").status is IN_PROGRESS
    story.complete("b")
    story.complete("a")
    assert (story.step("b").attempt, story.step("b").status) == (2, DISABLED)


def test_s5_a_retry_reads_the_default_afresh() -> None:
    story = Story(workflow(ABC, b=DEFAULT_DISABLED))
    story.enable("b")
    story.complete("a")
    story.fail("b")
    story.retry("b")
    assert story.statuses("b", "c") == [DISABLED, IN_PROGRESS]


def test_s5_a_policy_that_throws_leaves_the_step_until_flow_arrives_then_it_starts_and_fails() -> None:
    story = Story(workflow(ABC, b=enabled_when(THROWS)), context={"bad": 1})
    assert story.step("b").status is NOT_STARTED
    story.complete("a")
    failed = story.step("b")
    assert (failed.status, failed.failure_code) == (FAILED, "EXPRESSION_FAILED")
    assert failed.started_at == story.tree.now
    assert "boom" in (failed.failure_message or "")
    assert story.status() is ExecutionStatus.FAILED, "X2: the command that led there has succeeded"


def test_x2_a_disabled_step_whose_policy_throws_as_flow_arrives_fails_too() -> None:
    story = Story(workflow(ABC, b=enabled_when(THROWS)))
    assert story.step("b").status is DISABLED
    story.patch({"bad": 1})
    assert story.step("b").status is DISABLED, "it stays as it stands"
    story.complete("a")
    assert (story.step("b").status, story.step("b").failure_code) == (FAILED, "EXPRESSION_FAILED")


def test_x2_a_failed_policy_is_not_retried_by_itself() -> None:
    story = Story(workflow(ABC, b={**enabled_when(THROWS), "retry": {"maxAttempts": 5}}), context={"bad": 1})
    story.complete("a")
    assert len(story.attempts("b")) == 1
    story.patch({"bad": None, "a": 1})
    story.retry("b")
    assert story.step("b").status is IN_PROGRESS


def test_s5_disabling_a_running_sub_workflow_cancels_its_children() -> None:
    story = Story(LEAF, workflow("start > kids > after > end", kids=batch("leaf")), context={"items": [1, 2]})
    one, two = story.children("kids")
    story.complete("do", within=one)
    story.disable("kids")
    assert story.statuses("kids", "after") == [DISABLED, IN_PROGRESS]
    assert story.again(one).runtime_status is ExecutionStatus.COMPLETED
    assert story.again(two).runtime_status is ExecutionStatus.CANCELLED
    assert story.statuses("do", within=two) == [DISABLED]


def test_s5_a_policy_that_stops_a_sub_workflow_cancels_its_children() -> None:
    kids = {**batch("leaf"), **enabled_when("__context__.a")}
    story = Story(LEAF, workflow("start > kids > after > end", kids=kids), context={"items": [1], "a": 1})
    (one,) = story.children("kids")
    story.patch({"a": 0})
    assert story.again(one).runtime_status is ExecutionStatus.CANCELLED
    assert story.statuses("kids", "after") == [DISABLED, IN_PROGRESS]


def test_s5_abandoned_children_are_left_running() -> None:
    kids = batch("leaf", onParentClose="ABANDON")
    story = Story(LEAF, workflow("start > kids > after > end", kids=kids), context={"items": [1, 2]})
    one, two = story.children("kids")
    story.disable("kids")
    story.complete("after")
    assert story.status() is ExecutionStatus.COMPLETED
    story.complete("do", within=one)
    story.fail("do", within=two)
    assert story.again(one).runtime_status is ExecutionStatus.COMPLETED
    assert story.again(two).runtime_status is ExecutionStatus.FAILED
    assert isinstance(story.refused("retry", "do", within=two), InvalidTransition)


def test_s5_a_disabled_branch_counts_as_arrived_at_the_join() -> None:
    story = Story(
        workflow(
            "start > split > a > join > c > end",
            "split > b > join",
            split=PARALLEL,
            join=JOIN,
            b=enabled_when("__context__.a"),
        )
    )
    assert story.statuses("a", "b", "join") == [IN_PROGRESS, DISABLED, NOT_STARTED]
    story.complete("a")
    assert story.statuses("join", "c") == [COMPLETED, IN_PROGRESS]
    assert story.step("join").entered_by == ("b-join", "a-join")
