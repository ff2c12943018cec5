"""Every rule of `runtime.md` section 2, each broken alone; the valid definitions break none."""

import json
from collections.abc import Callable
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from db.runtime.limits import Limits
from db.runtime.validation import (
    Catalogue,
    Issue,
    IssueCode,
    KnownVersion,
    Severity,
    definition_schema,
    validate_definition,
)

Raw = dict[str, Any]
DEFINITIONS = Path(__file__).parent.parent / "data" / "definitions"
SCHEMA = jsonschema_rs.validator_for(definition_schema())
SHAPES = ("UNKNOWN_KEY", "TYPE_MISMATCH", "ID_INVALID", "STATUS_NOT_ALLOWED", "MISSING_BATCH_ITERATOR")
# What no database can store, and a step that is not there.
UNSEEN = ("/steps/1/ui", "/steps/1/ui/x", "/steps/1/iterable/stepId")
CATALOGUE = Catalogue(
    versions={
        "tver_dsc": KnownVersion(is_published=True, template_key="dsc"),
        "tver_draft": KnownVersion(is_published=False, template_key="dsc"),
    },
    active_versions={"dsc": "tver_dsc", "idle": None},
    template_key="mine",
)


def step(step_id: str, step_type: str = "human.form", **more: Any) -> Raw:
    return {"id": step_id, "type": step_type, "name": step_id.title(), **more}


def definition(steps: list[Raw], arrows: list[tuple[str, str] | tuple[str, str, Raw]], **more: Any) -> Raw:
    """A definition of `start`, these steps and `end`, with transitions `t0`, `t1` … for the arrows."""
    transitions = [
        {
            "id": f"t{index}",
            "fromStepId": arrow[0],
            "toStepId": arrow[1],
            **(arrow[2] if len(arrow) > 2 else {}),
        }
        for index, arrow in enumerate(arrows)
    ]
    return {
        "id": "example",
        "name": "Example",
        "steps": [step("start", "start"), *steps, step("end", "end")],
        "stepTransitions": transitions,
        **more,
    }


def sequence(*steps: Raw, **more: Any) -> Raw:
    """start → these steps → end."""
    ids = ["start", *(each["id"] for each in steps), "end"]
    return definition(list(steps), list(pairwise(ids)), **more)


def exclusive(first: Raw, second: Raw) -> Raw:
    """An exclusive split whose two transitions have these keys; its branches meet at `b`."""
    return definition(
        [step("choose", "gateway.exclusive_split"), step("a"), step("b")],
        [("start", "choose"), ("choose", "a", first), ("choose", "b", second), ("a", "b"), ("b", "end")],
    )


def parallel(*, meeting: str) -> Raw:
    """Two branches at once that meet at a step of this type."""
    return definition(
        [step("split", "gateway.parallel_split"), step("a"), step("b"), step("meet", meeting)],
        [("start", "split"), ("split", "a"), ("split", "b"), ("a", "meet"), ("b", "meet"), ("meet", "end")],
    )


def child(**keys: Any) -> Raw:
    return step("kids", "sys.sub_workflow", **{"mode": "SINGLE", "childWorkflowTemplateKey": "dsc", **keys})


WHEN = {"condition": {"src": "__context__.yes"}}
DEFAULT = {"isDefault": True}
EACH = {"type": "EXPRESSION", "expr": {"src": "__context__.items"}}


def validate(raw: object, **limits: int) -> list[Issue]:
    return validate_definition(raw, CATALOGUE, Limits(**limits))


def found(raw: object) -> set[tuple[str, str]]:
    return {(issue.code, issue.path) for issue in validate(raw)}


