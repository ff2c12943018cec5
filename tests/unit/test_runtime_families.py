"""Cancelling, bounds and retrying across parents and children (`runtime.md` C3 to C5), over a tree in memory."""

from typing import Any

import pytest

from db.runtime.errors import InvalidTransition
from db.runtime.limits import Limits
from db.runtime.statuses import ExecutionStatus
from tests.model.families import EMPTY, LEAF, THROWS, failure
from tests.model.story import (
    COMPLETED,
    DISABLED,
    EXCLUSIVE,
    FAILED,
    IN_PROGRESS,
    JOIN,
    PARALLEL,
    Story,
    batch,
    child,
    expression,
    field,
    parent,
    workflow,
)

E = ExecutionStatus


# C3: cancelling


def grandchildren(**keys: Any) -> Story:
    """A root, two children, and below each a grandchild; `keys` are those of the children's step."""
    middle = workflow("start > kids > end", key="middle", kids=child("leaf", **keys))
    return Story(LEAF, middle, parent(batch("middle")), context={"items": [1, 2]})


def test_c3_cancelling_goes_down_to_every_descendant_that_has_not_ended() -> None:
    story = grandchildren()
    one, two = story.children("kids")
    (below,) = story.children("kids", one)
    story.complete("do", within=below)
    story.cancel()
    statuses = [each.runtime_status for each in story.tree.executions.values()]
    assert sorted(statuses) == sorted([E.CANCELLED, E.CANCELLED, E.CANCELLED, E.COMPLETED, E.COMPLETED])
    kinds = [each for each in story.kinds() if "STEP" not in each]
    assert kinds == ["EXECUTION_CANCELLED"] * 3
    order = [each.execution_id for each in story.tree.journal if each.kind == "EXECUTION_CANCELLED"]
    assert order == [story.root.id, two.id, story.children("kids", two)[0].id], "from the top down"


def test_c3_abandoned_children_opt_out_and_are_on_their_own() -> None:
    story = grandchildren(onParentClose="ABANDON")
    one, two = story.children("kids")
    lowest = [story.children("kids", each)[0] for each in (one, two)]
    story.cancel()
    assert {story.again(each).runtime_status for each in (one, two)} == {E.CANCELLED}
    assert {story.again(each).runtime_status for each in lowest} == {E.IN_PROGRESS}
    story.complete("do", within=lowest[0])
    assert story.again(lowest[0]).runtime_status is E.COMPLETED
    story.cancel(lowest[1])
    assert story.again(lowest[1]).runtime_status is E.CANCELLED


def test_c3_a_child_that_was_abandoned_by_an_earlier_attempt_is_not_cancelled_either() -> None:
    raw = workflow(
        "start > split > kids > join > end",
        "split > b > kids",
        "split > c > join",
        split=PARALLEL,
        join=JOIN,
        kids=child("leaf", onParentClose="ABANDON"),
    )
    story = Story(LEAF, raw)
    (abandoned,) = story.children("kids")
    story.disable("kids")
    story.complete("b")
    assert story.step("kids").attempt == 2
    story.cancel()
    assert story.again(abandoned).runtime_status is E.IN_PROGRESS


def test_c3_a_child_cancelled_by_itself_fails_the_step_above() -> None:
    story = grandchildren()
    one, _ = story.children("kids")
    (below,) = story.children("kids", one)
    story.cancel(below)
    assert failure(story, within=one) == "CHILD_FAILED"
    assert story.again(one).runtime_status is E.FAILED
    assert story.step("kids").status is IN_PROGRESS, "its other child runs on"


# C4: bounds


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        (Limits(batch_items=2), "batch"),
        (Limits(executions_per_tree=3), "tree"),
        (Limits(executions_per_command=3), "command"),
        # Three contexts of two bytes each, `{}`.
        (Limits(contexts_bytes_per_command=5), "contexts"),
    ],
)
def test_c4_a_batch_that_would_pass_a_bound_fails_and_nothing_of_it_is_created(
    limits: Limits, named: str
) -> None:
    story = Story(LEAF, parent(batch("leaf")), context={"items": [1, 2, 3]}, limits=limits)
    assert failure(story) == "LIMIT_EXCEEDED"
    assert named in (story.step("kids").failure_message or "")
    assert story.tree.size == 1


def test_c4_ten_thousand_items_and_one_are_refused_by_default() -> None:
    story = Story(EMPTY, parent(batch("empty")), context={"items": list(range(10_001))})
    assert failure(story) == "LIMIT_EXCEEDED"


