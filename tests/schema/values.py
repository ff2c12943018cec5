"""Values for arguments: mostly of what exists, sometimes of what does not or is wrong."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from db.runtime.changes import ChangeKind
from tests.schema.pages import NEWEST_FIRST
from tests.schema.refusals import ORDERS


class EnumName(str):
    """A member of an enum: a literal has it without quotes."""

    __slots__ = ()


ABSENT = object()
REVISIONS = (1, 2, 4, 5, 6, 8, 10, 15, 25, 40)
KINDS = [EnumName(kind.name) for kind in ChangeKind]
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
            case "asOf":
                return self.random.choice((0, -1) if self.has_wrong and self._chance(15) else REVISIONS)
            case "minRevision":
                return self.random.choice((-1, 0, 1))
            case "which":
                return self.random.randint(0, self.pools.payloads)
            case "after" | "before":
                return self._cursor(field)
            case "id" | "workflowExecutionId" | "rootWorkflowExecutionId":
                return self._text(self.pools.ids[field])
            case "kinds":
                return [self.random.choice(KINDS) for _ in range(self.random.randint(0, 3))]
        pool = {"key": self.pools.keys, "stepId": self.pools.step_ids, "src": self.pools.sources}[argument]
        return self.random.choice(pool) if argument == "src" else self._text(pool)

    def size(self) -> int:
        """How many entries a page or list is to have."""
        if self.has_wrong and self._chance(15):
            return self.random.choice((-1, 501, -(2**31), 2**31 - 1))
        return self.random.choice((1, 2, 3, 0, 4, 7, 500))

    def _cursor(self, field: str) -> str:
        own = ORDERS.get(field, NEWEST_FIRST).name
        others = [cursors[0] for name, cursors in self.pools.cursors.items() if name != own]
        if self.has_wrong and self._chance(15):
            return self.random.choice((*self.pools.wrong_cursors, *others))
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


def literal(value: Any) -> str:
    """A value in GraphQL's own syntax."""
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return value if isinstance(value, EnumName) else json.dumps(value)