VALID: dict[str, Raw] = {
    "minimal": sequence(),
    "sequence": sequence(step("a"), step("b", "sys.task", retry={"maxAttempts": 3, "backoff": "PT1S"})),
    "exclusive": exclusive(WHEN, DEFAULT),
    "parallel": parallel(meeting="gateway.parallel_join"),
    "loop with a step that waits": definition(
        [step("work"), step("again", "gateway.exclusive_split")],
        [("start", "work"), ("work", "again"), ("again", "work", WHEN), ("again", "end", DEFAULT)],
    ),
    "inclusive": definition(
        [
            step("some", "gateway.inclusive_split"),
            step("a"),
            step("b"),
            step("meet", "gateway.parallel_join"),
        ],
        [
            ("start", "some"),
            ("some", "a", WHEN),
            ("some", "b", WHEN),
            ("some", "meet", DEFAULT),
            ("a", "meet"),
            ("b", "meet"),
            ("meet", "end"),
        ],
    ),
    "children": sequence(
        child(
            mode="BATCH",
            iterable={"type": "STEP", "stepId": "kids", "select": {"src": "items"}},
            inputMapping=[
                {"targetPath": "a", "value": {"type": "const", "value": None}},
                {
                    "targetPath": "b",
                    "mode": "append",
                    "value": {"type": "field", "ref": {"source": "EACH", "path": "id"}},
                },
                {
                    "id": "m3",
                    "targetPath": "c",
                    "value": {"type": "field", "ref": {"source": "STEP", "stepId": "kids", "path": "id"}},
                },
                {
                    "targetPath": "d",
                    "value": {"type": "expr", "expr": {"type": "jsonata", "src": "__each__"}},
                },
            ],
            onParentClose="ABANDON",
        )
    ),
    "policies": definition(
        [step("a", activationPolicy={"defaultStatus": "Disabled", "enabledWhen": {"src": "true"}})],
        [("start", "a", {"onArrival": {"status": "InProgress"}, "label": ""}), ("a", "end")],
    ),
    "groups": sequence(
        step("a", group={"groupId": "g", "order": 1}),
        step("b"),
        stepGroups=[{"id": "g", "name": "G", "stepIds": ["a", "b"]}],
    ),
    "free-form": sequence(
        step("a", ui=[1, {"x": None}], legacyCode={"kept": True}), contextSchema=True, legacyId=7
    ),
}


@pytest.mark.parametrize("raw", VALID.values(), ids=VALID.keys())
def test_a_right_definition_has_no_issues(raw: Raw) -> None:
    assert validate(raw) == []
    assert SCHEMA.is_valid(raw)


@pytest.mark.parametrize("name", ["verify", "dsc", "incorporation"])
def test_the_example_definitions_have_no_issues(name: str) -> None:
    assert validate(json.loads((DEFINITIONS / f"{name}.json").read_text())) == []


def with_step(**more: Any) -> Raw:
    return sequence(step("a", **more))


def without(raw: Raw, *path: Any) -> Raw:
    copy = deepcopy(raw)
    holder: Any = copy
    for part in path[:-1]:
        holder = holder[part]
    del holder[path[-1]]
    return copy


def with_transition(index: int, **more: Any) -> Raw:
    raw = sequence(step("a"))
    raw["stepTransitions"][index].update(more)
    return raw


GROUP = {"id": "g", "name": "G", "stepIds": ["a"]}

