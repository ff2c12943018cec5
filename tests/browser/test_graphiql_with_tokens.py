"""GraphiQL where tokens are asked for: its headers editor serves queries, commands and subscriptions alike (A1)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext

from tests.browser.graphiql_page import GraphiQLPage
from tests.browser.witness import Witness
from tests.databases import sqlite_url
from tests.issuer import AUDIENCE, ISSUER, SECRET, secret_token
from tests.servers import ServerProcess

pytestmark = pytest.mark.browser


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that asks for tokens."""
    variables = {
        "STEPGRAPH_AUTH": "jwt",
        "STEPGRAPH_JWT_ISSUER": ISSUER,
        "STEPGRAPH_JWT_AUDIENCE": AUDIENCE,
        "STEPGRAPH_JWT_SECRET": SECRET,
    }
    options = ("--demo", "--database", sqlite_url(tmp_path / "x.db"))
    with ServerProcess(*options, cwd=tmp_path, variables=variables) as server:
        yield server


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
async def test_a1_a_subscription_shows_the_token_of_the_headers_editor(
    browser_context: BrowserContext, witness: Witness, asking: ServerProcess, name: str
) -> None:
    headers = json.dumps({name: f"Bearer {secret_token(scope='executions:write')}"})
    graphiql = await GraphiQLPage.open(browser_context, f"{asking.url}/graphql")
    await graphiql.run("StartExecution", headers=headers)
    await graphiql.expect_answer('"__typename": "TransitionSuccess"')
    await graphiql.run("WatchExecution", headers=headers)
    await graphiql.expect_answer('"runtimeStatus": "IN_PROGRESS"')
    assert witness.sockets == [asking.websocket_url]


async def test_a1_without_a_token_neither_is_answered(
    browser_context: BrowserContext, asking: ServerProcess
) -> None:
    graphiql = await GraphiQLPage.open(browser_context, f"{asking.url}/graphql")
    await graphiql.run("TemplateList")
    await graphiql.expect_answer("UNAUTHENTICATED")
    await graphiql.run("WatchExecution")
    await graphiql.expect_answer("4401")
