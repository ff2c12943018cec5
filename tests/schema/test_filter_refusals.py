"""What a filter or a page must not hold: refused with its place, on every list, before the database hears of it."""

from typing import Any

import pytest

from tests.api import Api, definition
from tests.schema.answers import answer, refused

DOCUMENT = "query ($where: WorkflowExecutionWhere) { workflowExecutions(where: $where) { %s } }"
TOO_DEEP: dict[str, Any] = {"not": {"and": [{}, {"or": [{"not": {"name": {"eq": "x"}}}]}]}}
TOO_FAR: dict[str, Any] = {"step": {"workflowExecution": {"step": {}}}}
NAMES = "it must be names of letters, digits, '_' and '-', joined by dots."
COMPARE = "only texts, numbers, booleans and null compare."


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (TOO_DEEP, "where.not.and[1].or[0].not nests more than 3 levels deep."),
        (TOO_FAR, "where.step.workflowExecution.step is more than 2 relations away."),
        (
            {"step": {"and": [{"workflowExecution": {"not": {}}}]}},
            "where.step.and[0].workflowExecution.not nests more than 3 levels deep.",
        ),
        ({"or": [{}] * 101}, "where has 101 conditions; at most 100 are allowed."),
        (
            {"and": [{"name": {"eq": "x", "contains": "x"}}] * 34},
            "where has 102 conditions; at most 100 are allowed.",
        ),
        (
            {"context": [{"path": "a", "exists": True}] * 51},
            "where has 102 conditions; at most 100 are allowed.",
        ),
        ({"name": {"in": ["x"] * 501}}, "where.name.in has 501 values; at most 500 are allowed."),
        (
            {"context": [{"path": "a", "in": [1] * 501}]},
            "where.context[0].in has 501 values; at most 500 are allowed.",
        ),
        ({"name": {"eq": "a\0"}}, "where.name.eq holds a NUL character or a lone surrogate."),
        (
            {"id": {"in": ["a", "\ud800"]}},
            "where.id.in[1] holds a NUL character or a lone surrogate.",
        ),
        (
            {"not": {"step": {"claimedBy": {"startsWith": "\0"}}}},
            "where.not.step.claimedBy.startsWith holds a NUL character or a lone surrogate.",
        ),
        ({"context": [{"path": "", "eq": 1}]}, f"where.context[0].path is ''; {NAMES}"),
        ({"context": [{"path": "a"}, {"path": "a[0]"}]}, f"where.context[1].path is 'a[0]'; {NAMES}"),
        ({"context": [{"path": "$.a"}]}, f"where.context[0].path is '$.a'; {NAMES}"),
        ({"context": [{"path": "a..b"}]}, f"where.context[0].path is 'a..b'; {NAMES}"),
        ({"context": [{"path": 'a"b'}]}, f"where.context[0].path is 'a\"b'; {NAMES}"),
        ({"context": [{"path": "a\n"}]}, f"where.context[0].path is 'a\\n'; {NAMES}"),
        ({"context": [{"path": "a'; --"}]}, f'where.context[0].path is "a\'; --"; {NAMES}'),
        ({"context": [{"path": "é" * 200 + "!"}]}, f"where.context[0].path is '{'é' * 100}'; {NAMES}"),
        (
            {"context": [{"path": ".".join("a" * 65)}]},
            "where.context[0].path has 65 names; at most 64 are allowed.",
        ),
        ({"context": [{"path": "a", "eq": {"b": 1}}]}, f"where.context[0].eq is an object; {COMPARE}"),
        ({"context": [{"path": "a", "eq": []}]}, f"where.context[0].eq is an array; {COMPARE}"),
        (
            {"step": {"outputData": [{"path": "a", "in": [1, [2]]}]}},
            f"where.step.outputData[0].in[1] is an array; {COMPARE}",
        ),
    ],
)
async def test_a_wrong_filter_is_refused_wherever_it_stands(
    api: Api, where: dict[str, Any], message: str
) -> None:
    """Whatever is selected, in a variable or nested, and though no entry may be there to ask for it."""
    for selection in ("__typename", "totalCount", "nodes { id }"):
        assert await refused(api, DOCUMENT % selection, where=where) == message
    nested = """
      query ($where: WorkflowExecutionWhere) {
        workflowTemplates { nodes { versions { nodes { workflowExecutions(where: $where) { __typename } } } } }
      }
    """
    assert await refused(api, nested, where=where) == message


