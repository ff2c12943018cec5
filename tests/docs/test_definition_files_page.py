"""What `docs/definition-files.md` shows is what the commands say of the file that it shows."""

import json
from pathlib import Path, PurePath

import pytest

from server.demo import demo_definition
from tests.docs.owners import runs
from tests.docs.pages import ROOT, in_section, only_block
from tests.docs.terminal import typed
from tests.process.commands import invoke
from tests.servers import ServerProcess

PAGE = "docs/definition-files.md"
(COMMANDS,) = in_section(PAGE, "Definitions as files", "sh")
(SETTING,) = in_section(PAGE, "Editors", "json")
(FLOWCHART,) = in_section(PAGE, "draw", "mermaid")
BROKEN, ISSUES = only_block(PAGE, "broken"), only_block(PAGE, "issues")


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The page's file, in the working directory."""
    (tmp_path / "broken.json").write_text(BROKEN.text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return "broken.json"


@runs(BROKEN, ISSUES)
def test_the_issues_are_those_of_the_file(broken: str) -> None:
    assert invoke("validate", broken).output == ISSUES.text


@runs(BROKEN, FLOWCHART)
def test_the_flowchart_is_that_of_the_file(broken: str) -> None:
    assert invoke("draw", broken).output == FLOWCHART.text


@runs(COMMANDS)
def test_the_commands_take_a_file(
    live_server: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "verify.json").write_text(json.dumps(demo_definition("verify")), encoding="utf-8")
    validated, drawn, published, schema = typed(COMMANDS.text, {"http://127.0.0.1:8000": live_server.url})
    assert validated == "verify.json can be published.\n"
    assert published.endswith("from now on.\n")
    assert drawn.startswith("flowchart TD")
    assert json.loads(schema) == json.loads((ROOT / "docs" / "definition.schema.json").read_text())


@runs(SETTING)
def test_the_editors_setting_names_a_schema_that_is_there() -> None:
    (binding,) = json.loads(SETTING.text)["json.schemas"]
    assert (ROOT / "docs" / binding["url"]).is_file()
    assert PurePath("verify.workflow.json").match(*binding["fileMatch"])


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
