"""Values for arguments: mostly of what exists, sometimes of what does not or is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

ABSENT = object()
WRONG_TEXTS = ("a\0b", "\ud800", "\udfff!")
ODD_TEXTS = ("", "no such", "Ünï 🧭", "' or 1=1 --", "⟦0⟧", "%")


@dataclass(frozen=True, slots=True)
class Pools:
    """What there is to draw from; `ids` by root field, `cursors` by the name of the order that gave them out."""

    ids: Mapping[str, Sequence[str]]
    keys: Sequence[str]
    step_ids: Sequence[str]
    sources: Sequence[str]
    cursors: Mapping[str, Sequence[str]]
    wrong_cursors: Sequence[str]
    payloads: int


@dataclass(slots=True)
class Values:
    """Draws values for one document."""

    random: Random
    pools: Pools
    has_wrong: bool = False

    def draw(self, field: str, argument: str, nullable: bool) -> Any:
        """A value, None or `ABSENT`."""
        if nullable and self._chance(15):
            return self.random.choice((None, ABSENT))
        match argument:
            case "first" | "last":
                return self.size()
            case "which":
                return self.random.randint(0, self.pools.payloads)
            case "after" | "before":
                return self._cursor(field)
            case "id" | "workflowExecutionId":
                return self._text(self.pools.ids[field])
        pool = {"key": self.pools.keys, "stepId": self.pools.step_ids, "src": self.pools.sources}[argument]
        return self.random.choice(pool) if argument == "src" else self._text(pool)

    def size(self) -> int:
        """How many entries a page or list is to have."""
        if self.has_wrong and self._chance(15):
            return self.random.choice((-1, 501, -(2**31), 2**31 - 1))
        return self.random.choice((1, 2, 3, 0, 4, 7, 500))

    def _cursor(self, field: str) -> str:
        own, other = ("childIndex", "createdAt")[:: 1 if field == "childWorkflowExecutions" else -1]
        if self.has_wrong and self._chance(15):
            return self.random.choice((*self.pools.wrong_cursors, self.pools.cursors[other][0]))
        return self.random.choice(self.pools.cursors[own])

    def _text(self, pool: Sequence[str]) -> str:
        if self.has_wrong and self._chance(15):
            return self.random.choice(WRONG_TEXTS)
        return self.random.choice(ODD_TEXTS if self._chance(8) else pool)

    def _chance(self, percent: int) -> bool:
        return self.random.randrange(100) >= 100 - percent


def is_unwritable(value: Any) -> bool:
    """GraphQL's own syntax has no lone surrogates."""
    return isinstance(value, str) and any("\ud800" <= each <= "\udfff" for each in value)