def test_c4_what_one_command_has_created_counts_though_it_has_not_begun() -> None:
    """A batch of three, each of which starts one more: three and three, and the root, are seven."""
    middle = workflow("start > kids > end", key="middle", kids=child("empty"))
    for most, failed in ((7, 0), (6, 1), (4, 3)):
        story = Story(
            EMPTY,
            middle,
            parent(batch("middle")),
            context={"items": [1, 2, 3]},
            limits=Limits(executions_per_command=most),
        )
        assert story.kinds().count("EXECUTION_STARTED") <= most
        statuses = [each.runtime_status for each in story.children("kids")]
        assert statuses.count(E.FAILED) == failed, most


def test_c4_a_template_that_runs_itself_fails_at_the_depth_bound() -> None:
    own = workflow("start > kids > end", kids=child("root"))
    story = Story(own)
    depths = [each.depth for each in story.tree.executions.values()]
    assert max(depths) == Limits().nesting_depth == 32
    deepest = max(story.tree.executions.values(), key=lambda each: each.depth)
    assert failure(story, within=deepest) == "LIMIT_EXCEEDED"
    assert {each.runtime_status for each in story.tree.executions.values()} == {E.FAILED}


# C5: retrying


def test_c5_a_retry_inside_a_child_reopens_it_and_the_step_above_goes_on() -> None:
    story = Story(LEAF, parent(batch("leaf")), context={"items": [1, 2]})
    one, two = story.children("kids")
    story.fail("do", within=one)
    assert story.step("kids").open_children == 1
    story.retry("do", within=one)
    assert story.again(one).runtime_status is E.IN_PROGRESS
    assert [(each.attempt, each.open_children) for each in story.attempts("kids")] == [(1, 2)]
    story.complete("do", within=one)
    story.complete("do", within=two)
    assert story.step("kids").status is COMPLETED


def test_c5_if_the_step_above_has_failed_it_gets_a_new_attempt_with_the_same_children() -> None:
    story = Story(LEAF, parent(batch("leaf")), context={"items": [1, 2]})
    one, two = story.children("kids")
    story.complete("do", within=one)
    story.fail("do", within=two)
    assert (story.step("kids").status, story.status()) == (FAILED, E.FAILED)
    story.retry("do", within=two)
    assert story.status() is E.IN_PROGRESS
    again = story.step("kids")
    assert (again.attempt, again.status, again.open_children) == (2, IN_PROGRESS, 1)
    assert [each.id for each in story.children("kids")] == [one.id, two.id]
    assert {each.parent_step_id for each in story.children("kids")} == {again.id}, (
        "C1: parentStep is the newest"
    )
    story.complete("do", within=two)
    assert story.statuses("kids", "after") == [COMPLETED, IN_PROGRESS]


def test_c5_the_new_attempt_has_a_due_date_of_its_own() -> None:
    story = Story(LEAF, parent({**child("leaf"), "dueIn": "P1D"}))
    (one,) = story.children("kids")
    story.fail("do", within=one)
    story.retry("do", within=one)
    first, second = story.attempts("kids")
    assert first.due_at is not None
    assert second.due_at is not None
    assert second.due_at > first.due_at


def test_c5_reopening_goes_up_through_all_parents_from_the_top_down() -> None:
    story = grandchildren()
    one, two = story.children("kids")
    (low,), (other,) = story.children("kids", one), story.children("kids", two)
    story.fail("do", within=low)
    story.fail("do", within=other)
    assert {each.runtime_status for each in story.tree.executions.values()} == {E.FAILED}
    story.retry("do", within=low)
    assert [story.again(each).runtime_status for each in (story.root, one, low)] == [E.IN_PROGRESS] * 3
    assert [story.again(each).runtime_status for each in (two, other)] == [E.FAILED] * 2
    assert story.kinds() == [
        "EXECUTION_REOPENED", "STEP_CREATED kids", "STEP_STARTED kids",
        "EXECUTION_REOPENED", "STEP_CREATED kids", "STEP_STARTED kids",
        "EXECUTION_REOPENED", "STEP_CREATED do", "STEP_STARTED do",
    ]  # fmt: skip
    story.retry("do", within=other)
    assert story.step("kids").attempt == 2, "the root's step is in progress and goes on"
    for each in (low, other):
        story.complete("do", within=each)
    assert story.statuses("kids", "after") == [COMPLETED, IN_PROGRESS]


def test_c5_skipping_reopens_like_a_retry() -> None:
    story = grandchildren()
    one, two = story.children("kids")
    for each in (one, two):
        story.fail("do", within=story.children("kids", each)[0])
    story.disable("do", within=story.children("kids", one)[0])
    assert story.again(one).runtime_status is E.COMPLETED
    assert story.status() is E.FAILED, "reopened, and failed again for its other child"
    assert "EXECUTION_REOPENED" in story.kinds()


