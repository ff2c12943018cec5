"""The console where the server asks for tokens: it asks for one, shows it over both transports, and tells what it lacks."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, expect

from tests.browser.console_page import ConsolePage
from tests.databases import sqlite_url
from tests.issuer import AUDIENCE, ISSUER, SECRET, secret_token
from tests.servers import ServerProcess

pytestmark = pytest.mark.browser


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[ServerProcess]:
    options = ("--demo", "--database", sqlite_url(tmp_path / "x.db"), "--auth", "jwt")
    variables = {
        "STEPGRAPH_JWT_ISSUER": ISSUER,
        "STEPGRAPH_JWT_AUDIENCE": AUDIENCE,
        "STEPGRAPH_JWT_SECRET": SECRET,
    }
    with ServerProcess(*options, cwd=tmp_path, variables=variables) as server:
        yield server


async def test_a_token_is_asked_for_kept_for_the_tab_and_what_it_lacks_is_told(
    browser_context: BrowserContext, asking: ServerProcess
) -> None:
    console = await ConsolePage.open(browser_context, asking.url)
    page = console.page
    await expect(page.get_by_text("The server asks for another token.")).to_be_visible()
    await page.get_by_label("Bearer token").fill(secret_token())
    await page.get_by_role("button", name="Use it").click()
    # The list comes over the WebSocket, how many there are over HTTP.
    await expect(page.get_by_text("There is none.")).to_be_visible()
    await expect(page.get_by_text("0 in all")).to_be_visible()

    await page.reload()
    await expect(page.get_by_text("There is none.")).to_be_visible()
    await console.go("templates/verify")
    await page.get_by_role("form", name="Start", exact=True).get_by_role("button", name="Start").click()
    await expect(page.get_by_role("alert")).to_contain_text("executions:write")

    other = await ConsolePage.open(browser_context, asking.url)
    await expect(other.page.get_by_text("The server asks for another token.")).to_be_visible()
