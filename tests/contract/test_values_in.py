"""What may come in: values against schemas, JSON that both databases hold alike (`runtime.md` I1, I2, I5, C4)."""

import json
from typing import Any

import pytest

from tests.api import Api
from tests.contract.commands import REFUSALS, ids_of, refuse, run_of, succeed
from tests.contract.samples import ONE, sequence
from tests.contract.tables import EXECUTIONS, STEPS, everything, row_by_id

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2},
        "tags": {"type": "array", "items": {"type": "string"}},
        "a/b": {"type": "object", "properties": {"~": {"type": "integer"}}},
    },
    "required": ["name"],
    "additionalProperties": False,
}
CHECKED = sequence("checked", ("a", "human.form"), contextSchema=PERSON)
CHECKED["steps"][1]["outputSchema"] = PERSON

HELD = {
    "nothing": None,
    "texts": ["", "é", "💡", "\u2028", "\x01\x1f", "\\u0000", "'\"\\"],
    "numbers": [0, -1, 2**63 - 1, -(2**63), 0.1, 1e308, 5e-324, -1.5e-10, 123456789.123456789],
    "nested": [[[{"": {" ": [True, False]}}]]],
    "": 1,
}


def nested(depth: int) -> dict[str, Any]:
    """An object that is `depth` levels deep."""
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


# What JSON text can say (variables) and no database of ours may hold.
REFUSED = {
    "NUL": {"a": ["x\0y"]},
    "NUL in a key": {"a\0": 1},
    "lone surrogate": {"a": "\ud800"},
    "lone surrogate in a key": {"\udfff": 1},
    "integer beyond 64 bits": {"a": 2**63},
    "negative integer beyond 64 bits": {"a": -(2**63) - 1},
    "NaN": {"a": float("nan")},
    "Infinity": {"a": [float("inf")]},
    "-Infinity": {"a": float("-inf")},
    "65 levels": nested(65),
}
LITERALS = {
    "NUL": r'{a: ["x\u0000y"]}',
    "lone surrogate": r'{a: "\uD800"}',
    "integer beyond 64 bits": "{a: 9223372036854775808}",
    "negative integer beyond 64 bits": "{a: -9223372036854775809}",
    "a number beyond a double": "{a: 1e400}",
    "65 levels": "{a: " * 64 + "{}" + "}" * 64,
    "not an object": "[1]",
    "a text": '"{}"',
    "an enum": "NaN",
}


async def waiting_step(api: Api, raw: dict[str, Any] = ONE, **given: Any) -> str:
    """A step that waits for an output."""
    await api.publish(raw, key="given")
    return ids_of(await run_of(api, "given", **given))["a"]


async def test_i1_an_absent_output_is_an_empty_object(api: Api) -> None:
    step = await waiting_step(api)
    await succeed(api, "completeStep", id=step)
    assert (await row_by_id(api.store.database, STEPS, step))["output_data"] == {}


async def test_i1_an_absent_output_is_validated_too(api: Api) -> None:
    step = await waiting_step(api, CHECKED, context={"name": "Ada"})
    for given in ({}, {"outputData": None}, {"outputData": {}}):
        answer = await refuse(api, "completeStep", id=step, **given)
        assert [issue["path"] for issue in answer["issues"]] == ["/outputData"]


async def test_i1_every_violation_comes_with_its_json_pointer_and_nothing_changes(
    api: Api, tenant: str
) -> None:
    step = await waiting_step(api, CHECKED, context={"name": "Ada"})
    before = await everything(api.store.database, tenant)
    output = {"name": "A", "tags": ["x", 1, None], "a/b": {"~": "no"}, "more": True}
    answer = await refuse(api, "completeStep", id=step, outputData=output)
    assert sorted(issue["path"] for issue in answer["issues"]) == [
        "/outputData",
        "/outputData/a~1b/~0",
        "/outputData/name",
        "/outputData/tags/1",
        "/outputData/tags/2",
    ]
    assert {(issue["code"], issue["severity"]) for issue in answer["issues"]} == {
        ("SCHEMA_VIOLATION", "ERROR")
    }
    assert await everything(api.store.database, tenant) == before
    await succeed(api, "completeStep", id=step, outputData={"name": "Ada"})


async def test_i1_without_a_schema_any_object_will_do_and_is_kept_as_it_was(api: Api) -> None:
    step = await waiting_step(api, context=HELD)
    await succeed(api, "completeStep", id=step, outputData=HELD)
    row = await row_by_id(api.store.database, STEPS, step)
    assert row["output_data"] == HELD
    assert (await row_by_id(api.store.database, EXECUTIONS, row["execution_id"]))["context"] == HELD
    shown = await api.data(
        'query ($id: ID!) { workflowExecution(id: $id) { context step(stepId: "a") { outputData } } }',
        id=row["execution_id"],
    )
    assert shown["workflowExecution"] == {"context": HELD, "step": {"outputData": HELD}}


@pytest.mark.parametrize("output", [[], [{}], "text", 1, True])
async def test_i1_an_output_is_an_object(api: Api, output: Any) -> None:
    step = await waiting_step(api)
    await assert_bad_request(api, "completeStep", {"id": step, "outputData": output})


async def test_i2_context_is_validated_when_there_is_a_schema(api: Api, tenant: str) -> None:
    await api.publish(CHECKED, key="checked")
    before = await everything(api.store.database, tenant)
    for given in ({}, {"context": {}}, {"context": {"name": 1}}):
        answer = await refuse(api, "createWorkflowExecution", workflowTemplateKey="checked", **given)
        path = "/context/name" if given.get("context") else "/context"
        assert [issue["path"] for issue in answer["issues"]] == [path]
    assert await everything(api.store.database, tenant) == before


