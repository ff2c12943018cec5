"""A definition as values: every key of `runtime.md` section 1 is there, and its graph is indexed."""

import json
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from db.runtime.definition import (
    ActivationPolicy,
    GroupMembership,
    RetryPolicy,
    StepType,
    WorkflowDefinition,
    minimal_definition,
)
from db.runtime.expression import Expression
from db.runtime.statuses import StepStatus
from db.runtime.sub_workflow import (
    ConstantValue,
    ExpressionValue,
    FieldSource,
    FieldValue,
    InputMapping,
    Iterable,
    MappingMode,
    OnParentClose,
    SubWorkflow,
    SubWorkflowMode,
)
from db.runtime.validation import Catalogue, validate_definition

DEFINITIONS = Path(__file__).parent.parent / "data" / "definitions"


def load(name: str) -> WorkflowDefinition:
    return WorkflowDefinition.parse(json.loads((DEFINITIONS / f"{name}.json").read_text()))


def test_step_types_are_those_of_the_contract() -> None:
    assert {member.name: member.value for member in StepType} == {
        "START": "start",
        "END": "end",
        "HUMAN_CONFIRM": "human.confirm",
        "HUMAN_FORM": "human.form",
        "HUMAN_URL_REDIRECT": "human.url_redirect",
        "HUMAN_DOC_UPLOAD": "human.doc_upload",
        "SYS_TASK": "sys.task",
        "SYS_SUB_WORKFLOW": "sys.sub_workflow",
        "GATEWAY_PARALLEL_SPLIT": "gateway.parallel_split",
        "GATEWAY_PARALLEL_JOIN": "gateway.parallel_join",
        "GATEWAY_EXCLUSIVE_SPLIT": "gateway.exclusive_split",
        "GATEWAY_INCLUSIVE_SPLIT": "gateway.inclusive_split",
    }


@pytest.mark.parametrize(
    ("quality", "members"),
    [
        ("is_human", "HUMAN_CONFIRM HUMAN_FORM HUMAN_URL_REDIRECT HUMAN_DOC_UPLOAD"),
        ("is_task", "HUMAN_CONFIRM HUMAN_FORM HUMAN_URL_REDIRECT HUMAN_DOC_UPLOAD SYS_TASK"),
        ("waits", "HUMAN_CONFIRM HUMAN_FORM HUMAN_URL_REDIRECT HUMAN_DOC_UPLOAD SYS_TASK SYS_SUB_WORKFLOW"),
        (
            "is_gateway",
            "GATEWAY_PARALLEL_SPLIT GATEWAY_PARALLEL_JOIN GATEWAY_EXCLUSIVE_SPLIT GATEWAY_INCLUSIVE_SPLIT",
        ),
        ("is_split", "GATEWAY_PARALLEL_SPLIT GATEWAY_EXCLUSIVE_SPLIT GATEWAY_INCLUSIVE_SPLIT"),
        ("is_conditional_split", "GATEWAY_EXCLUSIVE_SPLIT GATEWAY_INCLUSIVE_SPLIT"),
    ],
)
def test_a_step_type_knows_what_it_is(quality: str, members: str) -> None:
    assert {member.name for member in StepType if getattr(member, quality)} == set(members.split())


def test_steps_and_transitions_are_found_by_id_in_definition_order() -> None:
    definition = load("incorporation")
    assert definition.start.id == "start"
    assert definition.end.id == "end"
    assert definition.step("file").name == "File with the registrar"
    assert [each.id for each in definition.outgoing("prepare")] == ["t3", "t4", "t5"]
    assert [each.id for each in definition.incoming("file")] == ["t9", "t13"]
    assert definition.incoming("start") == ()
    assert definition.outgoing("end") == ()
    with pytest.raises(KeyError):
        definition.step("gone")


def test_groups_are_found_by_their_steps() -> None:
    definition = load("incorporation")
    group = definition.group_of("name-check")
    assert group is not None
    assert (group.id, group.step_ids) == ("prepare", ("intake", "name-check"))
    assert definition.step("name-check").group == GroupMembership("prepare", 2)
    assert definition.group_of("file") is None


def test_what_is_not_said_has_the_default() -> None:
    definition = load("verify")
    verify = definition.step("verify")
    assert verify.due_in == "P3D"
    assert (verify.retry, verify.activation_policy, verify.sub_workflow, verify.ui) == (
        None,
        None,
        None,
        None,
    )
    transition = definition.transitions[0]
    assert (transition.condition, transition.is_default, transition.on_arrival) == (None, False, None)
    assert load("dsc").step("issue").retry == RetryPolicy(max_attempts=3, backoff="PT10S", backoff_rate=2)


