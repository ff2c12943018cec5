"""What `docs/types.md` shows is what is printed of the demo template `verify`, and its examples work with that."""

import sys
from pathlib import Path

import pytest

from server.demo import demo_definition
from server.types.printing import Language
from tests.docs.pages import blocks
from tests.types.modules import compiler_output, imported, module_of

PAGE = "docs/types.md"


def shown(language: str, role: str) -> str:
    """The block of the page in this language with this role."""
    (text,) = [block.text for block in blocks(PAGE) if (block.language, block.role) == (language, role)]
    return text


@pytest.mark.node
def test_the_typescript_is_what_is_printed_and_the_example_compiles(tmp_path: Path) -> None:
    text = module_of(demo_definition("verify"), Language.TYPESCRIPT, "verify")
    assert shown("ts", "verify").strip() == text.strip()
    assert compiler_output({"verify.ts": text, "use.ts": shown("ts", "use")}, tmp_path) == ""


def test_the_python_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    text = module_of(demo_definition("verify"), Language.PYTHON, "verify")
    monkeypatch.setitem(sys.modules, "verify", imported(text))
    used = imported(shown("python", "use"))
    assert used.output_data == {"verified": True}
    assert used.context.model_dump(exclude_unset=True) == {"customerId": "c-1", "channel": "web"}
