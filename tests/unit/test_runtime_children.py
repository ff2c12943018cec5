"""Sub-workflows: what starts, what is passed down and up (`runtime.md` C1, C2, X1, X2), over a tree in memory."""

from typing import Any

import pytest

from db.runtime.limits import Limits
from db.runtime.statuses import ExecutionStatus
from db.runtime.versions import VersionStatus
from tests.model.families import EMPTY, LEAF, THROWS, failure
from tests.model.memory import JSON
from tests.model.story import (
    COMPLETED,
    DISABLED,
    EXCLUSIVE,
    IN_PROGRESS,
    Story,
    batch,
    child,
    constant,
    enabled_when,
    expression,
    field,
    parent,
    workflow,
)

E = ExecutionStatus


# C1: starting


def test_c1_a_single_child_knows_its_parent_root_correlation_and_name() -> None:
    story = Story(LEAF, parent(child("leaf")))
    (one,) = story.children("kids")
    assert (one.parent_id, one.root_id, one.correlation_id) == (story.root.id, story.root.id, "correlation")
    assert (one.name, one.child_index, one.depth) == ("Leaf", 0, 1)
    assert (one.runtime_status, one.parent_step_id) == (E.IN_PROGRESS, story.step("kids").id)
    assert (story.root.parent_id, story.root.depth, story.root.child_index) == (None, 0, None)
    assert story.statuses("kids", "after") == [IN_PROGRESS, story.step("end").status]


def test_c1_a_batch_starts_a_child_for_each_item_in_one_command() -> None:
    kids = batch(
        "leaf", inputMapping=[expression("who", "__each__.id")], childWorkflowName={"src": "__each__.id"}
    )
    story = Story(LEAF, parent(kids), context={"items": [{"id": "x"}, {"id": "y"}, {"id": "z"}]})
    children = story.children("kids")
    assert [each.name for each in children] == ["x", "y", "z"]
    assert [story.tree.context(each.id) for each in children] == [{"who": "x"}, {"who": "y"}, {"who": "z"}]
    assert [each.child_index for each in children] == [0, 1, 2]
    assert story.step("kids").open_children == 3
    assert len({change.at for change in story.tree.journal}) == 1


@pytest.mark.parametrize(
    ("value", "name"),
    [(None, "Leaf"), ("", "Leaf"), (7, "7"), (True, "true"), ({"a": [None]}, '{"a":[null]}')],
)
def test_c1_a_name_is_text_and_the_templates_where_there_is_none(value: Any, name: str) -> None:
    story = Story(
        LEAF, parent(child("leaf", childWorkflowName={"src": "__context__.n"})), context={"n": value}
    )
    assert story.children("kids")[0].name == name


@pytest.mark.parametrize(
    ("items", "count"),
    [(None, 0), ("missing", 0), ([], 0), ("one", 1), (0, 1), ({"id": 1}, 1), ([5], 1), ([1, 2], 2)],
)
def test_x1_a_scalar_is_one_item_and_nothing_and_null_are_none(items: Any, count: int) -> None:
    context = {} if items == "missing" else {"items": items}
    story = Story(LEAF, parent(batch("leaf")), context=context)
    assert len(story.children("kids")) == count


def test_c1_items_may_come_from_the_output_of_a_step() -> None:
    from_step = {"type": "STEP", "stepId": "first", "select": {"src": "items"}}
    raw = workflow("start > first > kids > end", kids=batch("leaf", iterable=from_step))
    story = Story(LEAF, raw)
    story.complete("first", output={"items": [1, 2]})
    assert len(story.children("kids")) == 2


def test_c1_every_attempt_lists_its_own_children() -> None:
    raw = workflow(
        "start > kids > more > kids",
        "more > end",
        when={"more > kids": "__context__.b"},
        kids=child("leaf"),
        more=EXCLUSIVE,
    )
    story = Story(LEAF, raw, context={"b": True})
    (one,) = story.children("kids")
    story.complete("do", within=one)
    (two,) = story.children("kids")
    assert one.id != two.id
    first, second = story.attempts("kids")
    assert [each.id for each in story.tree.children(first.id)] == [one.id]
    assert (story.again(one).parent_step_id, two.parent_step_id) == (first.id, second.id)


