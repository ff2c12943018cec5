"""A browser, and what watches over its pages."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext

from tests.browser.chromium import chromium, path_of_chromium, require_bundles
from tests.browser.witness import Witness


@pytest.fixture(scope="session")
def chromium_path() -> str:
    return path_of_chromium()


@pytest.fixture(scope="session")
def bundles() -> None:
    require_bundles()


@pytest.fixture
async def browser(chromium_path: str, bundles: None) -> AsyncIterator[Browser]:
    async with chromium(chromium_path) as browser:
        yield browser


@pytest.fixture
async def browser_context(browser: Browser) -> BrowserContext:
    # Tall enough for Monaco to draw a whole answer: it draws only the lines that are seen.
    return await browser.new_context(viewport={"width": 1600, "height": 2400})


@pytest.fixture
def witness(browser_context: BrowserContext) -> Witness:
    return Witness(browser_context)