# code, what breaks it and nothing else, the pointer to the place.
BROKEN: list[tuple[str, Callable[[], Raw], str]] = [
    (
        "GRAPH_EXACTLY_ONE_START",
        lambda: definition(
            [step("other", "start"), step("m")], [("start", "m"), ("other", "m"), ("m", "end")]
        ),
        "/steps",
    ),
    (
        "GRAPH_EXACTLY_ONE_END",
        lambda: definition(
            [step("c", "gateway.exclusive_split"), step("out", "end")],
            [("start", "c"), ("c", "out", WHEN), ("c", "end", DEFAULT)],
        ),
        "/steps",
    ),
    (
        "START_STEP_NO_INCOMING",
        lambda: definition(
            [step("a"), step("c", "gateway.exclusive_split")],
            [("start", "a"), ("a", "c"), ("c", "start", WHEN), ("c", "end", DEFAULT)],
        ),
        "/steps/0",
    ),
    (
        "END_STEP_SINGLE_INCOMING",
        lambda: definition(
            [step("c", "gateway.exclusive_split"), step("a")],
            [("start", "c"), ("c", "a", WHEN), ("c", "end", DEFAULT), ("a", "end")],
        ),
        "/steps/3",
    ),
    (
        "END_STEP_NO_OUTGOING",
        lambda: definition([step("a")], [("start", "a"), ("a", "end"), ("end", "a")]),
        "/steps/2",
    ),
    (
        "TRANSITIONS_UNIQUE",
        lambda: definition([step("a")], [("start", "a"), ("a", "end"), ("a", "end")]),
        "/stepTransitions/2",
    ),
    (
        "NO_SELF_LOOPS",
        lambda: definition([step("a")], [("start", "a"), ("a", "a"), ("a", "end")]),
        "/stepTransitions/1",
    ),
    ("NO_ISOLATED_STEPS", lambda: definition([step("a")], [("start", "end")]), "/steps/1"),
    (
        "ONLY_SPLIT_GATEWAY_CAN_FAN_OUT",
        lambda: definition(
            [step("a"), step("b"), step("c")],
            [("start", "a"), ("a", "b"), ("a", "c"), ("b", "c"), ("c", "end")],
        ),
        "/steps/1",
    ),
    (
        "JOIN_GATEWAY_MANY_IN_SINGLE_OUT",
        lambda: sequence(step("join", "gateway.parallel_join")),
        "/steps/1",
    ),
    (
        "CONDITIONAL_SPLIT_SINGLE_DEFAULT",
        lambda: exclusive(WHEN, WHEN),
        "/steps/1",
    ),
    (
        "CONDITIONAL_SPLIT_SINGLE_DEFAULT",
        lambda: exclusive(WHEN, {**WHEN, **DEFAULT}),
        "/stepTransitions/2/condition",
    ),
    (
        "EXCLUSIVE_SPLIT_TWO_OUTGOING",
        lambda: definition([step("c", "gateway.exclusive_split")], [("start", "c"), ("c", "end", DEFAULT)]),
        "/steps/1",
    ),
    (
        "ONLY_EXCLUSIVE_INCLUSIVE_STEP_HAVE_CONDITION",
        lambda: with_transition(1, **WHEN),
        "/stepTransitions/1/condition",
    ),
    ("MISSING_BATCH_ITERATOR", lambda: sequence(child(mode="BATCH")), "/steps/1"),
    (
        "STEP_IDS_UNIQUE",
        lambda: definition([step("a"), step("a")], [("start", "a"), ("a", "end")]),
        "/steps/2/id",
    ),
    ("TRANSITION_IDS_UNIQUE", lambda: with_transition(1, id="t0"), "/stepTransitions/1/id"),
    (
        "STEP_GROUP_IDS_UNIQUE",
        lambda: sequence(step("a"), step("b"), stepGroups=[GROUP, {**GROUP, "stepIds": ["b"]}]),
        "/stepGroups/1/id",
    ),
    (
        "NO_GROUP_FOR_SPECIAL_NODES",
        lambda: sequence(step("a"), stepGroups=[{**GROUP, "stepIds": ["a", "start"]}]),
        "/stepGroups/0/stepIds/1",
    ),
    (
        "GROUP_STEP_IDS_EXISTS",
        lambda: sequence(step("a"), stepGroups=[{**GROUP, "stepIds": ["a", "gone"]}]),
        "/stepGroups/0/stepIds/1",
    ),
    (
        "GROUP_STEP_IDS_EXISTS",
        lambda: with_step(group={"groupId": "gone", "order": 1}),
        "/steps/1/group/groupId",
    ),
    (
        "STEP_BELONGS_TO_ONLY_ONE_GROUP",
        lambda: sequence(step("a"), stepGroups=[GROUP, {**GROUP, "id": "h"}]),
        "/stepGroups/1/stepIds/0",
    ),
    (
        "STEP_BELONGS_TO_ONLY_ONE_GROUP",
        lambda: sequence(step("a", group={"groupId": "h", "order": 1}), stepGroups=[GROUP]),
        "/steps/1/group/groupId",
    ),
    (
        "STEP_GROUP_CANNOT_BE_EMPTY",
        lambda: sequence(stepGroups=[{**GROUP, "stepIds": []}]),
        "/stepGroups/0/stepIds",
    ),
    (
        "TRANSITION_ENDPOINTS_EXIST",
        lambda: definition([], [("start", "end"), ("start", "gone")]),
        "/stepTransitions/1/toStepId",
    ),
    (
        "EVERY_STEP_REACHABLE",
        lambda: definition([step("a"), step("b")], [("start", "a"), ("b", "a"), ("a", "end")]),
        "/steps/2",
    ),
    (
        "END_REACHABLE_FROM_EVERY_STEP",
        lambda: definition(
            [step("c", "gateway.parallel_split"), step("stuck")],
            [("start", "c"), ("c", "stuck"), ("c", "end")],
        ),
        "/steps/2",
    ),
    (
        "CYCLE_NEEDS_WAITING_STEP",
        lambda: definition(
            [step("c", "gateway.exclusive_split"), step("d", "gateway.exclusive_split"), step("a")],
            [
                ("start", "c"),
                ("c", "d", WHEN),
                ("c", "a", DEFAULT),
                ("d", "c", WHEN),
                ("d", "a", DEFAULT),
                ("a", "end"),
            ],
        ),
        "/steps/1",
    ),
    ("CONDITION_REQUIRED", lambda: exclusive({}, DEFAULT), "/stepTransitions/1"),
    ("DEFAULT_ONLY_ON_SPLIT", lambda: with_transition(1, **DEFAULT), "/stepTransitions/1/isDefault"),
    (
        "ACTIVATION_NOT_HERE",
        lambda: definition(
            [step("p", "gateway.parallel_split", activationPolicy={})], [("start", "p"), ("p", "end")]
        ),
        "/steps/1/activationPolicy",
    ),
    (
        "ACTIVATION_NOT_HERE",
        lambda: with_transition(1, onArrival={"status": "Disabled"}),
        "/stepTransitions/1/onArrival",
    ),
    (
        "STATUS_NOT_ALLOWED",
        lambda: with_step(activationPolicy={"defaultStatus": "InProgress"}),
        "/steps/1/activationPolicy/defaultStatus",
    ),
    (
        "STATUS_NOT_ALLOWED",
        lambda: with_transition(0, onArrival={"status": "Completed"}),
        "/stepTransitions/0/onArrival/status",
    ),
    (
        "RETRY_ONLY_ON_TASKS",
        lambda: sequence(child(retry={"maxAttempts": 2})),
        "/steps/1/retry",
    ),
    ("ID_INVALID", lambda: sequence(step("a b")), "/steps/1/id"),
    ("ID_INVALID", lambda: sequence(step("-a")), "/steps/1/id"),
    ("ID_INVALID", lambda: sequence(step("a" * 129)), "/steps/1/id"),
    ("ID_INVALID", lambda: sequence(step("a\n")), "/steps/1/id"),
    ("ID_INVALID", lambda: {**sequence(), "id": ""}, "/id"),
    (
        "EXPRESSION_SYNTAX",
        lambda: with_step(activationPolicy={"enabledWhen": {"src": "1 +"}}),
        "/steps/1/activationPolicy/enabledWhen/src",
    ),
    ("SCHEMA_INVALID", lambda: with_step(outputSchema={"type": "text"}), "/steps/1/outputSchema"),
    ("SCHEMA_INVALID", lambda: sequence(contextSchema=[]), "/contextSchema"),
    ("DURATION_INVALID", lambda: with_step(dueIn="3 days"), "/steps/1/dueIn"),
    (
        "DURATION_INVALID",
        lambda: with_step(retry={"maxAttempts": 2, "backoff": "P1M"}),
        "/steps/1/retry/backoff",
    ),
    (
        "CHILD_VERSION_EXISTS",
        lambda: sequence(child(childWorkflowTemplateKey="gone")),
        "/steps/1/childWorkflowTemplateKey",
    ),
    ("UNKNOWN_KEY", lambda: sequence(colour="red"), "/colour"),
    ("UNKNOWN_KEY", lambda: with_step(**{"a/b~c": 1}), "/steps/1/a~1b~0c"),
    ("UNKNOWN_KEY", lambda: with_step(mode="SINGLE"), "/steps/1/mode"),
    (
        "UNKNOWN_KEY",
        lambda: with_step(activationPolicy={"enabledWhen": {"src": "true", "lang": "x"}}),
        "/steps/1/activationPolicy/enabledWhen/lang",
    ),
    (
        "UNKNOWN_KEY",
        lambda: sequence(
            child(
                inputMapping=[
                    {
                        "targetPath": "a",
                        "value": {
                            "type": "field",
                            "ref": {"source": "CONTEXT", "path": "a", "stepId": "start"},
                        },
                    }
                ]
            )
        ),
        "/steps/1/inputMapping/0/value/ref/stepId",
    ),
    ("TYPE_MISMATCH", lambda: with_step(name=None), "/steps/1/name"),
    ("TYPE_MISMATCH", lambda: without(sequence(), "name"), ""),
    ("TYPE_MISMATCH", lambda: without(sequence(step("a")), "steps", 1, "name"), "/steps/1"),
    ("TYPE_MISMATCH", lambda: with_step(retry={"maxAttempts": 0}), "/steps/1/retry/maxAttempts"),
    ("TYPE_MISMATCH", lambda: with_step(retry={"maxAttempts": True}), "/steps/1/retry/maxAttempts"),
    (
        "TYPE_MISMATCH",
        lambda: with_step(retry={"maxAttempts": 2, "backoffRate": 0.5}),
        "/steps/1/retry/backoffRate",
    ),
    ("TYPE_MISMATCH", lambda: sequence(step("a", "human.robot")), "/steps/1/type"),
    ("TYPE_MISMATCH", lambda: with_transition(0, isDefault=None), "/stepTransitions/0/isDefault"),
    ("TYPE_MISMATCH", lambda: sequence(child(childWorkflowTemplateVersionId="tver_dsc")), "/steps/1"),
    ("TYPE_MISMATCH", lambda: sequence(without(child(), "childWorkflowTemplateKey")), "/steps/1"),
    (
        "TYPE_MISMATCH",
        lambda: sequence(child(iterable={"type": "STEP", "stepId": "gone"})),
        "/steps/1/iterable/stepId",
    ),
    ("TYPE_MISMATCH", lambda: with_step(ui={"x": float("nan")}), "/steps/1/ui/x"),
    ("TYPE_MISMATCH", lambda: with_step(ui="\0"), "/steps/1/ui"),
    (
        "LIMIT_EXCEEDED",
        lambda: with_step(outputSchema={"enum": ["x" * (64 << 10)]}),
        "/steps/1/outputSchema",
    ),
]


