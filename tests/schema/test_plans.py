"""Compiled selections: kept by text and shape of the variables, for every request that they fit and for no other."""

import gc

import pytest
from graphql import Location

from schema.projection.executor import ProjectionExecutor
from tests.api import Api, definition
from tests.schema.answers import answer
from tests.schema.fabricated import CountingPlans


async def test_a_document_is_compiled_once_for_all_values_of_a_shape(api: Api, plans: CountingPlans) -> None:
    """Texts and numbers are bound or written in when the statement runs, the page's size too."""
    document = """
      query ($key: String!, $first: Int, $after: String) {
        workflowTemplate(key: $key) { key versions(first: $first, after: $after) { nodes { version } } }
      }
    """
    for key in ("one", "two"):
        await api.publish(definition("verify"), key=key)
    plans.compiled = 0
    for key, first in (("one", 1), ("two", 0), ("none", 500)):
        data = await api.data(document, key=key, first=first)
        nodes = [{"version": "1.0.0"}] * min(first, 1)
        expected = {"key": key, "versions": {"nodes": nodes}} if key != "none" else None
        assert data == {"workflowTemplate": expected}
    assert plans.compiled == 1
    await api.data(document, key="one", first=None)
    await api.data(document, key="one")
    assert plans.compiled == 3


async def test_documents_with_equal_nodes_are_not_taken_for_each_other(
    api: Api, plans: CountingPlans
) -> None:
    """graphql-core compares nodes by what they hold: the field is the same in both, the fragment is not (projection 2)."""
    await api.publish(definition("verify"), key="verify")
    document = '{ workflowTemplate(key: "verify") { ...F } } fragment F on WorkflowTemplate { %s }'
    assert await api.data(document % "key") == {"workflowTemplate": {"key": "verify"}}
    assert await api.data(document % "name") == {"workflowTemplate": {"name": "Verify customer"}}


async def test_operations_of_one_document_are_not_taken_for_each_other(
    api: Api, plans: CountingPlans
) -> None:
    """The same response key in two operations."""
    await api.publish(definition("verify"), key="verify")
    document = """
      query A { workflowTemplate(key: "verify") { key } }
      query B { workflowTemplate(key: "verify") { name } }
    """
    for name, expected in (("A", {"key": "verify"}), ("B", {"name": "Verify customer"})):
        for _ in range(2):
            answer = await api.run(document, operation_name=name)
            assert answer == {"data": {"workflowTemplate": expected}}


async def test_merged_fields_that_depend_on_a_variable_are_kept_apart(api: Api, plans: CountingPlans) -> None:
    """A boolean decides about the text, so it belongs to the shape."""
    await api.publish(definition("verify"), key="verify")
    document = """
      query ($more: Boolean!) {
        workflowTemplate(key: "verify") { key }
        ... @include(if: $more) { workflowTemplate(key: "verify") { name } }
      }
    """
    for more in (True, False, True, False):
        expected = {"key": "verify"} | ({"name": "Verify customer"} if more else {})
        assert await api.data(document, more=more) == {"workflowTemplate": expected}


async def test_a_command_is_compiled_once_whatever_json_it_carries(api: Api, plans: CountingPlans) -> None:
    """Else every command compiled anew, and drove out a plan of a query with one that nobody needs again."""
    await api.publish(definition("verify"), key="verify")
    document = """
      mutation ($id: ID!, $output: JSONObject, $input: CancelWorkflowExecutionInput!) {
        completeStep(input: {id: $id, outputData: $output}) { ... on TransitionSuccess { revision } }
        cancelWorkflowExecution(input: $input) { __typename }
      }
    """
    outputs = (
        {"verified": True},
        {"verified": False, "more": [1, 2, {"a": None}]},
        {"verified": True, "x": "y"},
    )
    compiled = set()
    for number, output in enumerate(outputs):
        started = await api.start("verify")
        verify = next(step["id"] for step in started["steps"] if step["stepId"] == "verify")
        plans.compiled = 0
        given = {"id": started["id"], "reason": f"because {number}"}
        data = await api.data(document, id=verify, output=output, input=given)
        assert data["completeStep"]["revision"] > started["revision"]
        compiled.add(plans.compiled)
        if number == 0:
            compiled.clear()
    assert compiled == {0}


@pytest.mark.parametrize("length", [16 << 10, (16 << 10) + 1])
async def test_a_long_document_is_compiled_each_time(api: Api, plans: CountingPlans, length: int) -> None:
    """It costs a millisecond; a thousand of the longest in memory cost a gigabyte."""
    document = "{ workflowTemplates { totalCount } }".ljust(length)
    for _ in range(2):
        assert await api.data(document) == {"workflowTemplates": {"totalCount": 0}}
    assert plans.compiled == (1 if length <= 16 << 10 else 0)


async def test_a_plan_keeps_neither_its_document_nor_its_request(api: Api, plans: CountingPlans) -> None:
    """A node of the document holds all of its tokens, 70 times its text; a request holds its variables and context."""
    await api.publish(definition("verify"), key="verify")
    document = """
      query ($key: String!, $after: String, $id: String = "x") { workflowTemplate(key: $key) {
        versions(first: 2, after: $after) { nodes { id } pageInfo { endCursor } edges { cursor } }
        activeVersion { workflowTemplate { versions(last: 1) { totalCount } } }
      } workflowExecution(id: "exec_01h455vb4pex5vsknk084sn02q") { step(stepId: $id) { id } } }
    """
    plans.compiled = 0
    await api.data(document, key="verify", after=None)
    assert plans.compiled == 2
    gc.collect()
    held = [each for each in gc.get_objects() if isinstance(each, Location) and each.source.body == document]
    assert held == []
    running = [
        each
        for each in gc.get_objects()
        if isinstance(each, ProjectionExecutor) and each.context_value is api.context
    ]
    assert running == []


async def test_what_is_always_the_same_is_asked_of_the_database_once(api: Api, plans: CountingPlans) -> None:
    """Many clients select nothing of a command's answer: they follow a subscription."""
    await api.publish(definition("verify"), key="verify")
    create = (
        'mutation { created: createWorkflowExecution(input: {workflowTemplateKey: "verify"}) { __typename } }'
    )
    expected = {"created": {"__typename": "TransitionSuccess"}}
    assert await answer(api, create, 1) == expected
    assert await answer(api, create, 0) == expected
    seen = create.replace("__typename", "__typename ... on TransitionSuccess { revision }")
    for _ in range(2):
        assert await answer(api, seen, 1) == {"created": {"__typename": "TransitionSuccess", "revision": 5}}


async def test_a_list_by_ids_is_compiled_once_for_all_ids(api: Api, plans: CountingPlans) -> None:
    """They are one parameter, however many there are."""
    await api.publish(definition("verify"), key="verify")
    document = "query ($id: ID!) { explainStep(id: $id) { waitingFor { stepId } } }"
    start, verify, end = (await api.start("verify"))["steps"]
    plans.compiled = 0
    for step, expected in ((end, [{"stepId": "verify"}]), (start, []), (verify, [])):
        data = await api.data(document, id=step["id"])
        assert data == {"explainStep": {"waitingFor": expected}}
    assert plans.compiled == 1
