"""What stands for a command that was carried out until it is projected."""

from collections.abc import Sequence
from typing import Any, Final

from db.commands.outcome import ClaimedStep, Committed
from schema.claiming import told
from schema.projection.rows import Rows

_SHOWN: Final = ("root_id", "execution_id", "step_execution_id", "since", "revision")


def moved_rows(
    committed: Committed, claims: Sequence[ClaimedStep] = (), *, is_one_of_many: bool = False
) -> Any:
    """A `TransitionSuccess`, with what was claimed after it; many of one list share a statement."""
    values = {**{name: getattr(committed, name) for name in _SHOWN}, "claims": told(claims)}
    return Rows("TransitionSuccess", values, is_one_of_many=is_one_of_many)