@pytest.mark.parametrize(("code", "make", "path"), BROKEN, ids=[f"{each[0]} {each[2]}" for each in BROKEN])
def test_each_rule_is_broken_alone(code: str, make: Callable[[], Raw], path: str) -> None:
    assert found(make()) == {(code, path)}


@pytest.mark.parametrize(
    ("make", "path"),
    [(make, path) for code, make, path in BROKEN if code in SHAPES],
    ids=[f"{code} {path}" for code, _, path in BROKEN if code in SHAPES],
)
def test_what_has_another_shape_is_seen_by_editors(make: Callable[[], Raw], path: str) -> None:
    assert SCHEMA.is_valid(make()) is (path in UNSEEN)


def test_the_start_has_one_way_out() -> None:
    """It cannot be broken alone: a second way out is a fan-out, and its branches meet again."""
    raw = definition([step("a")], [("start", "a"), ("start", "end"), ("a", "end")])
    codes = {issue.code for issue in validate(raw)}
    assert codes == {
        "START_STEP_SINGLE_OUTGOING",
        "ONLY_SPLIT_GATEWAY_CAN_FAN_OUT",
        "END_STEP_SINGLE_INCOMING",
    }


def test_steps_are_bounded() -> None:
    issues = validate(sequence(step("a"), step("b")), steps_per_definition=3)
    assert [(issue.code, issue.path) for issue in issues] == [("LIMIT_EXCEEDED", "/steps")]