async def test_what_is_just_admitted_is_answered(api: Api) -> None:
    """As deep, as far, as wide and as long as may be; on SQLite's small stack too."""
    await api.publish(definition("verify"), key="verify")
    await api.start("verify", name="x", context={"a": 1})
    fine: list[dict[str, Any]] = [
        {"not": {"and": [{}, {"or": [{"name": {"eq": "x"}}, {"context": [{"path": "a", "in": [1]}]}]}]}},
        {"step": {"workflowExecution": {"or": [{"context": [{"path": "a", "in": [2]}]}]}}},
        {"or": [{"not": {"step": {"claimedBy": {"startsWith": "x"}, "stepId": {"eq": "verify"}}}}]},
        {"or": [{"name": {"eq": "x"}}] * 50},
        {"context": [{"path": "a", "eq": 1}] * 50},
        {"name": {"in": ["x"] * 500}},
        {"context": [{"path": ".".join("a" * 64), "exists": False}]},
        {"context": [{"path": "ключ-1_", "exists": False}]},
    ]
    counts = []
    for where in fine:
        data = await answer(api, DOCUMENT % "totalCount nodes { id } pageInfo { endCursor }", 1, where=where)
        counts.append(data["workflowExecutions"]["totalCount"])
    assert counts == [0, 0, 1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(
    "field",
    [
        "workflowExecutions",
        "workflowStepExecutions",
        "workflowTemplates",
    ],
)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("first: 501", "first is 501; it must be from 0 to 500."),
        ("last: -1", "last is -1; it must be from 0 to 500."),
        ("first: 1, last: 1", "first and last cannot be given together."),
        ('after: "zz"', "after is not a cursor of this list."),
        ('before: "5b5d"', "before is not a cursor of this list."),
    ],
)
async def test_a_wrong_page_is_refused_on_every_list(
    api: Api, field: str, arguments: str, message: str
) -> None:
    """At the root nothing above it vouches for it."""
    assert await refused(api, f"{{ {field}({arguments}) {{ __typename }} }}") == message


@pytest.mark.parametrize("levels", [4, 50, 100])
async def test_a_filter_of_any_depth_is_refused_and_breaks_nothing(api: Api, levels: int) -> None:
    """Recursion ends where the levels that are admitted end."""
    where: dict[str, Any] = {}
    for _ in range(levels):
        where = {"and": [where]}
    answer = await api.run(DOCUMENT % "__typename", {"where": where})
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}, error


async def test_no_value_of_a_request_is_in_the_text_of_a_statement(api: Api) -> None:
    """Texts, numbers, moments, paths and cursors are bound; only members of enums stand in the text."""
    where = {
        "name": {"eq": "m1", "in": ["m2"], "startsWith": "m3", "contains": "m4"},
        "context": [{"path": "m5.m6", "eq": "m7", "in": ["m8", 77177], "exists": True}],
        "createdAt": {"gt": "2001-02-03T04:05:06Z"},
        "step": {"attempt": {"gt": 77178}, "status": {"eq": "FAILED"}},
    }
    cursor = b'["name asc,id asc","m9","m10"]'.hex()
    document = """
      query ($where: WorkflowExecutionWhere, $after: String) {
        workflowExecutions(where: $where, after: $after, orderBy: [{field: NAME, direction: ASC}]) {
          totalCount nodes { id } pageInfo { hasPreviousPage }
        }
      }
    """
    await answer(api, document, 1, where=where, after=cursor)
    (text,) = api.database.statements
    values = [*(f"m{number}" for number in range(1, 11)), "77177", "77178", "2001"]
    assert [value for value in values if value in text] == []
    assert "'Failed'" in text


async def test_documents_that_are_not_selected_are_not_in_the_statement(api: Api) -> None:
    """A context has up to a mebibyte; a list that does not show it must not read it, nor count it into a sort."""
    listed = """
      { workflowExecutions(where: {step: {isOverdue: true}}, orderBy: [{field: NAME, direction: ASC}]) {
          totalCount nodes { id name steps(where: {status: {eq: FAILED}}) { id stepId } }
          edges { cursor } pageInfo { hasNextPage }
      } workflowStepExecutions { nodes { id workflowExecution { name } } } }
    """
    await answer(api, listed, 2)
    for text in api.database.statements:
        assert "context" not in text
        assert "output_data" not in text
    await answer(api, '{ workflowExecutions(where: {context: [{path: "a"}]}) { nodes { id } } }', 1)
    assert "context" not in api.database.statements[0]
    await answer(api, '{ workflowExecutions(where: {context: [{path: "a", eq: 1}]}) { nodes { id } } }', 1)
    assert "context" in api.database.statements[0]


async def test_a_count_that_is_not_selected_is_not_made(api: Api) -> None:
    """It reads as much as the list has entries."""
    for selection, counts in (("nodes { id }", 0), ("nodes { id } totalCount", 1)):
        await answer(api, f'{{ workflowExecutions(where: {{name: {{eq: "x"}}}}) {{ {selection} }} }}', 1)
        assert api.database.statements[0].count("select count(*)") == counts
