"""`docs/definitions.md` lists every key, type and code of a definition, and its examples do what it says."""

import inspect
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.commands.due import DueTree, handle_due
from db.commands.step import DEFAULT_FAILURE_CODE
from db.runtime.definition import StepType
from db.runtime.expressions import FailureCode
from db.runtime.limits import Limits
from db.runtime.sub_workflow import FieldSource
from db.runtime.validation import IssueCode, keys
from db.runtime.validation.shape import Check, Keys
from db.runtime.values import DisabledBy
from tests.api import Api
from tests.contract.tables import STEPS, set_columns
from tests.docs.owners import runs
from tests.docs.pages import ROOT, code, only_block, prose, table

PAGE = "docs/definitions.md"
SHOWN = """
  query ($id: ID!) {
    workflowExecution(id: $id) { id runtimeStatus steps { id stepId status attempt retryAt failedAt } }
  }
"""


def keys_of(check: Check) -> Keys:
    """The keys of a record that `shape.record` made."""
    found: Keys = inspect.getclosurevars(check.report).nonlocals["keys"]
    return found


def variants_of(check: Check) -> dict[str, Keys]:
    """The records that `shape.variants` chooses from, without the key that it chooses by."""
    closure = inspect.getclosurevars(check.report).nonlocals
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


def example(role: str) -> Any:
    return json.loads(only_block(PAGE, role).text)


def runs_examples(*roles: str) -> pytest.MarkDecorator:
    return runs(*(only_block(PAGE, role) for role in roles))


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
    told = [(code(row[0]), code(row[1])) for row in table(PAGE, "Types of steps")]
    assert told == [(each.value, each.name) for each in StepType]


def test_every_code_is_listed_once() -> None:
    assert [code(row[0]) for row in table(PAGE, "Codes")] == [each.value for each in IssueCode]


def test_everything_that_disables_a_step_is_listed() -> None:
    assert [code(row[0]) for row in table(PAGE, "Activation policies")] == [each.value for each in DisabledBy]


def test_every_code_of_a_failure_is_listed() -> None:
    """`runtime.md` X2, C2, F6, F7."""
    runtime = "".join(path.read_text() for path in (ROOT / "db" / "runtime").glob("*.py"))
    raised = re.findall(r"StepFailure\(\s*\"([A-Z_]+)\"", runtime)
    raised += re.findall(r"self\.fail_step\([^\"\n]*\"([A-Z_]+)\"", runtime)
    raised += re.findall(r"failure_code=\"([A-Z_]+)\"", runtime)
    known = {*raised, FailureCode.EXPRESSION_FAILED, FailureCode.LIMIT_EXCEEDED, DEFAULT_FAILURE_CODE}
    assert [code(row[0]) for row in table(PAGE, "Failure and retry")] == sorted(known)


def test_numbers_in_the_text_are_those_of_the_code() -> None:
    text = " ".join(prose(PAGE).split())
    assert f"passes the same step at most {Limits().passes_per_command} times" in text


@runs_examples("definition")
async def test_d3_the_sequence_is_published_and_runs_to_its_end(api: Api) -> None:
    await api.publish(example("definition"), key="leave-request")
    execution = await api.start("leave-request", context={"employee": "employee-1", "days": 3})
    for step_id, output in (("approve", {"approved": True}), ("book", {})):
        assert by_step(execution)[step_id]["status"] == "IN_PROGRESS"
        execution = await acted(api, "completeStep", execution, step_id, outputData=output)
    assert execution["runtimeStatus"] == "COMPLETED"


@runs_examples("loop", "attempts")
async def test_f4_the_loop_is_passed_twice(api: Api) -> None:
    await api.publish(example("loop"), key="letter")
    execution = await api.start("letter")
    for approved in (False, True):
        execution = await acted(api, "completeStep", execution, "draft")
        execution = await acted(api, "completeStep", execution, "review", outputData={"approved": approved})
    assert execution["runtimeStatus"] == "COMPLETED"
    assert {step["stepId"]: step["attempt"] for step in execution["steps"]} == example("attempts")


@runs_examples("child", "parent", "context", "children")
async def test_c1_the_batch_has_the_children_that_the_page_shows(api: Api) -> None:
    await api.publish(example("child"), key="interview")
    await api.publish(example("parent"), key="survey")
    execution = await api.start("survey", context=example("context"))
    document = """
      query ($id: ID!) {
        workflowExecution(id: $id) { childWorkflowExecutions { nodes { name childIndex item context } } }
      }
    """
    shown = (await api.data(document, id=execution["id"]))["workflowExecution"]
    assert shown["childWorkflowExecutions"]["nodes"] == example("children")


@runs_examples("definition", "retry")
async def test_s4_each_failure_waits_for_its_backoff_until_no_attempt_is_left(api: Api) -> None:
    raw = example("definition")
    raw["steps"][2]["retry"] = example("retry")
    await api.publish(raw, key="leave-request")
    execution = await api.start("leave-request", context={"employee": "employee-1", "days": 3})
    execution = await acted(api, "completeStep", execution, "approve", outputData={"approved": True})
    for attempt, minutes in ((1, 10), (2, 20)):
        execution = await acted(api, "failStep", execution, "book", message="Not reachable")
        step = by_step(execution)["book"]
        assert (step["attempt"], execution["runtimeStatus"]) == (attempt, "IN_PROGRESS")
        waits = datetime.fromisoformat(step["retryAt"]) - datetime.fromisoformat(step["failedAt"])
        assert waits == timedelta(minutes=minutes)
        execution = await once_it_has_come(api, execution, step)
        assert by_step(execution)["book"]["attempt"] == attempt + 1
    execution = await acted(api, "failStep", execution, "book", message="Not reachable")
    assert (by_step(execution)["book"]["retryAt"], execution["runtimeStatus"]) == (None, "FAILED")


async def once_it_has_come(api: Api, execution: Any, step: Any) -> Any:
    """The execution after the moment for which the next attempt is scheduled."""
    database, past = api.context.store.database, datetime(2020, 1, 1, tzinfo=UTC)
    await set_columns(database, STEPS, step["id"], retry_at=past)
    tenant = api.context.viewer.tenant
    await handle_due(api.context.store, DueTree(execution["id"], tenant, (execution["id"],)))
    return (await api.data(SHOWN, id=execution["id"]))["workflowExecution"]


def by_step(execution: Any) -> dict[str, Any]:
    return {step["stepId"]: step for step in execution["steps"]}


async def acted(api: Api, mutation: str, execution: Any, step_id: str, **given: Any) -> Any:
    """The execution after a command on one of its steps."""
    input_type = "StepInput" if mutation == "retryStep" else f"{mutation[0].upper()}{mutation[1:]}Input"
    document = f"""
      mutation ($input: {input_type}!) {{
        result: {mutation}(input: $input) {{
          ... on Error {{ message }}
          ... on TransitionSuccess {{
            workflowExecution {{ id runtimeStatus steps {{ id stepId status attempt retryAt failedAt }} }}
          }}
        }}
      }}
    """
    data = await api.data(document, input={"id": by_step(execution)[step_id]["id"], **given})
    return data["result"]["workflowExecution"]