def test_two_thousand_steps_are_allowed_and_one_more_is_not() -> None:
    assert validate(sequence(*(step(f"s{index}") for index in range(1_998)))) == []
    issues = validate(sequence(*(step(f"s{index}") for index in range(1_999))))
    assert [issue.code for issue in issues] == ["LIMIT_EXCEEDED"]


def test_nesting_is_bounded() -> None:
    ui: list[Any] = []
    for _ in range(100_000):
        ui = [ui]
    (issue,) = validate(with_step(ui=ui))
    assert issue.code == "LIMIT_EXCEEDED"
    assert issue.path.startswith("/steps/1/ui/0/0")
    assert issue.step_id == "a"


@pytest.mark.parametrize("meeting", ["human.form", "gateway.inclusive_split"])
def test_branches_that_meet_without_a_join_are_a_warning(meeting: str) -> None:
    raw = parallel(meeting=meeting)
    if meeting.startswith("gateway"):
        raw["stepTransitions"][-1].update(DEFAULT)
    (issue,) = validate(raw)
    assert (issue.code, issue.severity, issue.path) == (
        "PARALLEL_MERGE_WITHOUT_JOIN",
        Severity.WARNING,
        "/steps/4",
    )
    assert issue.step_id == "meet"


def test_alternatives_within_one_branch_meet_without_a_warning() -> None:
    raw = definition(
        [
            step("split", "gateway.parallel_split"),
            step("choose", "gateway.exclusive_split"),
            step("a"),
            step("b"),
            step("c"),
            step("join", "gateway.parallel_join"),
        ],
        [
            ("start", "split"),
            ("split", "choose"),
            ("split", "c"),
            ("choose", "a", WHEN),
            ("choose", "b", DEFAULT),
            ("a", "b"),
            ("b", "join"),
            ("c", "join"),
            ("join", "end"),
        ],
    )
    assert validate(raw) == []