def test_c1_children_of_children_three_levels_down() -> None:
    middle = workflow("start > kids > end", key="middle", kids=batch("leaf"))
    top = workflow(
        "start > kids > end", kids=child("middle", inputMapping=[field("items", "CONTEXT", "items")])
    )
    story = Story(LEAF, middle, top, context={"items": [1, 2]})
    (below,) = story.children("kids")
    lowest = story.children("kids", below)
    assert [each.depth for each in (story.root, below, *lowest)] == [0, 1, 2, 2]
    assert {each.root_id for each in lowest} == {story.root.id}
    for each in lowest:
        story.complete("do", within=each)
    assert story.status() is E.COMPLETED, "two ends in one command"
    assert story.kinds().count("EXECUTION_COMPLETED") == 3


# Mappings


def mapped(mappings: list[JSON], context: JSON | None = None) -> Story:
    return Story(LEAF, parent(child("leaf", inputMapping=mappings)), context=context)


@pytest.mark.parametrize(
    ("mappings", "expected"),
    [
        ([constant("a", 1), constant("a", 2)], {"a": 2}),
        ([constant("a.b.c", 1), constant("a.b.d", 2)], {"a": {"b": {"c": 1, "d": 2}}}),
        ([constant("a", None)], {"a": None}),
        ([expression("a", "__context__.none"), expression("b", "__context__.nil")], {}),
        (
            [field("a", "CONTEXT", "none"), field("b", "CONTEXT", "nil"), field("c", "CONTEXT", "deep.x.y")],
            {},
        ),
        ([field("a", "CONTEXT", "deep.x"), field("b", "CONTEXT", "items.1")], {"a": 1, "b": 6}),
        ([constant("a", 1, mode="append"), constant("a", 2, mode="append")], {"a": [1, 2]}),
        ([constant("a", [1]), field("a", "CONTEXT", "items", mode="append")], {"a": [1, 5, 6]}),
        ([expression("a", "__context__.none", mode="append")], {}),
        ([field("all", "CONTEXT", "deep")], {"all": {"x": 1}}),
    ],
)
def test_c1_x1_mappings_set_and_append_at_dot_paths_and_nothing_sets_nothing(
    mappings: list[JSON], expected: JSON
) -> None:
    story = mapped(mappings, {"items": [5, 6], "deep": {"x": 1}, "nil": None})
    assert story.tree.context(story.children("kids")[0].id) == expected


@pytest.mark.parametrize(
    "mappings",
    [
        [constant("a", 1), constant("a.b", 2)],
        [constant("a", 1), constant("a", 2, mode="append")],
        [expression("a", THROWS)],
    ],
    ids=["no object", "no list", "throws"],
)
def test_x2_a_mapping_that_cannot_be_applied_fails_the_step(mappings: list[JSON]) -> None:
    story = mapped(mappings, {"bad": 1})
    assert failure(story) == "EXPRESSION_FAILED"
    assert story.children("kids") == []
    assert story.tree.size == 1


def test_x1_the_item_is_there_in_a_batch_only() -> None:
    mapping = [expression("each", "$exists(__each__)")]
    single = mapped(mapping)
    assert single.tree.context(single.children("kids")[0].id) == {"each": False}
    story = Story(LEAF, parent(batch("leaf", inputMapping=mapping)), context={"items": [None, 0]})
    assert [story.tree.context(each.id) for each in story.children("kids")] == [{"each": True}] * 2


def test_c1_mappings_read_the_outputs_of_steps() -> None:
    raw = workflow(
        "start > first > kids > end",
        kids=child("leaf", inputMapping=[field("x", "STEP", "deep.y", step="first")]),
    )
    story = Story(LEAF, raw)
    story.complete("first", output={"deep": {"y": [1]}})
    assert story.tree.context(story.children("kids")[0].id) == {"x": [1]}


# X2: what the step does not get


@pytest.mark.parametrize("kids", [batch("leaf", THROWS), child("leaf", childWorkflowName={"src": THROWS})])
def test_x2_an_expression_that_throws_fails_the_step(kids: JSON) -> None:
    story = Story(LEAF, parent(kids), context={"bad": 1})
    assert failure(story) == "EXPRESSION_FAILED"
    assert story.status() is E.FAILED
    story.patch({"bad": None, "a": 1})
    story.retry("kids")
    assert len(story.children("kids")) == 1, "C5: it had no children, so everything is read again"


def test_x2_a_context_that_breaks_the_childs_schema_fails_the_step_and_creates_nothing() -> None:
    leaf = workflow("start > do > end", key="leaf", context_schema={"properties": {"n": {"type": "integer"}}})
    kids = batch("leaf", inputMapping=[expression("n", "__each__")])
    story = Story(leaf, parent(kids), context={"items": [1, "two", 3]})
    assert failure(story) == "CHILD_CONTEXT_INVALID"
    assert "/n" in (story.step("kids").failure_message or "")
    assert story.tree.size == 1


