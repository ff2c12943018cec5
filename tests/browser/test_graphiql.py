"""In GraphiQL one starts an execution, watches it, completes a step and sees it end, live.

Nothing is typed: the ids in the variables of each ready operation come from the answers before it.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import BrowserContext, expect

from tests.browser.graphiql_page import GraphiQLPage
from tests.browser.witness import Witness

FRONTEND_QUERIES = Path(__file__).parents[2] / "frontend_queries"
PUBLISH_VERIFY = """
mutation ($input: CreateWorkflowTemplateInput!) {
  createWorkflowTemplate(input: $input) { __typename ... on ValidationFailed { issues { code } } }
}
"""
VERIFY = {
    "id": "verify",
    "name": "Verify customer",
    "steps": [
        {"id": "start", "type": "start", "name": "Start"},
        {"id": "verify", "type": "human.confirm", "name": "Verify"},
        {"id": "end", "type": "end", "name": "End"},
    ],
    "stepTransitions": [
        {"id": "t1", "fromStepId": "start", "toStepId": "verify"},
        {"id": "t2", "fromStepId": "verify", "toStepId": "end"},
    ],
}

INLINE_SCRIPT = "document.body.append(Object.assign(document.createElement('script'), {textContent: '1'}))"

pytestmark = pytest.mark.browser


@pytest.fixture
async def page_url(live_server: Any) -> str:
    """Where GraphiQL is, on a server that has the template that the sample variables name."""
    url = f"{live_server.url.rstrip('/')}/graphql"
    variables = {
        "input": {
            "name": "Verify customer",
            "key": "verify",
            "definition": VERIFY,
            "publish": True,
            "activate": True,
        }
    }
    async with httpx.AsyncClient() as client:
        answer = await client.post(url, json={"query": PUBLISH_VERIFY, "variables": variables})
    result = answer.json()["data"]["createWorkflowTemplate"]
    assert result["__typename"] == "TemplateSuccess" or result["issues"][0]["code"] == "KEY_TAKEN", result
    return url


async def test_a8_the_page_loads_without_an_error_a_violation_or_a_foreign_host(
    browser_context: BrowserContext, witness: Witness, page_url: str
) -> None:
    graphiql = await GraphiQLPage.open(browser_context, page_url)
    # The explorer draws the schema once it has been fetched and the workers of the editors run.
    await graphiql.page.get_by_role("button", name="Show GraphiQL Explorer").click()
    await expect(graphiql.page.locator(".docExplorerWrap")).to_contain_text("createWorkflowExecution")
    assert witness.errors == []
    assert witness.hosts == {urlsplit(page_url).netloc}


async def test_a8_the_policy_is_enforced_and_the_witness_would_tell(
    browser_context: BrowserContext, witness: Witness, page_url: str
) -> None:
    graphiql = await GraphiQLPage.open(browser_context, page_url)
    async with graphiql.page.expect_console_message(lambda message: message.type == "error") as refused:
        await graphiql.page.evaluate(INLINE_SCRIPT)
    assert "Content Security Policy" in (await refused.value).text
    assert witness.errors


async def test_every_operation_of_frontend_queries_is_offered(
    browser_context: BrowserContext, page_url: str
) -> None:
    graphiql = await GraphiQLPage.open(browser_context, page_url)
    offered = await graphiql.panel.get_by_role("button").all_inner_texts()
    assert sorted(offered) == sorted(path.stem for path in FRONTEND_QUERIES.glob("*.graphql"))


async def test_the_first_visit_finds_ready_tabs_with_their_variables(
    browser_context: BrowserContext, page_url: str
) -> None:
    graphiql = await GraphiQLPage.open(browser_context, page_url)
    await expect(graphiql.tabs).to_have_text(
        [
            "StartExecution",
            "WatchExecution",
            "CompleteStep",
            "ExecutionDetail",
            "ExecutionList",
            "WorkQueue",
            "TemplateList",
        ]
    )
    await expect(graphiql.variables).to_contain_text('"workflowTemplateKey": "verify"')


async def test_a_ready_operation_runs_and_shows_its_answer(
    browser_context: BrowserContext, witness: Witness, page_url: str
) -> None:
    graphiql = await GraphiQLPage.open(browser_context, page_url)
    await graphiql.run("StartExecution")
    await graphiql.expect_answer('"__typename": "TransitionSuccess"')
    await graphiql.expect_answer('"runtimeStatus": "IN_PROGRESS"')
    assert witness.errors == []


async def test_a_step_completed_in_one_tab_is_seen_live_in_another(
    browser_context: BrowserContext, witness: Witness, page_url: str
) -> None:
    watching = await GraphiQLPage.open(browser_context, page_url)
    await watching.run("StartExecution")
    await watching.expect_answer('"__typename": "TransitionSuccess"')
    await watching.run("WatchExecution")
    await watching.expect_answer('"runtimeStatus": "IN_PROGRESS"')

    working = await GraphiQLPage.open(browser_context, page_url)
    await working.run("CompleteStep")
    await working.expect_answer('"__typename": "TransitionSuccess"')

    await watching.expect_answer('"runtimeStatus": "COMPLETED"')
    await watching.expect_idle()
    assert witness.sockets == [page_url.replace("http", "ws", 1)]
    assert witness.errors == []
    assert witness.hosts == {urlsplit(page_url).netloc}
