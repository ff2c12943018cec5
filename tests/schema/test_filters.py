"""Filters by example: what each operator finds, and that a condition goes wherever the list is."""

from typing import Any

import pytest

from tests.api import Api, definition
from tests.schema.answers import answer
from tests.schema.tree_samples import CHECK, batch, children_step, do, sequence, started

EXECUTIONS = """
  query ($where: WorkflowExecutionWhere) { workflowExecutions(where: $where) { totalCount nodes { name } } }
"""
STEPS = """
  query ($where: WorkflowStepExecutionWhere) {
    workflowStepExecutions(where: $where) { totalCount nodes { stepId workflowExecution { name } } }
  }
"""
CONTEXTS: dict[str, dict[str, Any]] = {
    "one": {"n": 1, "on": True, "customer": {"type": "llp", "tier": None}, "list": [{"n": 1}]},
    "One": {"n": "1", "on": 1, "customer": {"type": "plc"}},
    "o_e": {"n": 1.0, "on": "true", "customer": [{"type": "llp"}]},
    "%": {"n": 2, "on": False, "customer": "llp", "with space": 1},
}


@pytest.fixture
async def four(api: Api) -> Api:
    """Four executions, told apart by name and context."""
    await api.publish(definition("verify"), key="verify")
    for name, context in CONTEXTS.items():
        await api.start("verify", name=name, context=context, correlationId=f"of {name}")
    return api


async def found(api: Api, where: dict[str, Any]) -> set[str]:
    """The names of the executions that are found, by one statement."""
    data = await answer(api, EXECUTIONS, 1, where=where)
    names = {each["name"] for each in data["workflowExecutions"]["nodes"]}
    assert data["workflowExecutions"]["totalCount"] == len(names)
    return names