def test_x2_without_an_active_version_the_step_fails() -> None:
    story = Story(LEAF, parent(child("leaf")), start=False)
    story.library.versions["tver_leaf"].is_active = False
    story.start()
    assert failure(story) == "CHILD_UNAVAILABLE"
    story.library.versions["tver_leaf"].is_active = True
    story.retry("kids")
    assert story.step("kids").status is IN_PROGRESS


def test_d1_a_pinned_version_still_runs_when_it_is_deprecated() -> None:
    kids = {"type": "sys.sub_workflow", "mode": "SINGLE", "childWorkflowTemplateVersionId": "tver_leaf"}
    story = Story(LEAF, parent(kids), start=False)
    story.library.versions["tver_leaf"].status = VersionStatus.DEPRECATED
    story.library.versions["tver_leaf"].is_active = False
    story.start()
    assert len(story.children("kids")) == 1


# C2: ending


def test_c2_the_step_completes_when_all_children_have_and_shows_what_they_came_to() -> None:
    kids = batch("leaf", inputMapping=[expression("n", "__each__")])
    story = Story(LEAF, parent(kids), context={"items": [7, 8]})
    one, two = story.children("kids")
    story.complete("do", output={"x": 1}, within=two)
    assert story.step("kids").open_children == 1
    story.complete("do", within=one)
    assert story.statuses("kids", "after") == [COMPLETED, IN_PROGRESS]
    common = {"name": "Leaf", "runtimeStatus": "Completed"}
    assert story.output("kids") == {
        "children": [
            {"id": one.id, "index": 0, **common, "context": {"n": 7}, "outputs": {"do": {}}},
            {"id": two.id, "index": 1, **common, "context": {"n": 8}, "outputs": {"do": {"x": 1}}},
        ]
    }


def test_c2_a_child_that_ends_at_once_is_shown_too() -> None:
    story = Story(EMPTY, parent(child("empty", inputMapping=[constant("a", 1)])))
    (one,) = story.children("kids")
    assert story.step("kids").status is COMPLETED
    assert story.output("kids")["children"][0] == {
        "id": one.id, "index": 0, "name": "Empty", "runtimeStatus": "Completed", "context": {"a": 1}, "outputs": {},
    }  # fmt: skip


def test_c2_an_empty_batch_completes_at_once_with_no_children() -> None:
    story = Story(LEAF, parent(batch("leaf")))
    assert (story.step("kids").status, story.output("kids")) == (COMPLETED, {"children": []})


@pytest.mark.parametrize("end", ["fail", "cancel"])
def test_c2_a_child_that_failed_or_was_cancelled_fails_the_step_once_all_have_ended(end: str) -> None:
    story = Story(LEAF, parent(batch("leaf")), context={"items": [1, 2]})
    one, two = story.children("kids")
    story.fail("do", within=one) if end == "fail" else story.cancel(one)
    assert story.step("kids").status is IN_PROGRESS
    story.complete("do", within=two)
    assert failure(story) == "CHILD_FAILED"
    message = story.step("kids").failure_message or ""
    assert one.id in message
    assert two.id not in message
    assert story.status() is E.FAILED


def test_c2_outputs_that_pass_the_bound_are_left_out_of_all() -> None:
    story = Story(LEAF, parent(batch("leaf")), context={"items": [1, 2]}, limits=Limits(output_bytes=400))
    one, two = story.children("kids")
    story.complete("do", output={"text": "x" * 300}, within=one)
    story.complete("do", within=two)
    output = story.output("kids")
    assert output["truncated"] is True
    assert output["children"] == [
        {"id": each.id, "index": index, "name": "Leaf", "runtimeStatus": "Completed"}
        for index, each in enumerate((one, two))
    ]


def test_c2_an_output_that_a_later_attempt_hides_is_not_shown() -> None:
    """The child's last command enters `do` again, which its policy has disabled: it has no output any more."""
    leaf = workflow(
        "start > do > choose > more > do",
        "choose > end",
        key="leaf",
        when={"choose > more": "__steps__.do.outputData.again"},
        do=enabled_when("__context__.a = 1"),
        choose=EXCLUSIVE,
    )
    story = Story(leaf, parent(child("leaf", inputMapping=[constant("a", 1)])))
    (one,) = story.children("kids")
    story.complete("do", output={"again": True}, within=one)
    story.patch({"a": 0}, one)
    story.complete("more", output={"x": 1}, within=one)
    assert [each.status for each in story.attempts("do", within=one)] == [COMPLETED, DISABLED]
    assert story.output("kids")["children"][0]["outputs"] == {"more": {"x": 1}}
