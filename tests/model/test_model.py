"""The runtime against what must hold whatever is done to it: random definitions, random commands.

`walk.py` says what is checked after every command. Hypothesis finds short stories of what goes wrong; the walks by
numbers find more in the same time, and `python -m tests.model.walk` goes on with them for as long as you like.
"""

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.model.commands import WEIGHTS
from tests.model.random_definitions import Choose, random_library
from tests.model.walk import Walk, random_walk

SEEDS_AT_ONCE = 50


def choose_by(data: st.DataObject) -> Choose:
    """Choices that Hypothesis can make simpler."""
    return lambda below: data.draw(st.integers(0, below - 1))


class RuntimeMachine(RuleBasedStateMachine):
    """One tree, and one command after another."""

    walk: Walk

    @initialize(data=st.data())
    def create(self, data: st.DataObject) -> None:
        choose = choose_by(data)
        raws = random_library(choose)
        note(f"templates: {raws}")
        self.walk = Walk(choose, raws)

    @rule(data=st.data())
    def command(self, data: st.DataObject) -> None:
        self.walk.choose = choose_by(data)
        try:
            self.walk.step()
        finally:
            note(str(self.walk.commands[-1]))

    def teardown(self) -> None:
        if hasattr(self, "walk"):
            self.walk.finish()


class TestRuntimeMachine(RuntimeMachine.TestCase):  # type: ignore[misc, valid-type]  # made by Hypothesis
    settings = settings(
        max_examples=30,
        stateful_step_count=25,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("first", range(0, 300, SEEDS_AT_ONCE))
def test_random_walks(first: int) -> None:
    counts: Counter[str] = Counter()
    for seed in range(first, first + SEEDS_AT_ONCE):
        try:
            counts += random_walk(seed).counts
        except Exception as error:
            error.add_note(f"by the walk of seed {seed}")
            raise
    _meets_everything(counts)


def _meets_everything(counts: Any) -> None:
    """The walks would prove little if they did not do and see every kind of thing."""
    for kind in WEIGHTS:
        assert counts[f"{kind} done"] > 0, counts
        assert counts[f"{kind} refused"] > 0 or kind == "come_due", counts  # which changes nothing instead
    for status in ("Completed", "Failed", "Cancelled"):
        assert counts[f"execution {status}"] > 0, counts
    assert counts["endless"] <= SEEDS_AT_ONCE / 10