ALL = set(CONTEXTS)


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ({}, ALL),
        ({"name": {}}, ALL),
        ({"name": None, "context": None, "and": None, "not": None}, ALL),
        ({"name": {"eq": None}}, ALL),
        ({"name": {"eq": "one"}}, {"one"}),
        ({"name": {"eq": "ONE"}}, set()),
        ({"name": {"in": ["one", "%", "none"]}}, {"one", "%"}),
        ({"name": {"in": []}}, set()),
        ({"name": {"startsWith": "o"}}, {"one", "o_e"}),
        ({"name": {"startsWith": "o_"}}, {"o_e"}),
        ({"name": {"startsWith": ""}}, ALL),
        ({"name": {"contains": "%"}}, {"%"}),
        ({"name": {"contains": "ne"}}, {"one", "One"}),
        ({"name": {"contains": "n", "startsWith": "O"}}, {"One"}),
        ({"name": {"contains": "n"}, "correlationId": {"startsWith": "of O"}}, {"One"}),
        ({"runtimeStatus": {"eq": "IN_PROGRESS"}}, ALL),
        ({"runtimeStatus": {"in": ["FAILED", "NOT_STARTED"]}}, set()),
        ({"runtimeStatus": {"in": []}}, set()),
        ({"id": {"eq": "nonsense"}}, set()),
        ({"workflowTemplateKey": {"eq": "verify"}}, ALL),
        ({"workflowTemplateKey": {"startsWith": "x"}}, set()),
        ({"isRoot": True}, ALL),
        ({"isRoot": False}, set()),
        ({"rootWorkflowExecutionId": {"isNull": True}}, ALL),
        ({"completedAt": {"isNull": True}}, ALL),
        ({"completedAt": {"isNull": False}}, set()),
        ({"createdAt": {"gt": "2020-01-01T00:00:00Z", "lt": "2999-12-31T23:59:59.999999+14:00"}}, ALL),
        ({"completedAt": {"gt": "2020-01-01T00:00:00Z"}}, set()),
        ({"not": {"completedAt": {"gt": "2020-01-01T00:00:00Z"}}}, ALL),
        ({"not": {}}, set()),
        ({"not": {"not": {"name": {"eq": "one"}}}}, {"one"}),
        ({"and": []}, ALL),
        ({"or": []}, set()),
        ({"or": [{}]}, ALL),
        ({"or": [{"name": {"eq": "one"}}, {"name": {"eq": "%"}}], "not": {"name": {"eq": "%"}}}, {"one"}),
        ({"and": [{"name": {"contains": "n"}}, {"not": {"name": {"eq": "one"}}}]}, {"One"}),
        ({"step": {"stepId": {"eq": "verify"}, "status": {"eq": "IN_PROGRESS"}}}, ALL),
        ({"step": {"stepId": {"eq": "start"}, "status": {"eq": "IN_PROGRESS"}}}, set()),
        ({"step": {"workflowExecution": {"name": {"eq": "%"}}}}, {"%"}),
        ({"step": {"attempt": {"gte": 1, "lte": 1}, "type": {"in": ["HUMAN_CONFIRM"]}}}, ALL),
    ],
)
async def test_what_a_filter_finds(four: Api, where: dict[str, Any], names: set[str]) -> None:
    """Several members and operators must all hold; null and an empty object ask for nothing."""
    assert await found(four, where) == names


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ({"path": "n", "eq": 1}, {"one", "o_e"}),
        ({"path": "n", "eq": 1.0}, {"one", "o_e"}),
        ({"path": "n", "eq": "1"}, {"One"}),
        ({"path": "n", "eq": True}, set()),
        ({"path": "n", "in": [2, "1"]}, {"One", "%"}),
        ({"path": "n", "in": []}, set()),
        ({"path": "on", "eq": True}, {"one"}),
        ({"path": "on", "eq": 1}, {"One"}),
        ({"path": "on", "eq": "true"}, {"o_e"}),
        ({"path": "on", "in": [True, False]}, {"one", "%"}),
        ({"path": "customer.type", "eq": "llp"}, {"one"}),
        ({"path": "customer.type", "exists": True}, {"one", "One"}),
        ({"path": "customer.type", "exists": False}, {"o_e", "%"}),
        ({"path": "customer.tier", "exists": True}, {"one"}),
        ({"path": "customer.tier", "eq": None}, {"one"}),
        ({"path": "customer.none", "eq": None}, set()),
        ({"path": "customer", "eq": "llp"}, {"%"}),
        ({"path": "customer", "exists": None}, ALL),
        ({"path": "customer"}, ALL),
        ({"path": "list.0.n", "exists": True}, set()),
        ({"path": "list.n", "exists": True}, set()),
        ({"path": "list.n", "eq": 1}, set()),
        ({"path": "n", "eq": 1, "exists": False}, set()),
    ],
)
async def test_what_a_path_finds(four: Api, search: dict[str, Any], names: set[str]) -> None:
    """Types are compared too, null is a value, and arrays are not looked into (projection 7, trap 28)."""
    assert await found(four, {"context": [search]}) == names
    assert await found(four, {"not": {"context": [search]}}) == ALL - names


async def test_paths_of_one_filter_must_all_match(four: Api) -> None:
    """A list of conditions is an `and`."""
    both = [{"path": "n", "eq": 1}, {"path": "on", "eq": True}]
    assert await found(four, {"context": both}) == {"one"}
    assert await found(four, {"context": []}) == ALL


async def test_outputs_are_searched_and_only_current_attempts_are_seen(api: Api) -> None:
    """A step that is retried is found by its newest attempt alone, in lists as by `step:`."""
    await started(api, sequence("child", CHECK), name="x")
    data = await answer(api, STEPS, 1, where={"status": {"eq": "IN_PROGRESS"}})
    assert [each["stepId"] for each in data["workflowStepExecutions"]["nodes"]] == ["check"]
    (step,) = (await api.data('{ workflowStepExecutions(where: {stepId: {eq: "check"}}) { nodes { id } } }'))[
        "workflowStepExecutions"
    ]["nodes"]
    await do(api, "failStep", id=step["id"], message="no")
    await do(api, "retryStep", id=step["id"])
    for status, count in (("FAILED", 0), ("IN_PROGRESS", 1)):
        where = {"stepId": {"eq": "check"}, "status": {"eq": status}}
        data = await answer(api, STEPS, 1, where=where)
        assert data["workflowStepExecutions"]["totalCount"] == count
        data = await answer(api, EXECUTIONS, 1, where={"step": where})
        assert data["workflowExecutions"]["totalCount"] == count
    data = await answer(api, STEPS, 1, where={"id": {"eq": step["id"]}})
    assert data["workflowStepExecutions"]["totalCount"] == 0
    (again,) = (
        await answer(api, "{ workflowStepExecutions(where: {attempt: {gt: 1}}) { nodes { id } } }", 1)
    )["workflowStepExecutions"]["nodes"]
    await do(api, "completeStep", id=again["id"], outputData={"done": {"by": "Ada"}})
    search = {"outputData": [{"path": "done.by", "eq": "Ada"}]}
    data = await answer(api, STEPS, 1, where=search)
    assert data["workflowStepExecutions"]["totalCount"] == 1
    data = await answer(api, STEPS, 1, where={"not": search})
    assert data["workflowStepExecutions"]["totalCount"] == 2


