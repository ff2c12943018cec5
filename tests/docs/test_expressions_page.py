"""`docs/expressions.md`: every example comes to what stands behind it."""

import inspect
import json
import re
from dataclasses import dataclass
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
from tests.docs.owners import runs
from tests.docs.pages import Block, all_blocks, blocks, code, only_block, prose, table

PAGE = "docs/expressions.md"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
_EXAMPLE = re.compile(r"(?P<src>.*\S)\s*/\* (?P<told>.*) \*/")


@dataclass(frozen=True, slots=True)
class Example:
    """A line of a block: source, and what stands behind it."""

    block: Block
    number: int

    @property
    def line(self) -> str:
        return self.block.text.splitlines()[self.number]

    @property
    def parts(self) -> tuple[str, str]:
        found = _EXAMPLE.fullmatch(self.line)
        assert found, f"{self.block}: {self.line}"
        return found["src"], found["told"]


def runs_examples(role: str) -> pytest.MarkDecorator:
    """Once for each example of this kind, as the argument `example`."""
    found = [
        Example(block, number)
        for block in blocks(PAGE)
        if (block.language, block.role) == ("jsonata", role)
        for number in range(len(block.text.splitlines()))
    ]
    assert found
    params = [pytest.param(each, marks=runs(each.block), id=f"{each.block}: {each.line}") for each in found]
    return pytest.mark.parametrize("example", params)


def page_input() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(only_block(PAGE, "input").text)
    return loaded


def value_of(src: str, **options: Any) -> Evaluation:
    return evaluate(src, page_input(), now=NOW, **options)


@runs_examples("values")
def test_a_value_is_what_stands_behind_it(example: Example) -> None:
    src, told = example.parts
    value = value_of(src).value
    if told == "nothing":
        assert value is NOTHING
    else:
        assert (value, type(value)) == (json.loads(told), type(json.loads(told)))


@runs_examples("conditions")
def test_a_condition_is_cast_to_what_stands_behind_it(example: Example) -> None:
    """`runtime.md` X1."""
    src, told = example.parts
    assert cast_to_boolean(value_of(src).value) is json.loads(told)


@runs_examples("refused")
def test_what_is_refused_fails_with_the_code_behind_it(example: Example) -> None:
    src, told = example.parts
    with pytest.raises(ExpressionFailed) as failed:
        value_of(src)
    assert failed.value.code == told


@runs_examples("light")
def test_an_expression_is_evaluated_in_the_process_behind_it(example: Example) -> None:
    src, told = example.parts
    assert is_light(src) is (told == "here")


@runs_examples("reads")
def test_what_is_read_stands_behind_it(example: Example) -> None:
    """`runtime.md` S5."""
    src, told = example.parts
    assert [read.path for read in value_of(src, record_reads=True).reads] == json.loads(told)


def test_every_example_has_a_kind_that_is_tested() -> None:
    roles = {block.role for block in all_blocks("jsonata")}
    assert roles == {"values", "conditions", "refused", "light", "reads"}


def test_every_name_of_the_input_is_listed() -> None:
    assert {code(row[0]) for row in table(PAGE, "Input")} == VARIABLES


@runs(only_block(PAGE, "input"))
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
