"""GraphiQL where only trusted documents run: what it has ready runs as it stands, what is changed does not (A5)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext

from tests.browser.graphiql_page import GraphiQLPage
from tests.databases import sqlite_url
from tests.servers import ServerProcess

pytestmark = pytest.mark.browser


@pytest.fixture
def trusting(tmp_path: Path) -> Iterator[ServerProcess]:
    options = ("--demo", "--database", sqlite_url(tmp_path / "x.db"), "--documents", "trusted")
    with ServerProcess(*options, cwd=tmp_path) as server:
        yield server


async def test_a5_ready_operations_are_the_trusted_documents(
    browser_context: BrowserContext, trusting: ServerProcess
) -> None:
    graphiql = await GraphiQLPage.open(browser_context, f"{trusting.url}/graphql")
    await graphiql.run("TemplateDetail")
    await graphiql.expect_answer('"workflowTemplate"')
    await graphiql.page.locator(".graphiql-query-editor .view-lines").click()
    await graphiql.page.keyboard.type(" ")
    await graphiql.page.get_by_role("button", name="Execute query").click()
    await graphiql.expect_answer("DOCUMENT_NOT_TRUSTED")