def test_of_three_branches_two_that_meet_early_are_a_warning() -> None:
    raw = definition(
        [
            step("split", "gateway.parallel_split"),
            step("a"),
            step("b"),
            step("c"),
            step("early"),
            step("join", "gateway.parallel_join"),
        ],
        [
            ("start", "split"),
            ("split", "a"),
            ("split", "b"),
            ("split", "c"),
            ("b", "early"),
            ("c", "early"),
            ("a", "join"),
            ("early", "join"),
            ("join", "end"),
        ],
    )
    assert [(issue.code, issue.path) for issue in validate(raw)] == [
        ("PARALLEL_MERGE_WITHOUT_JOIN", "/steps/5")
    ]


def test_every_issue_comes_back_at_once_in_document_order() -> None:
    raw = exclusive({}, {"isDefault": 1})
    raw["name"] = 7
    raw["extra"] = None
    raw["steps"][2].update({"dueIn": "soon", "outputSchema": {"type": 1}, "retry": {"maxAttempts": "x"}})
    raw["steps"].append(step("b", "sys.sub_workflow", mode="BATCH", childWorkflowTemplateKey="gone"))
    raw["stepTransitions"].append({"id": "t0", "fromStepId": "b", "toStepId": "gone", **DEFAULT, **WHEN})
    raw["stepGroups"] = [{"id": "g g", "name": "", "stepIds": ["start", "nobody"]}]
    issues = validate(raw)
    assert [(issue.code, issue.path) for issue in issues] == [
        ("UNKNOWN_KEY", "/extra"),
        ("TYPE_MISMATCH", "/name"),
        ("ID_INVALID", "/stepGroups/0/id"),
        ("TYPE_MISMATCH", "/stepGroups/0/name"),
        ("NO_GROUP_FOR_SPECIAL_NODES", "/stepGroups/0/stepIds/0"),
        ("GROUP_STEP_IDS_EXISTS", "/stepGroups/0/stepIds/1"),
        ("CONDITION_REQUIRED", "/stepTransitions/1"),
        ("CONDITION_REQUIRED", "/stepTransitions/2"),
        ("TYPE_MISMATCH", "/stepTransitions/2/isDefault"),
        ("TRANSITION_IDS_UNIQUE", "/stepTransitions/5/id"),
        ("TRANSITION_ENDPOINTS_EXIST", "/stepTransitions/5/toStepId"),
        ("CONDITIONAL_SPLIT_SINGLE_DEFAULT", "/steps/1"),
        ("DURATION_INVALID", "/steps/2/dueIn"),
        ("SCHEMA_INVALID", "/steps/2/outputSchema"),
        ("TYPE_MISMATCH", "/steps/2/retry/maxAttempts"),
        ("MISSING_BATCH_ITERATOR", "/steps/5"),
        ("CHILD_VERSION_EXISTS", "/steps/5/childWorkflowTemplateKey"),
        ("STEP_IDS_UNIQUE", "/steps/5/id"),
    ]
    assert validate(raw) == issues


def test_issues_name_their_step_and_transition() -> None:
    raw = sequence(step("a", dueIn="soon"))
    raw["stepTransitions"][1]["label"] = 5
    by_path = {issue.path: issue for issue in validate(raw)}
    assert by_path["/steps/1/dueIn"].step_id == "a"
    assert by_path["/steps/1/dueIn"].transition_id is None
    assert by_path["/stepTransitions/1/label"].transition_id == "t1"


def test_every_code_is_proved_here_or_with_the_children() -> None:
    elsewhere = {
        "CHILD_RECURSION",
        "START_STEP_SINGLE_OUTGOING",
        "PARALLEL_MERGE_WITHOUT_JOIN",
    }
    assert {code.value for code in IssueCode} == {each[0] for each in BROKEN} | elsewhere
