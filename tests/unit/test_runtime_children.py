"""Sub-workflows: what starts, what is passed down and up, cancelling and retrying (`runtime.md` C1 to C5, X1, X2)."""

from typing import Any

import pytest

from db.runtime.errors import InvalidTransition
from db.runtime.limits import Limits
from db.runtime.statuses import ExecutionStatus
from db.runtime.values import Execution
from db.runtime.versions import VersionStatus
from tests.model.memory import JSON
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
    enabled_when,
    workflow,
)

LEAF = workflow("start > do > end", key="leaf")
EMPTY = workflow("start > end", key="empty")
THROWS = "__context__.bad ? $error('boom') : __context__.a"
E = ExecutionStatus


def parent(kids: JSON, **keys: Any) -> JSON:
    return workflow("start > kids > after > end", kids=kids, **keys)


def constant(target: str, value: Any, **keys: Any) -> JSON:
    return {"targetPath": target, "value": {"type": "const", "value": value}, **keys}


def field(target: str, source: str, path: str, **keys: Any) -> JSON:
    step = {"stepId": keys.pop("step")} if "step" in keys else {}
    return {
        "targetPath": target,
        "value": {"type": "field", "ref": {"source": source, "path": path, **step}},
        **keys,
    }


def expression(target: str, src: str, **keys: Any) -> JSON:
    return {"targetPath": target, "value": {"type": "expr", "expr": {"src": src}}, **keys}


def failure(story: Story, step_id: str = "kids", within: Execution | None = None) -> str | None:
    step = story.step(step_id, within)
    assert (step.status is FAILED) == (step.failure_code is not None)
    return step.failure_code


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
