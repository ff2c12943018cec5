"""Every fenced block of every page is run by a test, or says in the page why it is not."""

from collections.abc import Callable

import pytest

from tests.docs.owners import Owners, owners
from tests.docs.pages import Block

# What is not run costs the reader's trust, so there is little of it.
MOST_NOT_RUN = 6


@pytest.fixture(scope="module")
def found() -> Owners:
    return owners()


def those(found: Owners, wanted: Callable[[Block], bool]) -> list[str]:
    """The places of the blocks of which this holds."""
    return [f"{block}: {block.language} {block.role}".rstrip() for block in found if wanted(block)]


def test_every_block_is_run_or_says_why_not(found: Owners) -> None:
    assert those(found, lambda block: not found[block] and not block.not_run) == []


def test_no_block_that_is_run_says_that_it_is_not(found: Owners) -> None:
    assert those(found, lambda block: bool(found[block] and block.not_run)) == []


def test_few_blocks_are_not_run(found: Owners) -> None:
    assert len(those(found, lambda block: bool(block.not_run))) <= MOST_NOT_RUN
