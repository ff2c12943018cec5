"""The pages of the documentation as data: code blocks, headings, links, tables. What they must say is the tests'."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(.*)$")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$")
_NOT_RUN = re.compile(r"^<!-- not run: (.+) -->$")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: "```json answer" has the language `json` and the role `answer`.

    `not_run` is why no test runs it, from the comment in the line before it, or empty.
    """

    page: str
    line: int
    language: str
    role: str
    section: str
    not_run: str
    _text: str

    @property
    def text(self) -> str:
        """What stands in it, with a line break at the end. That it was read is noted in `blocks_read`."""
        blocks_read.add(self)
        return self._text

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


blocks_read: set[Block] = set()


def page_names() -> list[str]:
    """Every page of the project, by its path from the root."""
    # Not those of packages, which are somewhere below `docs/build/` once the site was built.
    patterns = ("*.md", "docs/*.md", "docs/decisions/*.md", "frontend_queries/*.md")
    paths = [path for pattern in patterns for path in ROOT.glob(pattern)]
    return sorted(str(path.relative_to(ROOT)) for path in paths)


def read(page: str) -> str:
    """A page's text."""
    return (ROOT / page).read_text(encoding="utf-8")


@cache
def blocks(page: str) -> tuple[Block, ...]:
    """The fenced blocks of a page, in order, each with the heading that it stands under."""
    found: list[Block] = []
    section, before, opened, lines = "", "", None, list[str]()
    for number, line in enumerate(read(page).splitlines(), start=1):
        fence, heading = _FENCE.match(line), _HEADING.match(line)
        if fence and opened is None:
            reason = _NOT_RUN.match(before)
            opened, lines = (number, fence[1].strip(), reason[1] if reason else ""), []
        elif fence and opened:
            language, _, role = opened[1].partition(" ")
            text = "\n".join(lines) + "\n"
            found.append(Block(page, opened[0], language, role, section, opened[2], text))
            opened = None
        elif opened:
            lines.append(line)
        elif heading:
            section = heading[1]
        before = line
    assert opened is None, f"{page}: the block of line {opened} is not closed"
    return tuple(found)


def in_section(page: str, section: str, language: str) -> list[Block]:
    """The blocks of a page under a heading in a language, of which there has to be one."""
    found = [each for each in blocks(page) if (each.section, each.language) == (section, language)]
    assert found, f"{page} has no {language} under {section!r}"
    return found


def only_block(page: str, role: str, language: str | None = None) -> Block:
    """The one block of a page with this role, of this language where it matters."""
    (found,) = [each for each in blocks(page) if each.role == role and language in (None, each.language)]
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
