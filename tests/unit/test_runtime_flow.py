"""How flow moves through gateways and loops (`runtime.md` F2 to F7, X1, X2), over a tree in memory."""

from typing import Any

import pytest

from db.runtime.limits import Limits
from db.runtime.statuses import ExecutionStatus
from tests.model.story import (
    COMPLETED,
    DISABLED,
    EXCLUSIVE,
    FAILED,
    IN_PROGRESS,
    INCLUSIVE,
    JOIN,
    NOT_STARTED,
    PARALLEL,
    Story,
    enabled_when,
    workflow,
)

THROWS = "__context__.bad ? $error('boom') : __context__.a"
DEFAULT_DISABLED = {"activationPolicy": {"defaultStatus": "Disabled"}}


def parallel(**steps: Any) -> dict[str, Any]:
    """`a` and `b` at once, then `c`."""
    return workflow(
        "start > split > a > join > c > end", "split > b > join", split=PARALLEL, join=JOIN, **steps
    )


def exclusive() -> dict[str, Any]:
    """`a` on a condition, else `b`."""
    return workflow(
        "start > choose > a > join > end",
        "choose > b > join",
        when={"choose > a": "__context__.a"},
        choose=EXCLUSIVE,
        join=JOIN,
    )


def inclusive() -> dict[str, Any]:
    """`a`, `b` or both, else `c`; then `d`."""
    return workflow(
        "start > split > a > join > d > end",
        "split > b > join",
        "split > c > join",
        when={"split > a": "__context__.a", "split > b": "__context__.b"},
        split=INCLUSIVE,
        join=JOIN,
    )


def test_f2_an_exclusive_split_takes_the_condition_or_else_the_default() -> None:
    assert Story(exclusive(), context={"a": 1}).statuses("a", "b") == [IN_PROGRESS, NOT_STARTED]
    assert Story(exclusive(), context={"a": 0}).statuses("a", "b") == [NOT_STARTED, IN_PROGRESS]
    assert Story(exclusive()).statuses("a", "b") == [NOT_STARTED, IN_PROGRESS], (
        "X1: a missing path counts false"
    )


@pytest.mark.parametrize(
    ("value", "is_true"),
    [
        (None, False),
        (0, False),
        ("", False),
        ({}, False),
        ([], False),
        ([0], False),
        ([0, 1], True),
        ("no", True),
        (-1, True),
    ],
)
def test_x1_a_condition_is_cast_to_boolean_by_jsonatas_rule(value: Any, is_true: bool) -> None:
    expected = [IN_PROGRESS, NOT_STARTED] if is_true else [NOT_STARTED, IN_PROGRESS]
    assert Story(exclusive(), context={"a": value}).statuses("a", "b") == expected


def test_f2_a_parallel_split_takes_every_transition_breadth_first() -> None:
    story = Story(parallel())
    assert story.statuses("a", "b") == [IN_PROGRESS, IN_PROGRESS]
    assert story.kinds()[-2:] == ["STEP_STARTED a", "STEP_STARTED b"]


@pytest.mark.parametrize(
    ("context", "started"),
    [({"a": 1}, ["a"]), ({"b": 1}, ["b"]), ({"a": 1, "b": 1}, ["a", "b"]), ({}, ["c"])],
)
def test_f2_f5_an_inclusive_split_takes_what_is_true_and_its_join_waits_for_that(
    context: Any, started: list[str]
) -> None:
    story = Story(inclusive(), context=context)
    assert [each for each in "abc" if story.step(each).status is IN_PROGRESS] == started
    for step_id in started:
        assert story.step("d").status is NOT_STARTED
        story.complete(step_id)
    assert story.step("d").status is IN_PROGRESS


def test_x2_a_split_whose_condition_throws_fails_and_is_evaluated_again_by_retry_step() -> None:
    raw = workflow(
        "start > a > choose > b > join > end",
        "choose > join",
        when={"choose > b": THROWS},
        choose=EXCLUSIVE,
        join=JOIN,
    )
    story = Story(raw, context={"bad": 1})
    story.complete("a")
    assert (story.step("choose").status, story.step("choose").failure_code) == (FAILED, "EXPRESSION_FAILED")
    assert story.status() is ExecutionStatus.FAILED
    story.retry("choose")
    assert story.statuses("choose") == [FAILED]
    story.patch({"bad": None, "a": 1})
    story.retry("choose")
    assert story.statuses("choose", "b") == [COMPLETED, IN_PROGRESS]
    assert [each.attempt for each in story.attempts("choose")] == [1, 2, 3]


def merging() -> dict[str, Any]:
    """`a` and `b` at once, both lead to `c`, which waits for neither."""
    return workflow("start > split > a > c > end", "split > b > c", split=PARALLEL)


