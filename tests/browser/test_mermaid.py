"""Every diagram of the documentation is drawn by the program with which its site draws it."""

import re

import pytest
from playwright.async_api import Browser

from tests.docs.owners import runs_each
from tests.docs.pages import ROOT, Block, all_blocks
from tests.node import installed

MERMAID = ROOT / "docs" / "build"
DRAW = "async source => (await mermaid.render('drawn', source)).svg"
_LABEL = re.compile(r'"([^"]+)"|\b([A-Z_]{3,})\b')

pytestmark = [pytest.mark.browser, pytest.mark.node]


def words_of(text: str) -> set[str]:
    """The words of a text with tags in it."""
    return set(re.findall(r"\w+", re.sub(r"<[^>]*>", " ", text)))


@runs_each(all_blocks("mermaid"))
async def test_a_diagram_is_drawn_with_all_its_labels(browser: Browser, block: Block) -> None:
    page = await browser.new_page()
    await page.add_script_tag(
        path=installed(MERMAID) / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"
    )
    drawn = words_of(await page.evaluate(DRAW, block.text))
    labels = {word for found in _LABEL.finditer(block.text) for word in words_of(found[1] or found[2])}
    assert labels
    assert labels - drawn == set()
