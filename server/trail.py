"""Which request, tenant and executions the work at hand belongs to, so that whatever is logged of it can say so.

It follows the work into its tasks. A subscription that is shared belongs to the request that began it.
"""

from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from db.ids import IdKind, kind_of_id

MOST_EXECUTIONS: Final = 10


@dataclass(frozen=True, slots=True)
class Trail:
    """Ids, and nothing else that a client has sent."""

    request_id: str | None = None
    tenant: str | None = None
    # In the order in which they were met; the first ten.
    execution_ids: list[str] = field(default_factory=list)

    def meet(self, execution_id: str) -> None:
        """The work concerns this execution."""
        if len(self.execution_ids) < MOST_EXECUTIONS and execution_id not in self.execution_ids:
            self.execution_ids.append(execution_id)


_trail: ContextVar[Trail | None] = ContextVar("trail", default=None)


def trail() -> Trail:
    """That of the work at hand; one of its own where no request led to it."""
    return _trail.get() or Trail()


def begin_request(request_id: str) -> None:
    """A request, or a socket, of which nothing more is known yet."""
    _trail.set(Trail(request_id))


def begin_trail(tenant: str, variables: Mapping[str, Any]) -> None:
    """An operation of this request; the executions that its variables name are its own."""
    begun = Trail(trail().request_id, tenant)
    for execution_id in _executions_of(variables):
        begun.meet(execution_id)
    _trail.set(begun)


def _executions_of(variables: Mapping[str, Any]) -> Iterator[str]:
    """Ids of executions in variables, and in the input objects there."""
    for value in variables.values():
        if isinstance(value, str):
            if kind_of_id(value) is IdKind.EXECUTION:
                yield value
        elif isinstance(value, Mapping):
            yield from (
                each
                for each in value.values()
                if isinstance(each, str) and kind_of_id(each) is IdKind.EXECUTION
            )