def test_a_batch_keeps_its_mappings_and_items() -> None:
    sub_workflow = load("incorporation").step("dsc-step").sub_workflow
    assert sub_workflow == SubWorkflow(
        mode=SubWorkflowMode.BATCH,
        template_key="dsc",
        input_mapping=(
            InputMapping("directorId", ExpressionValue(Expression("__each__.id"))),
            InputMapping("name", ExpressionValue(Expression("__each__.name"))),
        ),
        child_name=Expression("'DSC for ' & __each__.name"),
        iterable=Iterable(Expression("__context__.directors[$not(hasDsc = true)]")),
        on_parent_close=OnParentClose.CANCEL,
    )


def everything() -> dict[str, Any]:
    raw = minimal_definition("all", "Everything")
    raw["legacyId"] = 7
    raw["contextSchema"] = True
    raw["stepGroups"] = [{"id": "g", "name": "G", "stepIds": ["kids"], "legacyColor": "red"}]
    raw["steps"][1:1] = [
        {
            "id": "kids",
            "type": "sys.sub_workflow",
            "name": "Kids",
            "outputSchema": {"type": "object"},
            "group": {"groupId": "g", "order": 1},
            "activationPolicy": {"defaultStatus": "Disabled", "enabledWhen": {"type": "jsonata", "src": "a"}},
            "dueIn": "P1D",
            "ui": {"x": 1},
            "legacyKind": None,
            "mode": "BATCH",
            "childWorkflowTemplateVersionId": "tver_1",
            "inputMapping": [
                {"id": "m", "targetPath": "a", "value": {"type": "const", "value": None}, "mode": "append"},
                {
                    "targetPath": "b",
                    "value": {"type": "field", "ref": {"source": "STEP", "path": "x", "stepId": "kids"}},
                },
            ],
            "iterable": {"type": "STEP", "stepId": "kids", "select": {"src": "items"}},
            "onParentClose": "ABANDON",
        }
    ]
    raw["stepTransitions"] = [
        {
            "id": "t1",
            "fromStepId": "start",
            "toStepId": "kids",
            "label": "Go",
            "isDefault": False,
            "onArrival": {"status": "Disabled"},
            "ui": [1],
            "legacyFlag": True,
        },
        {"id": "t2", "fromStepId": "kids", "toStepId": "end"},
    ]
    return raw


def test_every_key_is_kept() -> None:
    definition = WorkflowDefinition.parse(everything())
    kids, arrow = definition.step("kids"), definition.transitions[0]
    assert (definition.legacy, definition.context_schema) == ({"legacyId": 7}, True)
    assert definition.groups[0].legacy == {"legacyColor": "red"}
    assert kids.output_schema == {"type": "object"}
    assert kids.activation_policy == ActivationPolicy(StepStatus.DISABLED, Expression("a"))
    assert (kids.due_in, kids.ui, kids.legacy) == ("P1D", {"x": 1}, {"legacyKind": None})
    assert kids.sub_workflow == SubWorkflow(
        mode=SubWorkflowMode.BATCH,
        template_version_id="tver_1",
        input_mapping=(
            InputMapping("a", ConstantValue(None), MappingMode.APPEND, "m"),
            InputMapping("b", FieldValue(FieldSource.STEP, "x", "kids")),
        ),
        iterable=Iterable(Expression("items"), "kids"),
        on_parent_close=OnParentClose.ABANDON,
    )
    assert (arrow.label, arrow.on_arrival, arrow.ui) == ("Go", StepStatus.DISABLED, [1])
    assert arrow.legacy == {"legacyFlag": True}


def test_a_definition_cannot_be_changed() -> None:
    definition = load("verify")
    with pytest.raises(FrozenInstanceError):
        definition.start.name = "Other"  # type: ignore[misc]  # that is the point
    assert definition == load("verify")


def test_d5_a_version_that_is_given_no_definition_runs_from_start_to_end() -> None:
    raw = minimal_definition("verify", "Verify customer")
    assert validate_definition(raw, Catalogue()) == []
    definition = WorkflowDefinition.parse(raw)
    assert [step.type for step in definition.steps] == [StepType.START, StepType.END]
    assert definition.outgoing("start")[0].to_step_id == "end"
    assert (definition.id, definition.name) == ("verify", "Verify customer")
