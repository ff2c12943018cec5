"""Why a step stands as it does (`runtime.md` S5, F5), told of a tree in memory."""

from db.runtime.explanation import Explanation, explain
from db.runtime.tree import Tree
from db.runtime.values import Execution
from tests.model.story import EXCLUSIVE, JOIN, PARALLEL, Story, child, enabled_when, workflow

LEAF = workflow("start > do > end", key="leaf")
BOTH = workflow("start > split > a > join > c > end", "split > b > join", split=PARALLEL, join=JOIN)


def explanation(story: Story, step_id: str, within: Execution | None = None) -> Explanation:
    """Of the current attempt, with what its policy read when it last decided."""
    step = story.step(step_id, within)
    rows = story.tree
    tree = Tree(root_id=rows.root_id, revision=len(rows.journal), now=rows.now)
    tree.put(
        rows.executions[step.execution_id],
        rows.current(step.execution_id),
        rows.definition(step.execution_id),
    )
    details = [each.detail for each in rows.journal if each.step_execution_id == step.id and each.detail]
    return explain(tree, step, details[-1] if details else None)


def test_a_join_names_the_steps_that_can_still_arrive() -> None:
    story = Story(BOTH)
    story.complete("a")
    found = explanation(story, "join")
    assert found.waiting_for == [story.step("b").id]
    assert "'b'" in found.summary


def test_a_step_that_flow_has_not_reached_names_where_it_may_come_from() -> None:
    story = Story(BOTH)
    assert explanation(story, "c").waiting_for == [story.step("a").id, story.step("b").id]
    assert explanation(story, "join").waiting_for == explanation(story, "c").waiting_for


def test_a_branch_that_was_not_taken_waits_for_nothing() -> None:
    story = Story(
        workflow(
            "start > choose > a > last > end",
            "choose > b > last",
            when={"choose > a": "__context__.a"},
            choose=EXCLUSIVE,
        )
    )
    found = explanation(story, "a")
    assert found.waiting_for == []
    assert "no step from which it could come" in found.summary


def test_a_failed_step_says_what_helps_and_holds_the_join() -> None:
    story = Story(BOTH)
    story.fail("a")
    found = explanation(story, "a")
    assert "BROKEN: It broke." in found.summary
    assert "retryStep" in found.summary
    story.retry("a")
    story.complete("b")
    story.fail("a")
    assert "before the execution was FAILED" in explanation(story, "join").summary


def test_a_scheduled_step_says_when() -> None:
    story = Story(workflow("start > a > end", a={"retry": {"maxAttempts": 2, "backoff": "PT1H"}}))
    story.fail("a")
    assert "is scheduled for 2026-01-01T13:00:02.000000Z" in explanation(story, "a").summary


def test_a_step_in_progress_says_whom_it_waits_for() -> None:
    story = Story(LEAF, workflow("start > kids > task > end", kids=child("leaf"), task={"type": "sys.task"}))
    assert "1 of its children" in explanation(story, "kids").summary
    (one,) = story.children("kids")
    assert "a person" in explanation(story, "do", one).summary
    story.complete("do", within=one)
    assert "a worker" in explanation(story, "task").summary


def test_a_step_that_its_policy_disabled_shows_the_expression() -> None:
    story = Story(workflow("start > a > b > end", b=enabled_when("__context__.a = 1")))
    found = explanation(story, "b")
    assert found.expression == "__context__.a = 1"
    assert "flow will go through it" in found.summary
    story.disable("a")
    assert "flow has gone through it" in explanation(story, "b").summary
    assert explanation(story, "a").expression is None


def test_an_execution_that_has_not_been_started_says_so() -> None:
    assert "not been started" in explanation(Story(BOTH, start=False), "a").summary