def test_f4_a_transition_into_what_is_in_progress_does_nothing() -> None:
    story = Story(merging())
    story.complete("a", "b")
    (only,) = story.attempts("c")
    assert (only.status, only.entered_by) == (IN_PROGRESS, ("a-c",))


def test_f4_a_transition_into_what_is_scheduled_does_nothing() -> None:
    raw = merging()
    raw["steps"][3]["retry"] = {"maxAttempts": 2, "backoff": "PT1H"}
    story = Story(raw)
    story.complete("a")
    story.fail("c")
    story.complete("b")
    (only,) = story.attempts("c")
    assert only.is_scheduled


@pytest.mark.parametrize("end", ["complete", "fail", "disable"])
def test_f4_a_transition_into_what_has_ended_enters_it_again(end: str) -> None:
    story = Story(merging())
    story.complete("a")
    getattr(story, end)("c")
    assert story.status() is ExecutionStatus.IN_PROGRESS, "b is still to come"
    story.complete("b")
    assert [each.entered_by for each in story.attempts("c")] == [("a-c",), ("b-c",)]
    assert story.step("c").status is IN_PROGRESS


def test_f5_a_join_waits_for_all_branches_of_a_parallel_split() -> None:
    story = Story(parallel())
    story.complete("b")
    assert (story.step("join").status, story.step("join").entered_by) == (NOT_STARTED, ("b-join",))
    story.complete("a")
    assert (story.step("join").status, story.step("join").entered_by) == (COMPLETED, ("b-join", "a-join"))
    assert story.step("c").status is IN_PROGRESS


@pytest.mark.parametrize("way", ["retry", "disable"])
def test_f5_a_failed_step_holds_the_join_until_it_is_retried_or_skipped(way: str) -> None:
    story = Story(parallel())
    story.fail("a")
    story.complete("b")
    assert story.statuses("join") == [NOT_STARTED]
    assert story.status() is ExecutionStatus.FAILED, "F6"
    getattr(story, way)("a")
    if way == "retry":
        story.complete("a")
    assert story.statuses("join", "c") == [COMPLETED, IN_PROGRESS]


def test_f5_a_scheduled_step_holds_the_join() -> None:
    story = Story(parallel(a={"retry": {"maxAttempts": 2, "backoff": "PT1H"}}))
    story.fail("a")
    story.complete("b")
    assert story.statuses("join") == [NOT_STARTED]
    assert story.status() is ExecutionStatus.IN_PROGRESS
    story.wake("a")
    story.complete("a")
    assert story.statuses("join", "c") == [COMPLETED, IN_PROGRESS]


def test_f5_a_join_is_asked_again_after_every_command_not_only_on_arrival() -> None:
    story = Story(
        workflow(
            "start > split > a > join > last > end",
            "split > b > choose > join",
            "choose > other > last",
            when={"choose > join": "__context__.a"},
            split=PARALLEL,
            choose=EXCLUSIVE,
            join=JOIN,
        )
    )
    story.complete("a")
    assert story.statuses("join") == [NOT_STARTED], "b may still come"
    story.complete("b")
    assert story.statuses("join", "other", "last") == [COMPLETED, IN_PROGRESS, IN_PROGRESS]
    assert story.step("join").entered_by == ("a-join",)


def test_f5_joins_are_examined_in_flow_order() -> None:
    story = Story(
        workflow(
            "start > split > a > first > second > end",
            "split > b > first",
            "split > c > second",
            split=PARALLEL,
            first=JOIN,
            second=JOIN,
        )
    )
    story.complete("c", "b", "a")
    assert story.kinds() == [
        "STEP_COMPLETED a",
        "STEP_ARRIVED first",
        "STEP_STARTED first",
        "STEP_COMPLETED first",
        "STEP_ARRIVED second",
        "STEP_STARTED second",
        "STEP_COMPLETED second",
        "STEP_ARRIVED end",
        "STEP_STARTED end",
        "STEP_COMPLETED end",
        "EXECUTION_COMPLETED",
    ]


def test_f5_a_second_arrival_by_the_same_transition_changes_nothing() -> None:
    """`x` comes round and arrives at the join a second time, while `b` still holds it."""
    story = Story(
        workflow(
            "start > split > x > fork > join > end",
            "fork > x",
            "split > b > join",
            when={"fork > x": "__context__.a"},
            split=PARALLEL,
            fork=INCLUSIVE,
            join=JOIN,
        )
    )
    story.complete("x")
    assert story.step("join").entered_by == ("fork-join",)
    story.disable("b")
    assert story.step("join").status is COMPLETED


