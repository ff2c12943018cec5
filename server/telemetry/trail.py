"""Which request, tenant and executions the work at hand belongs to, so that whatever is logged of it can say so.

It follows the work into its tasks. A subscription that is shared belongs to the request that began it.
"""

from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
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
    # Of the trees that the command at hand has changed, likewise.
    root_ids: list[str] = field(default_factory=list)
    # The place of the operation's span, to which what comes of it later is linked (`server/telemetry/spans.py`).
    place: Any = None

    def meet(self, execution_id: str) -> None:
        """The work concerns this execution."""
        _note(self.execution_ids, execution_id)

    def change(self, root_id: str, execution_id: str) -> None:
        """The work has changed this execution of a tree."""
        self.meet(execution_id)
        _note(self.root_ids, root_id)


_trail: ContextVar[Trail | None] = ContextVar("trail", default=None)


def trail() -> Trail:
    """That of the work at hand; one of its own where no request led to it."""
    return _trail.get() or Trail()


def begin_request(request_id: str) -> None:
    """A request, or a socket, of which nothing more is known yet."""
    _trail.set(Trail(request_id))


def begin_trail(tenant: str, variables: Mapping[str, Any], place: Any = None) -> None:
    """An operation of this request; the executions that its variables name are its own."""
    begun = Trail(trail().request_id, tenant, place=place)
    for execution_id in _executions_of(variables):
        begun.meet(execution_id)
    _trail.set(begun)


def begin_command() -> Trail:
    """A command of the operation at hand, which may have several."""
    begun = replace(trail(), root_ids=[])
    _trail.set(begun)
    return begun


def _note(ids: list[str], id_: str) -> None:
    if len(ids) < MOST_EXECUTIONS and id_ not in ids:
        ids.append(id_)


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
