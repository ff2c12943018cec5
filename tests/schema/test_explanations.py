"""What is computed, not projected: explanations and expressions; only the steps that are named are read."""

from typing import Any

import pytest

from tests.api import Api
from tests.schema.answers import answer
from tests.schema.tree_samples import CHECK, batch, sequence, started, step_id_of


async def test_an_explanation_lists_the_steps_that_are_waited_for_in_one_statement(api: Api) -> None:
    """Whatever is selected of them; and none where they are not selected."""
    root = await batch(api, [1])
    end = await step_id_of(api, root, "end")
    document = """
      query ($id: ID!) { explainStep(id: $id) {
        summary expression reads { path value }
        waitingFor { stepId childProgress { total } childWorkflowExecutions { item } workflowExecution { id } }
      } }
    """
    assert (await answer(api, document, 1, id=end))["explainStep"] == {
        "summary": "Flow has not arrived; it may come from 'run'.",
        "expression": None,
        "reads": [],
        "waitingFor": [
            {
                "stepId": "run",
                "childProgress": {"total": 1},
                "childWorkflowExecutions": [{"item": 1}],
                "workflowExecution": {"id": root},
            }
        ],
    }
    assert await answer(api, "query ($id: ID!) { explainStep(id: $id) { __typename } }", 0, id=end) == {
        "explainStep": {"__typename": "StepExplanation"}
    }
    run = await step_id_of(api, root, "run")
    assert (await answer(api, document, 1, id=run))["explainStep"]["waitingFor"] == []
    assert await answer(api.as_tenant("somebody-else"), document, 0, id=end) == {"explainStep": None}


async def test_an_explanation_of_a_policy_shows_what_it_read(api: Api) -> None:
    """S5: the expression, and each path with its value; null is a value."""
    policy = {"enabledWhen": {"src": "__context__.company.type = 'LTD' and __context__.on"}}
    root = await started(
        api,
        sequence("guarded", CHECK, CHECK | {"id": "second", "activationPolicy": policy}),
        context={"company": {"type": "LTD"}, "on": None},
    )
    document = "query ($id: ID!) { explainStep(id: $id) { summary expression reads { path value } waitingFor { id } } }"
    assert (await answer(api, document, 1, id=await step_id_of(api, root, "second")))["explainStep"] == {
        "summary": "Its policy was not true; flow will go through it.",
        "expression": "__context__.company.type = 'LTD' and __context__.on",
        "reads": [
            {"path": "__context__.company.type", "value": "LTD"},
            {"path": "__context__.on", "value": None},
        ],
        "waitingFor": [],
    }


@pytest.mark.parametrize(
    ("src", "value", "error"),
    [
        ("__context__.a", {"b": None}, None),
        ("__context__.nothing", None, None),
        ("__steps__.start.status", "Completed", None),
        ("$error('boom')", None, "The expression $error('boom') failed: boom."),
    ],
)
async def test_an_expression_is_tried_on_an_execution(
    api: Api, src: str, value: Any, error: str | None
) -> None:
    """No statement of a projection: it is computed."""
    root = await started(api, sequence("tried", CHECK), context={"a": {"b": None}})
    document = """
      query ($id: ID!, $src: String!) { evaluateExpression(workflowExecutionId: $id, src: $src) { value error } }
    """
    expected = {"evaluateExpression": {"value": value, "error": error}}
    assert await answer(api, document, 0, id=root, src=src) == expected
    other = api.as_tenant("somebody-else")
    assert await answer(other, document, 0, id=root, src=src) == {"evaluateExpression": None}
