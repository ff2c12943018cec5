"""A query of one list is answered on a way of its own: as if the list stood among other fields."""

from typing import Any

import pytest

from db.session import AnswerTooLong
from tests.api import Api, definition

LISTS = {
    "plain": "workflowExecutions { totalCount nodes { name } }",
    "alias": "all: workflowExecutions(first: $first) { nodes { name runtimeStatus } pageInfo { hasNextPage } }",
    "filter": 'workflowExecutions(where: {name: {eq: "b"}}) { nodes { name } }',
    "queue": "workflowStepExecutions { nodes { stepId status } }",
    "templates": "workflowTemplates { nodes { key versions { nodes { version } } } }",
    "changes": "changes(first: 3) { nodes { kind } }",
    "skipped": "workflowExecutions @skip(if: $yes) { totalCount }",
    "kept": "workflowExecutions @include(if: $yes) { totalCount }",
    "fields left out": "workflowExecutions { totalCount nodes @skip(if: $yes) { name } }",
    "by a resolver": 'workflowTemplate(key: "verify") { key }',
    "typename": "__typename",
    "page too large": "workflowExecutions(first: 501) { totalCount }",
    "variable too large": "wrong: workflowExecutions(first: $large) { nodes { name } }",
    "no cursor": 'workflowExecutions(after: "x") { nodes { name } }',
    "NUL": 'workflowExecutions(where: {name: {eq: "\\u0000"}}) { totalCount }',
}
VARIABLES = {"first": 1, "large": 501, "yes": True}


@pytest.fixture
async def two(api: Api) -> Api:
    """Two executions, of one template."""
    await api.publish(definition("verify"), key="verify")
    for name in "ab":
        await api.start("verify", name=name)
    return api


async def run(api: Api, selection: str) -> dict[str, Any]:
    """The answer, its errors without the places in the document."""
    names = {"first": "Int", "large": "Int", "yes": "Boolean!"}
    used = {name: type_ for name, type_ in names.items() if f"${name}" in selection}
    declared = ", ".join(f"${name}: {type_}" for name, type_ in used.items())
    head = f"query ({declared})" if declared else "query"
    answer: dict[str, Any] = await api.run(
        f"{head} {{ {selection} }}", {name: VARIABLES[name] for name in used}
    )
    assert all(each.pop("locations") for each in answer.get("errors", ()))
    return answer


@pytest.mark.parametrize("case", LISTS)
async def test_a_lone_list_is_answered_as_one_that_a_fragment_brings_in(two: Api, case: str) -> None:
    for _ in range(2):  # compiled, then kept
        assert await run(two, LISTS[case]) == await run(two, f"... {{ {LISTS[case]} }}")


async def test_what_goes_wrong_with_a_lone_list_is_told_at_its_place(two: Api) -> None:
    answer = await two.run("{\n  wrong: workflowExecutions(first: 501) { totalCount } }")
    assert answer["data"] is None
    (error,) = answer["errors"]
    assert (error["path"], error["locations"]) == (["wrong"], [{"line": 2, "column": 3}])
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}


async def test_a_lone_list_that_cannot_be_read_is_an_error(two: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(_text: str, _arguments: list[Any]) -> str | None:
        raise AnswerTooLong

    monkeypatch.setattr(two.database, "read", read)
    told = await run(two, LISTS["plain"])
    assert told == await run(two, f"... {{ {LISTS['plain']} }}")
    assert told["errors"][0]["extensions"] == {"code": "LIMIT_EXCEEDED"}
