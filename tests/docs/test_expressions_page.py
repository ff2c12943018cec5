"""`docs/expressions.md`: every example comes to what stands behind it."""

import inspect
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from db.evaluation.driver import Evaluations
from db.runtime.expressions import (
    NOTHING,
    Evaluation,
    ExpressionFailed,
    cast_to_boolean,
    evaluate,
    is_light,
)
from db.runtime.expressions.compiled import SHORT_SOURCE
from db.runtime.expressions.reads import MAX_READS, MAX_VALUE_BYTES, VARIABLES
from tests.api import Api, definition
from tests.docs.pages import Block, all_blocks, blocks, code, prose, table

PAGE = "docs/expressions.md"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
_EXAMPLE = re.compile(r"(?P<src>.*\S)\s*/\* (?P<told>.*) \*/")


def examples(role: str) -> list[Any]:
    """The examples of a kind: source, and what stands behind it."""
    found = [
        pytest.param(*_example(block, line), id=f"{block}: {line}")
        for block in blocks(PAGE)
        if (block.language, block.role) == ("jsonata", role)
        for line in block.text.splitlines()
    ]
    assert found
    return found


def _example(block: Block, line: str) -> tuple[str, str]:
    found = _EXAMPLE.fullmatch(line)
    assert found, f"{block}: {line}"
    return found["src"], found["told"]


def page_input() -> dict[str, Any]:
    (block,) = [block for block in blocks(PAGE) if block.role == "input"]
    loaded: dict[str, Any] = json.loads(block.text)
    return loaded


def value_of(src: str, **options: Any) -> Evaluation:
    return evaluate(src, page_input(), now=NOW, **options)


@pytest.mark.parametrize(("src", "told"), examples("values"))
def test_a_value_is_what_stands_behind_it(src: str, told: str) -> None:
    value = value_of(src).value
    if told == "nothing":
        assert value is NOTHING
    else:
        assert (value, type(value)) == (json.loads(told), type(json.loads(told)))


@pytest.mark.parametrize(("src", "told"), examples("conditions"))
def test_a_condition_is_cast_to_what_stands_behind_it(src: str, told: str) -> None:
    """`runtime.md` X1."""
    assert cast_to_boolean(value_of(src).value) is json.loads(told)


@pytest.mark.parametrize(("src", "told"), examples("refused"))
def test_what_is_refused_fails_with_the_code_behind_it(src: str, told: str) -> None:
    with pytest.raises(ExpressionFailed) as failed:
        value_of(src)
    assert failed.value.code == told


@pytest.mark.parametrize(("src", "told"), examples("light"))
def test_an_expression_is_evaluated_in_the_process_behind_it(src: str, told: str) -> None:
    assert is_light(src) is (told == "here")


@pytest.mark.parametrize(("src", "told"), examples("reads"))
def test_what_is_read_stands_behind_it(src: str, told: str) -> None:
    """`runtime.md` S5."""
    assert [read.path for read in value_of(src, record_reads=True).reads] == json.loads(told)


def test_every_example_has_a_kind_that_is_tested() -> None:
    roles = {block.role for block in all_blocks("jsonata")}
    assert roles == {"values", "conditions", "refused", "light", "reads"}


def test_every_name_of_the_input_is_listed() -> None:
    assert {code(row[0]) for row in table(PAGE, "Input")} == VARIABLES


async def test_the_fields_of_a_step_are_listed(api: Api) -> None:
    """`__steps__` of an attempt in which everything is set, save that no attempt is both completed and failed."""
    await api.publish(definition("verify"), key="verify")
    execution = await api.start("verify")
    step = next(each for each in execution["steps"] if each["stepId"] == "verify")
    document = """
      mutation ($done: CompleteStepInput!) { completeStep(input: $done) { __typename } }
    """
    await api.data(document, done={"id": step["id"], "outputData": {"verified": True}})
    tried = (
        'query ($id: ID!) { evaluateExpression(workflowExecutionId: $id, src: "__steps__.verify") { value } }'
    )
    shown = (await api.data(tried, id=execution["id"]))["evaluateExpression"]["value"]
    (told,) = [row[1] for row in table(PAGE, "Input") if code(row[0]) == "__steps__"]
    assert set(re.findall(r"`(\w+)`", told)) == set(shown) | {"failedAt"}
    assert list(page_input()["__steps__"]["verify"]) == [
        name for name in re.findall(r"`(\w+)`", told) if name not in ("failedAt", "dueAt")
    ]


def test_numbers_in_the_text_are_those_of_the_code() -> None:
    text = " ".join(prose(PAGE).split())
    assert f"has at most {SHORT_SOURCE} characters" in text
    assert inspect.signature(Evaluations).parameters["workers"].default == 2
    assert "at most two for each server process" in text
    assert f"At most {MAX_READS} paths are kept; a value of more than {MAX_VALUE_BYTES >> 10} KiB" in text
