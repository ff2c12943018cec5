"""What `docs/definition-files.md` shows is what the commands say of the file that it shows."""

from pathlib import Path

import pytest

from tests.docs.pages import blocks
from tests.process.commands import invoke

PAGE = "docs/definition-files.md"


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The page's file, in the working directory."""
    text = shown("json", "broken")
    (tmp_path / "broken.json").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return "broken.json"


def shown(language: str, role: str) -> str:
    """The block of the page in this language with this role."""
    (text,) = [block.text for block in blocks(PAGE) if (block.language, block.role) == (language, role)]
    return text


def test_the_issues_are_those_of_the_file(broken: str) -> None:
    assert invoke("validate", broken).output == shown("text", "issues")


def test_the_flowchart_is_that_of_the_file(broken: str) -> None:
    assert invoke("draw", broken).output == shown("mermaid", "")


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("validate", ["--url"]),
        ("draw", ["--format", "svg"]),
        ("publish", ["--key", "--version", "--no-activate", "--url"]),
    ],
)
def test_the_options_that_it_tells_of_are_there(command: str, options: list[str]) -> None:
    told = invoke(command, "--help").output
    assert [each for each in options if each not in told] == []