async def test_i2_no_context_is_an_empty_one(api: Api) -> None:
    await api.publish(ONE, key="one")
    execution = await run_of(api, "one")
    assert (await row_by_id(api.store.database, EXECUTIONS, execution["id"]))["context"] == {}


async def assert_bad_request(api: Api, mutation: str, given: dict[str, Any]) -> None:
    """Refused before the command: an error that names the place, no data, no traceback's text."""
    types = {"completeStep": "CompleteStepInput", "createWorkflowExecution": "CreateWorkflowExecutionInput"}
    document = f"mutation ($input: {types[mutation]}!) {{ {mutation}(input: $input) {{ __typename }} }}"
    result = await api.run(document, {"input": given})
    assert result["data"] is None
    (error,) = result["errors"]
    assert "path" not in error
    assert "JSON" in error["message"]


@pytest.mark.parametrize("case", REFUSED)
async def test_i5_variables_that_not_both_databases_hold_are_refused(
    api: Api, tenant: str, case: str
) -> None:
    step = await waiting_step(api)
    before = await everything(api.store.database, tenant)
    await assert_bad_request(api, "completeStep", {"id": step, "outputData": REFUSED[case]})
    given = {"workflowTemplateKey": "given", "context": REFUSED[case]}
    await assert_bad_request(api, "createWorkflowExecution", given)
    assert await everything(api.store.database, tenant) == before


@pytest.mark.parametrize("case", LITERALS)
async def test_i5_literals_that_not_both_databases_hold_are_refused(api: Api, tenant: str, case: str) -> None:
    step = await waiting_step(api)
    before = await everything(api.store.database, tenant)
    for document in (
        f'mutation {{ completeStep(input: {{id: "{step}", outputData: {LITERALS[case]}}}) {{ __typename }} }}',
        'mutation { createWorkflowExecution(input: {workflowTemplateKey: "given", '
        f"context: {LITERALS[case]}}}) {{ __typename }} }}",
    ):
        result = await api.run(document)
        assert result["data"] is None
        assert result["errors"]
    assert await everything(api.store.database, tenant) == before


async def test_i5_a_literal_is_held_like_a_variable(api: Api) -> None:
    step = await waiting_step(api)
    literal = (
        '{text: "é💡", numbers: [9223372036854775807, -9223372036854775808, 1.5, 1e308], no: null, yes: true}'
    )
    await api.data(
        f'mutation {{ completeStep(input: {{id: "{step}", outputData: {literal}}}) {{ __typename }} }}'
    )
    assert (await row_by_id(api.store.database, STEPS, step))["output_data"] == {
        "text": "é💡",
        "numbers": [2**63 - 1, -(2**63), 1.5, 1e308],
        "no": None,
        "yes": True,
    }


@pytest.mark.parametrize("field", ["context", "outputData"])
async def test_c4_1_mib_is_the_most(api: Api, tenant: str, field: str) -> None:
    mutation, given = await command_with(api, field)
    before = await everything(api.store.database, tenant)
    most = 1 << 20
    # Two bytes a letter: bytes are counted, not characters.
    large = {"text": "é" * ((most - len('{"text":""}')) // 2) + "xx"}
    assert len(json.dumps(large, ensure_ascii=False, separators=(",", ":")).encode()) == most + 1
    answer = await refuse(api, mutation, **given, **{field: large})
    assert (answer["__typename"], answer["actual"], answer["maximum"]) == (
        "LimitExceeded",
        most + 1,
        most,
    )
    assert field in answer["limit"]
    assert await everything(api.store.database, tenant) == before
    large["text"] = large["text"][:-1]
    await succeed(api, mutation, **given, **{field: large})


@pytest.mark.parametrize("field", ["context", "outputData"])
async def test_c4_64_levels_are_held(api: Api, field: str) -> None:
    mutation, given = await command_with(api, field)
    await succeed(api, mutation, **given, **{field: nested(64)})


async def command_with(api: Api, field: str) -> tuple[str, dict[str, str]]:
    """A command that takes the field, and the rest of its input."""
    if field == "outputData":
        return "completeStep", {"id": await waiting_step(api)}
    await api.publish(ONE, key="given")
    return "createWorkflowExecution", {"workflowTemplateKey": "given"}


TEXTS = {
    "createWorkflowExecution": ["name", "correlationId"],
    "failStep": ["code", "message"],
    "cancelWorkflowExecution": ["reason"],
}


@pytest.mark.parametrize("text", ["a\0b", "\ud800"], ids=ascii)
@pytest.mark.parametrize(
    ("mutation", "field"), [(name, field) for name, fields in TEXTS.items() for field in fields]
)
async def test_i5_texts_with_nul_or_lone_surrogates_are_refused(
    api: Api, tenant: str, mutation: str, field: str, text: str
) -> None:
    await api.publish(ONE, key="one")
    execution = await run_of(api, "one")
    given = {
        "createWorkflowExecution": {"workflowTemplateKey": "one"},
        "failStep": {"id": ids_of(execution)["a"], "message": "m"},
        "cancelWorkflowExecution": {"id": execution["id"]},
    }[mutation]
    before = await everything(api.store.database, tenant)
    document = (
        f"mutation ($input: {mutation[0].upper()}{mutation[1:]}Input!) "
        f"{{ {mutation}(input: $input) {{ {REFUSALS} }} }}"
    )
    result = await api.run(document, {"input": given | {field: text}})
    (error,) = result["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert await everything(api.store.database, tenant) == before
