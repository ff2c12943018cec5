"""Links lead somewhere, and files and names of the code that pages speak of exist."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, anchors, blocks, links, page_names, prose

_PATH = re.compile(r"`((?:server|schema|db|tests|docs|frontend_queries)/[\w./-]*)`")
_NAME_IN = re.compile(r"`(\w+)`(?:\s+and\s+`(\w+)`)?\s+in\s+`([\w./-]+\.py)`")
PAGES = page_names()


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_leads_to_a_page_and_a_heading(page: str) -> None:
    for link in links(page):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.is_file(), f"{page} links to {link}"
        if anchor:
            found = anchors(str(target.resolve().relative_to(ROOT)))
            assert anchor in found, f"{page} links to {link}; there are {sorted(found)}"


@pytest.mark.parametrize("page", PAGES)
def test_no_heading_stands_twice_on_a_page(page: str) -> None:
    headings = re.findall(r"^#+ .+$", prose(page), flags=re.MULTILINE)
    assert len(headings) == len(anchors(page))


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_exists(page: str) -> None:
    missing = [path for path in _PATH.findall(prose(page)) if not (ROOT / path).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_every_name_that_a_page_finds_in_a_file_is_there(page: str) -> None:
    for *names, path in _NAME_IN.findall(prose(page)):
        text = (ROOT / path).read_text(encoding="utf-8")
        for name in filter(None, names):
            assert re.search(rf"\b{name}\b", text), f"{page}: {name} in {path}"


def test_every_page_of_docs_is_reached_from_the_readme() -> None:
    reached, pending = set[str](), ["README.md"]
    while pending:
        page = pending.pop()
        if page in reached:
            continue
        reached.add(page)
        for link in links(page):
            path = link.partition("#")[0]
            if path.endswith(".md") and "://" not in path:
                target = ((ROOT / page).parent / path).resolve()
                pending.append(str(target.relative_to(ROOT)))
    assert {page for page in PAGES if page.startswith("docs/")} <= reached


def test_every_decision_that_the_code_names_is_there() -> None:
    sources = [path for room in ("server", "schema", "db") for path in Path(ROOT / room).rglob("*.py")]
    named = {
        number
        for path in sources
        for number in re.findall(r"docs/decisions/(\d{4})", path.read_text(encoding="utf-8"))
    }
    written = {path.name[:4] for path in (ROOT / "docs" / "decisions").glob("*.md")}
    assert named <= written


@pytest.mark.parametrize("page", PAGES)
def test_every_block_says_its_language(page: str) -> None:
    assert [str(block) for block in blocks(page) if not block.language] == []
