"""Evaluations with workers, closed after each test."""

from collections.abc import Iterator

import pytest

from db.evaluation.driver import Evaluations
from tests.contract.evaluation.endless import boundless as boundless_evaluations


@pytest.fixture
def evaluations() -> Iterator[Evaluations]:
    """As the server has them."""
    made = Evaluations()
    yield made
    made.close()


@pytest.fixture
def boundless() -> Iterator[Evaluations]:
    """One worker, and no bounds but the worker's own."""
    made = boundless_evaluations()
    yield made
    made.close()
