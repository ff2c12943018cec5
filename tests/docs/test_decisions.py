"""Decisions have the three parts, and what they say of settings is what the code sets."""

import inspect

import pytest
import uvicorn

from tests.docs.limits_table import served_config
from tests.docs.pages import ROOT, anchors, code, page_names, table

DECISIONS = [page for page in page_names() if page.startswith("docs/decisions/")]


@pytest.mark.parametrize("page", DECISIONS)
def test_a_decision_has_context_decision_and_consequences(page: str) -> None:
    assert {"context", "decision", "consequences"} <= anchors(page)


@pytest.mark.parametrize("page", DECISIONS)
def test_a_decision_is_one_page(page: str) -> None:
    assert len((ROOT / page).read_text(encoding="utf-8").splitlines()) <= 80


def test_every_value_that_is_not_uvicorns_own_is_told_with_its_reason() -> None:
    config, plain = served_config(), uvicorn.Config(served_config().app)
    names = inspect.signature(uvicorn.Config).parameters.keys() & vars(plain).keys() - {"app"}
    told = {
        code(row[0]): (code(row[1]), code(row[2]))
        for row in table("docs/decisions/0003-own-transports.md", "Decision")
    }
    assert told == {
        name: (shown(getattr(config, name)), shown(getattr(plain, name)))
        for name in names
        if getattr(config, name) != getattr(plain, name)
    }


def shown(value: object) -> str:
    """A setting's value as the page writes it."""
    return value.__name__ if isinstance(value, type) else str(value)
