"""The pages of the documentation as data: code blocks, headings, links, tables. What they must say is the tests'."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(.*)$")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: "```json answer" has the language `json` and the role `answer`."""

    page: str
    line: int
    language: str
    role: str
    text: str
    section: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def page_names() -> list[str]:
    """Every page of the project, by its path from the root."""
    # Not those of packages, which are somewhere below `docs/build/` once the site was built.
    patterns = ("*.md", "docs/*.md", "docs/decisions/*.md", "frontend_queries/*.md")
    paths = [path for pattern in patterns for path in ROOT.glob(pattern)]
    return sorted(str(path.relative_to(ROOT)) for path in paths)


def read(page: str) -> str:
    """A page's text."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order, each with the heading that it stands under."""
    found: list[Block] = []
    section, opened, lines = "", None, list[str]()
    for number, line in enumerate(read(page).splitlines(), start=1):
        fence, heading = _FENCE.match(line), _HEADING.match(line)
        if fence and opened is None:
            opened, lines = (number, fence[1].strip()), []
        elif fence and opened:
            language, _, role = opened[1].partition(" ")
            found.append(Block(page, opened[0], language, role, "\n".join(lines) + "\n", section))
            opened = None
        elif opened:
            lines.append(line)
        elif heading:
            section = heading[1]
    assert opened is None, f"{page}: the block of line {opened} is not closed"
    return found


def all_blocks(*languages: str) -> list[Block]:
    """The blocks of every page in these languages."""
    return [block for page in page_names() for block in blocks(page) if block.language in languages]


def prose(page: str) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL)


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for line in prose(page).splitlines():
        if heading := _HEADING.match(line):
            plain = re.sub(r"[^\w\- ]", "", heading[1].lower()).replace(" ", "-")
            found.add(plain)
    return found


def links(page: str) -> Iterator[str]:
    """The targets of a page's links."""
    for found in _LINK.finditer(prose(page)):
        yield found[1]


def table(page: str, section: str) -> list[list[str]]:
    """The cells of the tables under a heading, without their head; a cell's text is as it is written."""
    rows, inside = list[list[str]](), False
    for line in prose(page).splitlines():
        if heading := _HEADING.match(line):
            inside = heading[1] == section
        elif inside and line.startswith("|"):
            rows.append([cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    heads = {number - 1 for number, row in enumerate(rows) if set(row[0]) <= {"-", ":"}}
    rules = {number + 1 for number in heads}
    assert rows, f"{page} has no table under {section!r}"
    return [row for number, row in enumerate(rows) if number not in heads | rules]


def code(cell: str) -> str:
    """What stands between the backticks of a cell."""
    found = re.search(r"`([^`]+)`", cell)
    assert found, f"nothing is in backticks: {cell!r}"
    return found[1]
