"""Values for arguments: mostly of what exists, sometimes of what does not or is wrong."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from db.runtime.changes import ChangeKind
from tests.schema.inputs import ODD_TEXTS, WRONG_TEXTS, Label
from tests.schema.pages import AS_COMMITTED, NEWEST_FIRST, Order

ABSENT = object()
REVISIONS = (1, 2, 4, 5, 6, 8, 10, 15, 25, 40)
KINDS = [Label(kind.name) for kind in ChangeKind]


@dataclass(frozen=True, slots=True)
class Pools:
    """What there is to draw from; `ids` by root field, `cursor` draws one of a type of rows in an order.

    `values` and `documents` are for filters (`inputs.py`).
    """

    ids: Mapping[str, Sequence[str]]
    keys: Sequence[str]
    step_ids: Sequence[str]
    sources: Sequence[str]
    cursor: Callable[[Random, str, Order], str]
    wrong_cursors: Sequence[str]
    payloads: int
    values: Mapping[str, Sequence[Any]]
    documents: Mapping[str, Sequence[tuple[str, Any]]]


@dataclass(slots=True)
class Values:
    """Draws values for one document."""

    random: Random
    pools: Pools
    has_wrong: bool = False

    def draw(self, field: str, argument: str, nullable: bool, type_name: str, order: Order) -> Any:
        """A value, None or `ABSENT`; `type_name` and `order` are those of a connection's entries."""
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
                return self._cursor(type_name, order)
            case "ids":
                return self._ids()
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

    def _cursor(self, type_name: str, order: Order) -> str:
        if self.has_wrong and self._chance(15):
            return self.random.choice((*self.pools.wrong_cursors, self._foreign(type_name, order)))
        return self.pools.cursor(self.random, type_name, order)

    def _foreign(self, type_name: str, order: Order) -> str:
        """A cursor of a list in another order."""
        if order is AS_COMMITTED:
            return self.pools.cursor(self.random, "WorkflowExecution", NEWEST_FIRST)
        other = Order("created_at asc,id asc", (("created_at", False), ("id", False)))
        return self.pools.cursor(self.random, type_name, other)

    def _ids(self) -> list[str]:
        if self.has_wrong and self._chance(15):
            return [self._text(self.pools.ids["node"])] * self.random.choice((500, 501))
        return [self._text(self.pools.ids["node"]) for _ in range(self.random.choice((0, 1, 2, 4, 6)))]

    def _text(self, pool: Sequence[str]) -> str:
        if self.has_wrong and self._chance(15):
            return self.random.choice(WRONG_TEXTS)
        return self.random.choice(ODD_TEXTS if self._chance(8) else pool)

    def _chance(self, percent: int) -> bool:
        return self.random.randrange(100) >= 100 - percent