def test_c5_a_retry_of_the_step_keeps_children_that_completed_and_replaces_the_others() -> None:
    kids = batch("leaf", inputMapping=[expression("n", "__each__"), field("note", "CONTEXT", "note")])
    story = Story(LEAF, parent(kids), context={"items": [1, 2, 3]})
    one, two, three = story.children("kids")
    story.complete("do", within=two)
    story.fail("do", within=one)
    story.cancel(three)
    story.patch({"items": [9], "note": "new"})
    story.retry("kids")
    after = story.children("kids")
    assert after[1].id == two.id
    assert {after[0].id, after[2].id} & {one.id, three.id} == set()
    assert [story.tree.context(each.id) for each in after] == [
        {"n": 1, "note": "new"}, {"n": 2}, {"n": 3, "note": "new"},
    ]  # fmt: skip
    assert isinstance(story.refused("retry", "do", within=one), InvalidTransition), (
        "it is not linked any more"
    )
    for each in (after[0], after[2]):
        story.complete("do", within=each)
    assert story.step("kids").status is COMPLETED
    assert [each["id"] for each in story.output("kids")["children"]] == [each.id for each in after]


def test_c5_kept_and_new_children_are_listed_in_index_order_though_all_end_at_once() -> None:
    leaf = workflow(
        "start > check > last > end",
        "check > do > last",
        key="leaf",
        when={"check > do": THROWS},
        check=EXCLUSIVE,
        last={"activationPolicy": {"defaultStatus": "Disabled"}},
    )
    kids = batch("leaf", inputMapping=[field("bad", "CONTEXT", "bad")])
    story = Story(leaf, parent(kids), context={"items": [1, 2, 3], "bad": True})
    _, two, _ = story.children("kids")
    story.patch({"bad": None}, two)
    story.retry("check", within=two)
    assert story.again(two).runtime_status is E.COMPLETED
    story.patch({"bad": None})
    story.retry("kids")
    assert story.step("kids").status is COMPLETED
    shown = story.output("kids")["children"]
    assert [each["index"] for each in shown] == [0, 1, 2]
    assert shown[1]["id"] == two.id


def test_c5_a_retry_that_fails_for_want_of_a_version_keeps_the_items_and_what_completed() -> None:
    story = Story(LEAF, parent(batch("leaf")), context={"items": [1, 2]})
    one, two = story.children("kids")
    story.complete("do", within=one)
    story.fail("do", within=two)
    story.library.versions["tver_leaf"].is_active = False
    story.patch({"items": [1, 2, 3, 4]})
    story.retry("kids")
    assert failure(story) == "CHILD_UNAVAILABLE"
    story.library.versions["tver_leaf"].is_active = True
    story.retry("kids")
    after = story.children("kids")
    assert [each.child_index for each in after] == [0, 1]
    assert after[0].id == one.id
    assert after[1].id != two.id


def test_c5_re_entry_by_flow_reads_everything_anew() -> None:
    raw = workflow(
        "start > kids > more > kids",
        "more > end",
        when={"more > kids": "__context__.b"},
        kids=batch("leaf"),
        more=EXCLUSIVE,
    )
    story = Story(LEAF, raw, context={"b": True, "items": [1]})
    story.patch({"items": [1, 2]})
    story.complete("do", within=story.children("kids")[0])
    assert len(story.children("kids")) == 2
    assert [each.child_index for each in story.children("kids")] == [0, 1]


def test_c5_is_refused_below_an_ancestor_that_is_cancelled() -> None:
    story = grandchildren(onParentClose="ABANDON")
    one, _ = story.children("kids")
    (low,) = story.children("kids", one)
    story.cancel()
    story.fail("do", within=low)
    for command in ("retry", "disable"):
        assert isinstance(story.refused(command, "do", within=low), InvalidTransition)


def test_c5_is_refused_where_the_step_above_was_skipped() -> None:
    story = Story(LEAF, parent(child("leaf")))
    (one,) = story.children("kids")
    story.fail("do", within=one)
    story.disable("kids")
    assert story.statuses("kids", "after") == [DISABLED, IN_PROGRESS]
    assert isinstance(story.refused("retry", "do", within=one), InvalidTransition)


@pytest.mark.parametrize("command", ["patch", "disable"])
def test_c2_a_command_on_a_failed_child_is_not_told_above_a_second_time(command: str) -> None:
    leaf = workflow("start > do > then > end", key="leaf")
    story = Story(leaf, parent(batch("leaf")), context={"items": [1, 2]})
    one, _ = story.children("kids")
    story.fail("do", within=one)
    story.patch({"a": 1}, one) if command == "patch" else story.disable("then", within=one)
    assert (story.step("kids").status, story.step("kids").open_children) == (IN_PROGRESS, 1)