async def test_lists_below_an_execution_are_filtered_too(api: Api) -> None:
    """Children, descendants, steps and the executions of a version take the same objects."""
    root = await batch(api, ["a", "b"])
    document = """
      query ($id: ID!, $child: WorkflowExecutionWhere, $step: WorkflowStepExecutionWhere) {
        workflowExecution(id: $id) {
          childWorkflowExecutions(where: $child, orderBy: [{field: CREATED_AT, direction: DESC}]) { nodes { childIndex } }
          descendantWorkflowExecutions(where: $child) { totalCount }
          steps(where: $step) { stepId }
          workflowTemplateVersion { workflowExecutions(where: $child) { totalCount } }
        }
      }
    """
    given = {"child": {"step": {"stepId": {"eq": "check"}}}, "step": {"status": {"in": ["IN_PROGRESS"]}}}
    shown = (await answer(api, document, 1, id=root, **given))["workflowExecution"]
    assert shown == {
        "childWorkflowExecutions": {"nodes": [{"childIndex": 1}, {"childIndex": 0}]},
        "descendantWorkflowExecutions": {"totalCount": 2},
        "steps": [{"stepId": "run"}],
        "workflowTemplateVersion": {"workflowExecutions": {"totalCount": 0}},
    }
    given = {"child": {"rootWorkflowExecutionId": {"eq": root}}, "step": {"type": {"eq": "END"}}}
    shown = (await answer(api, document, 1, id=root, **given))["workflowExecution"]
    assert shown["descendantWorkflowExecutions"] == {"totalCount": 2}
    assert shown["steps"] == [{"stepId": "end"}]
    data = await answer(api, EXECUTIONS, 1, where={"parentWorkflowExecutionId": {"isNull": True}})
    assert data["workflowExecutions"]["totalCount"] == 1


async def test_templates_are_filtered(api: Api) -> None:
    """By key, by name, and by whether they can be started."""
    await api.publish(sequence("child", CHECK), key="child")
    await api.publish(sequence("parent", children_step()), key="parent", activate=False)
    document = "query ($where: WorkflowTemplateWhere) { workflowTemplates(where: $where) { nodes { key } } }"
    for where, keys in (
        ({"hasActiveVersion": True}, ["child"]),
        ({"hasActiveVersion": False}, ["parent"]),
        ({"key": {"startsWith": "c"}}, ["child"]),
        ({"name": {"contains": "aren"}, "hasActiveVersion": False}, ["parent"]),
        (None, ["parent", "child"]),
    ):
        data = await answer(api, document, 1, where=where)
        assert [each["key"] for each in data["workflowTemplates"]["nodes"]] == keys


async def test_a_filter_may_nest_as_deep_as_it_is_admitted_below_the_deepest_document(api: Api) -> None:
    """SQLite's parser has a small stack; conditions move out of it as objects do."""
    await api.publish(definition("verify"), key="verify")
    await api.start("verify", context={"a": 1})
    search = '{context: [{path: "a", in: [1, 2]}], workflowTemplateKey: {in: ["verify"]}}'
    deepest = "{step: {isClaimed: false, workflowExecution: {or: [%s]}}}" % search  # noqa: UP031
    for where in (deepest, "{not: {not: {or: [%s]}}}" % search):  # noqa: UP031
        inner = f"childWorkflowExecutions(where: {where}) {{ totalCount edges {{ cursor }} }} id"
        for _ in range(3):
            inner = (
                f"workflowTemplateVersion {{ workflowExecutions(where: {where}) {{ nodes {{ {inner} }} }} }}"
            )
        document = f"{{ workflowExecutions(where: {where}) {{ totalCount nodes {{ {inner} }} }} }}"
        data = await answer(api, document, 1)
        assert data["workflowExecutions"]["totalCount"] == 1
