"""Headless Chromium, told to look up no host but this machine."""

import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from server.pages import CONSOLE, GRAPHIQL
from tests.browser.witness import Witness

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
def bundles() -> None:
    for bundle in (CONSOLE, GRAPHIQL):
        if not (bundle.dist / "index.html").is_file():
            pytest.skip(f"{bundle.title} is not built: make {bundle.target}")


@pytest.fixture
async def browser(chromium: str, bundles: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Browser]:
    # Playwright's own Node needs libatomic, which a small machine lacks; any other Node will do.
    node = shutil.which("node", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if node and "PLAYWRIGHT_NODEJS_PATH" not in os.environ:
        monkeypatch.setenv("PLAYWRIGHT_NODEJS_PATH", node)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=[NO_FOREIGN_HOSTS])
        yield browser
        await browser.close()


@pytest.fixture
async def browser_context(browser: Browser) -> BrowserContext:
    # Tall enough for Monaco to draw a whole answer: it draws only the lines that are seen.
    return await browser.new_context(viewport={"width": 1600, "height": 2400})


@pytest.fixture
def witness(browser_context: BrowserContext) -> Witness:
    return Witness(browser_context)