def test_f5_opening_uses_the_arrivals_up_and_loops_are_safe() -> None:
    story = Story(
        workflow(
            "start > split > a > join > more > split",
            "split > b > join",
            "more > end",
            when={"more > split": "__context__.b"},
            split=PARALLEL,
            join=JOIN,
            more=EXCLUSIVE,
        ),
        context={"b": True},
    )
    story.complete("a", "b")
    assert [each.attempt for each in story.attempts("join")] == [1], "the next arrival makes the new attempt"
    assert [story.step(each).attempt for each in ("a", "b")] == [2, 2]
    story.complete("b")
    second = story.step("join")
    assert (second.attempt, second.status, second.entered_by) == (2, NOT_STARTED, ("b-join",))
    story.patch({"b": None})
    story.complete("a")
    assert story.status() is ExecutionStatus.COMPLETED


def test_f5_a_way_back_to_the_join_holds_it_only_once_it_is_taken() -> None:
    """Two branches meet at `join`; behind it `again` leads back to it."""
    story = Story(
        workflow(
            "start > split > a > join > fork > again > join",
            "split > b > join",
            "fork > end",
            when={"fork > again": "__context__.a"},
            split=PARALLEL,
            join=JOIN,
            fork=EXCLUSIVE,
        ),
        context={"a": 1},
    )
    story.complete("a")
    story.complete("b")
    assert story.statuses("join", "again") == [COMPLETED, IN_PROGRESS]
    story.complete("again")
    assert (story.step("join").attempt, story.step("join").status) == (2, COMPLETED)
    assert story.step("join").entered_by == ("again-join",)


def test_f6_the_execution_fails_although_end_was_reached() -> None:
    story = Story(merging())
    story.fail("b")
    story.complete("a", "c")
    assert (story.step("end").status, story.step("end").entered_by) == (NOT_STARTED, ("c-end",))
    assert story.status() is ExecutionStatus.FAILED
    story.disable("b")
    story.complete("c")
    assert story.status() is ExecutionStatus.COMPLETED


def test_f6_end_waits_for_what_is_still_in_progress() -> None:
    story = Story(workflow("start > split > a > last > end", "split > b > last", split=PARALLEL))
    story.complete("a")
    story.complete("last")
    assert (story.step("end").status, story.step("end").entered_by) == (NOT_STARTED, ("last-end",))
    story.complete("b")
    story.complete("last")
    assert story.step("end").entered_by == ("last-end",)
    assert story.status() is ExecutionStatus.COMPLETED


def circle(**steps: Any) -> dict[str, Any]:
    """`a`, then `b` again and again as long as the context says so; `b` is disabled, so nothing waits in the circle."""
    return workflow(
        "start > a > b > more > b",
        "more > end",
        when={"more > b": "__context__.b"},
        b=DEFAULT_DISABLED,
        more=EXCLUSIVE,
        **steps,
    )


def test_f7_one_command_passes_a_step_so_often_and_then_its_next_attempt_fails() -> None:
    story = Story(circle(), context={"b": True})
    story.complete("a")
    attempts = story.attempts("b")
    assert len(attempts) == Limits().passes_per_command + 1 == 101
    assert [each.status for each in attempts] == [DISABLED] * 100 + [FAILED]
    assert (attempts[-1].failure_code, attempts[-1].entered_by) == ("LOOP_LIMIT", ("more-b",))
    assert attempts[-1].started_at == story.tree.now
    assert story.status() is ExecutionStatus.FAILED


def test_f7_counts_by_command_so_that_a_retry_goes_on() -> None:
    story = Story(circle(), context={"b": True}, limits=Limits(passes_per_command=3))
    story.complete("a")
    story.retry("b")
    assert (story.step("b").attempt, story.step("b").failure_code) == (8, "LOOP_LIMIT")
    story.patch({"b": None})
    story.retry("b")
    assert story.status() is ExecutionStatus.COMPLETED


def test_f7_a_join_that_met_the_limit_opens_after_its_retry_by_the_rule_of_joins() -> None:
    raw = workflow(
        "start > a > join > b > more > join",
        "more > end",
        when={"more > join": "__context__.b"},
        b=enabled_when("__context__.a"),
        join=JOIN,
        more=EXCLUSIVE,
    )
    story = Story(raw, context={"b": True}, limits=Limits(passes_per_command=3))
    story.complete("a")
    assert story.step("join").failure_code == "LOOP_LIMIT"
    story.patch({"a": 1})
    story.retry("join")
    assert (story.step("join").status, story.step("join").entered_by) == (COMPLETED, ("more-join",))
    assert story.step("b").status is IN_PROGRESS
