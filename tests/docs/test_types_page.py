"""What `docs/types.md` shows is what is printed of the demo template `verify`, and its examples work with that."""

import sys
from pathlib import Path

import pytest

from server.demo import demo_definition
from server.types.printing import Language
from tests.databases import sqlite_url
from tests.docs.owners import runs
from tests.docs.pages import in_section, only_block
from tests.docs.terminal import typed
from tests.servers import ServerProcess
from tests.types.modules import compiler_output, imported, module_of

PAGE = "docs/types.md"
(COMMANDS,) = in_section(PAGE, "Types for frontends and workers", "sh")
PRINTED, TS_USE, PYTHON_USE = (
    only_block(PAGE, *one) for one in (("verify", "ts"), ("use", "ts"), ("use", "python"))
)


@runs(PRINTED, TS_USE)
@pytest.mark.node
def test_the_typescript_is_what_is_printed_and_the_example_compiles(tmp_path: Path) -> None:
    text = module_of(demo_definition("verify"), Language.TYPESCRIPT, "verify")
    assert PRINTED.text.strip() == text.strip()
    assert compiler_output({"verify.ts": text, "use.ts": TS_USE.text}, tmp_path) == ""


@runs(PYTHON_USE)
def test_the_python_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    text = module_of(demo_definition("verify"), Language.PYTHON, "verify")
    monkeypatch.setitem(sys.modules, "verify", imported(text))
    used = imported(PYTHON_USE.text)
    assert used.output_data == {"verified": True}
    assert used.context.model_dump(exclude_unset=True) == {"customerId": "c-1", "channel": "web"}


@runs(COMMANDS)
@pytest.mark.node
def test_the_commands_print_the_types_of_the_demo(live_server: ServerProcess, tmp_path: Path) -> None:
    of_machine = {"https://flows.example": live_server.url}
    definition = demo_definition("verify")
    typescript, python = (module_of(definition, language, "verify") for language in Language)
    printed = typed(COMMANDS.text, of_machine, STEPGRAPH_DATABASE=sqlite_url(tmp_path / "live.db"))
    assert printed == [typescript, python, typescript]
