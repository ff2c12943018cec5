"""Which test each fenced block of the documentation belongs to.

A test says by a mark which blocks it runs, and fails unless it reads them (`tests/conftest.py`). Blocks that are made of
files belong to the tests that say they run those files. `test_owners.py` finds the marks and the blocks without any.
"""

import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from tests.docs.pages import ROOT, Block, blocks, page_names

TESTS: Final = ROOT / "tests"
Owners = dict[Block, list[str]]


def runs(*found: Block) -> pytest.MarkDecorator:
    """The mark of a test that runs these blocks: what they do, come to or show is compared with the program."""
    assert found
    return pytest.mark.runs_blocks(*found)


def runs_each(found: Iterable[Block]) -> pytest.MarkDecorator:
    """The mark of a test that runs one block, its argument `block`; once for each of these."""
    params = [pytest.param(block, marks=runs(block), id=str(block)) for block in found]
    assert params
    return pytest.mark.parametrize("block", params)


def runs_files(*paths: Path) -> pytest.MarkDecorator:
    """The mark of a test that runs these files, which pages show word for word."""
    assert paths
    return pytest.mark.runs_files(*paths)


def blocks_of(item: pytest.Item) -> set[Block]:
    """The blocks that a collected test says it runs."""
    return {block for mark in item.iter_markers("runs_blocks") for block in mark.args}


def owners() -> Owners:
    """Every block of every page, with the names of the tests that run it."""
    found: Owners = {block: [] for page in page_names() for block in blocks(page)}
    for path in sorted(TESTS.rglob("test_*.py")):
        if "tests.docs.owners" in path.read_text(encoding="utf-8"):
            module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            for name, mark in _marks(module):
                for block in _marked(mark, found):
                    found[block].append(f"{module.__name__}.{name}")
    return found


def _marks(module: ModuleType) -> Iterator[tuple[str, pytest.Mark]]:
    """The marks of a module's tests, those of single parameters included, each with its test's name."""
    for name, test in vars(module).items():
        if name.startswith("test_"):
            for mark in getattr(test, "pytestmark", []):
                yield name, mark
                if mark.name == "parametrize":
                    yield from (
                        (name, inner) for param in mark.args[1] for inner in getattr(param, "marks", ())
                    )


def _marked(mark: pytest.Mark, known: Iterable[Block]) -> Iterator[Block]:
    if mark.name == "runs_blocks":
        yield from mark.args
    elif mark.name == "runs_files":
        texts = {path.name: path.read_text(encoding="utf-8") for path in mark.args}
        yield from (block for block in known if texts.get(block.role) == block.text)
