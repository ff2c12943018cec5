"""`docs/definitions.md` lists every key, type and code of a definition, and its examples do what it says."""

import inspect
import json
from typing import Any

import pytest

from db.runtime.definition import StepType, WorkflowDefinition
from db.runtime.sub_workflow import FieldSource
from db.runtime.validation import Catalogue, IssueCode, Severity, keys, validate_definition
from db.runtime.validation.shape import Check, Keys
from db.runtime.validation.unsupported import unsupported_features
from tests.api import Api
from tests.docs.pages import Block, blocks, code, table

PAGE = "docs/definitions.md"


def keys_of(check: Check) -> Keys:
    """The keys of a record that `shape.record` made."""
    found: Keys = inspect.getclosurevars(check).nonlocals["keys"]
    return found


def variants_of(check: Check) -> dict[str, Keys]:
    """The records that `shape.variants` chooses from, without the key that it chooses by."""
    closure = inspect.getclosurevars(check).nonlocals
    return {
        str(name): {key: each for key, each in found.items() if key != closure["tag"]}
        for name, found in closure["tagged"].items()
    }


RECORDS: dict[str, Keys] = {
    "Definition": keys_of(keys.DEFINITION),
    "Step": keys.STEP_KEYS,
    "Transition": keys_of(keys.TRANSITION),
    "Group": keys_of(keys.GROUP),
    "Group membership": keys_of(keys.STEP_KEYS["group"].check),
    "Expression": keys_of(keys.EXPRESSION),
    "Retry": keys_of(keys.RETRY),
    "Activation policy": keys_of(keys.ACTIVATION_POLICY),
    "On arrival": keys_of(keys_of(keys.TRANSITION)["onArrival"].check),
    "Sub-workflow step": {
        name: key for name, key in keys.SUB_WORKFLOW_KEYS.items() if name not in keys.STEP_KEYS
    },
    "Mapping": keys_of(keys.MAPPING),
}
VARIANTS = {
    "Value provider": keys.VALUE_PROVIDER,
    "Field reference": keys.FIELD_REFERENCE,
    "Iterable": keys.ITERABLE,
}


def only_block(role: str) -> Block:
    (found,) = [block for block in blocks(PAGE) if block.role == role]
    return found


def example(role: str) -> Any:
    return json.loads(only_block(role).text)


@pytest.mark.parametrize("section", RECORDS)
def test_every_key_is_listed_with_whether_it_is_required(section: str) -> None:
    told = {code(row[0]): row[1] for row in table(PAGE, section)}
    assert told == {name: "yes" if key.required else "no" for name, key in RECORDS[section].items()}


@pytest.mark.parametrize("section", VARIANTS)
def test_every_variant_is_listed_with_its_keys(section: str) -> None:
    found = variants_of(VARIANTS[section])
    told = {code(row[0]): {part.split("`")[1] for part in row[1].split("; ")} for row in table(PAGE, section)}
    assert told == {name: set(record) for name, record in found.items()}


def test_every_source_of_a_field_is_listed() -> None:
    assert {code(row[0]) for row in table(PAGE, "Field reference")} == {str(each) for each in FieldSource}


def test_every_type_of_step_is_listed_with_its_enum_member() -> None:
    told = [(code(row[0]), code(row[1])) for row in table(PAGE, "What runs")]
    assert told == [(each.value, each.name) for each in StepType]


def test_every_code_is_listed_once() -> None:
    assert [code(row[0]) for row in table(PAGE, "Codes")] == [each.value for each in IssueCode]


async def test_d3_the_example_of_what_runs_is_published_and_runs_to_its_end(api: Api) -> None:
    raw = example("definition")
    await api.publish(raw, key="leave-request")
    execution = await api.start("leave-request", context={"employee": "employee-1", "days": 3})
    for step_id, output in (("approve", {"approved": True}), ("book", {})):
        steps = {step["stepId"]: step for step in execution["steps"]}
        assert steps[step_id]["status"] == "IN_PROGRESS"
        execution = await completed(api, steps[step_id]["id"], output)
    assert execution["runtimeStatus"] == "COMPLETED"


async def completed(api: Api, step_id: str, output: dict[str, Any]) -> Any:
    document = """
      mutation ($input: CompleteStepInput!) {
        completeStep(input: $input) {
          ... on TransitionSuccess { workflowExecution { runtimeStatus steps { id stepId status } } }
        }
      }
    """
    data = await api.data(document, input={"id": step_id, "outputData": output})
    return data["completeStep"]["workflowExecution"]


def test_the_example_of_what_does_not_run_is_valid_and_refused_at_the_places_told() -> None:
    raw = example("not-supported")
    assert [each for each in validate_definition(raw, Catalogue()) if each.severity is Severity.ERROR] == []
    found = unsupported_features(WorkflowDefinition.parse(raw))
    assert {each.code for each in found} == {IssueCode.NOT_SUPPORTED.value}
    assert [each.path for each in found] == example("paths")


async def test_what_does_not_run_is_kept_as_a_draft_and_refused_at_publish(api: Api) -> None:
    document = """
      mutation ($draft: CreateWorkflowTemplateInput!, $published: CreateWorkflowTemplateInput!) {
        draft: createWorkflowTemplate(input: $draft) { __typename }
        published: createWorkflowTemplate(input: $published) {
          ... on ValidationFailed { issues { code path } }
        }
      }
    """
    given = {"name": "Rework", "definition": example("not-supported")}
    data = await api.data(
        document, draft=given | {"key": "draft"}, published=given | {"key": "published", "publish": True}
    )
    assert data["draft"]["__typename"] == "TemplateSuccess"
    assert [each["path"] for each in data["published"]["issues"]] == example("paths")
