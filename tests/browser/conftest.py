"""Headless Chromium, told to look up no host but this machine."""

import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, async_playwright, expect

from server.pages import DIST
from tests.browser.graphiql_page import Witness

CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# Milliseconds: on a machine that is busy with other tests an editor may take long to appear.
expect.set_options(timeout=60_000)
NO_FOREIGN_HOSTS = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"


@pytest.fixture(scope="session")
def chromium() -> str:
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if found is None:
        pytest.skip("Chromium is not installed: apt-get install chromium-headless-shell")
    return found


@pytest.fixture(scope="session")
def graphiql_bundle() -> Path:
    if not (DIST / "index.html").is_file():
        pytest.skip("GraphiQL is not built: make graphiql")
    return DIST


@pytest.fixture
async def browser_context(
    chromium: str, graphiql_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[BrowserContext]:
    # Playwright's own Node needs libatomic, which a small machine lacks; any other Node will do.
    node = shutil.which("node", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if node and "PLAYWRIGHT_NODEJS_PATH" not in os.environ:
        monkeypatch.setenv("PLAYWRIGHT_NODEJS_PATH", node)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=[NO_FOREIGN_HOSTS])
        # Tall enough for Monaco to draw a whole answer: it draws only the lines that are seen.
        yield await browser.new_context(viewport={"width": 1600, "height": 2400})
        await browser.close()


@pytest.fixture
def witness(browser_context: BrowserContext) -> Witness:
    return Witness(browser_context)
