"""This machine's Chromium, headless, told to look up no host but this machine."""

import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect

from server.pages import CONSOLE, GRAPHIQL

# Milliseconds: on a machine that is busy with other tests a page may take long to appear.
expect.set_options(timeout=60_000)

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_NO_FOREIGN_HOSTS = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"


def path_of_chromium() -> str:
    """Where it is; skips the test where there is none."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("Chromium is not installed: apt-get install chromium-headless-shell")
    return found


def require_bundles() -> None:
    """Skips the test where a page is not built."""
    for bundle in (CONSOLE, GRAPHIQL):
        if not (bundle.dist / "index.html").is_file():
            pytest.skip(f"{bundle.title} is not built: make {bundle.target}")


@asynccontextmanager
async def chromium(path: str) -> AsyncIterator[Browser]:
    """A browser of one's own, closed at the end."""
    # Playwright's own Node needs libatomic, which a small machine lacks; any other Node will do.
    node = shutil.which("node", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    with pytest.MonkeyPatch.context() as patch:
        if node and "PLAYWRIGHT_NODEJS_PATH" not in os.environ:
            patch.setenv("PLAYWRIGHT_NODEJS_PATH", node)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=path, args=[_NO_FOREIGN_HOSTS])
            yield browser
            await browser.close()
