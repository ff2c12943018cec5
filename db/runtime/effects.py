"""What a decision may ask of its driver. Decisions are generators without I/O, as h11 is: they yield one of these and are
sent the answer; the driver (`db/commands/loading.py`) runs statements and evaluates expressions.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from db.runtime.definition import WorkflowDefinition
from db.runtime.statuses import ExecutionStatus

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Load:
    """Put an execution, the current attempts of its steps and its definition into the tree; nothing is sent back."""

    execution_id: str


@dataclass(frozen=True, slots=True)
class LoadData:
    """Put an execution's context and its current attempts' outputs into the tree; nothing is sent back."""

    execution_id: str


@dataclass(frozen=True, slots=True)
class LoadRunning:
    """Put every execution below this one that has not ended, with its steps, into the tree; nothing is sent back."""

    execution_id: str


@dataclass(frozen=True, slots=True)
class FindStatus:
    """How an attempt stands that is not current any more; sent back its `StepStatus`."""

    step_execution_id: str


@dataclass(frozen=True, slots=True)
class HoldLease:
    """Keep heartbeats from moving an attempt's lease until the command has ended; sent back when the lease ends now."""

    step_execution_id: str


@dataclass(frozen=True, slots=True)
class FindChildVersion:
    """Which version a sub-workflow step runs now; sent back a `ChildVersion`, or None where there is none."""

    version_id: str | None
    template_key: str | None


@dataclass(frozen=True, slots=True)
class ChildVersion:
    """A version that may run as a child."""

    version_id: str
    template_name: str
    definition: WorkflowDefinition


@dataclass(frozen=True, slots=True)
class FindLinks:
    """The children of an attempt in index order; sent back a list of `Link`."""

    step_execution_id: str


@dataclass(frozen=True, slots=True)
class Link:
    """An attempt's tie to one child: its place in the batch, the item it was started for, how it stands."""

    index: int
    item: Any
    child_id: str
    status: ExecutionStatus


@dataclass(frozen=True, slots=True)
class FindResults:
    """What executions came to; sent back `Results`. Data that together surely pass `max_bytes` are left out."""

    execution_ids: tuple[str, ...]
    max_bytes: int


@dataclass(frozen=True, slots=True)
class ChildResult:
    """What one child came to: its context, and its steps' outputs by step id."""

    id: str
    name: str
    context: dict[str, Any]
    outputs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Results:
    """What children came to; `complete` says whether contexts and outputs are there."""

    children: list[ChildResult]
    complete: bool


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Evaluate expressions, each over its own input; sent back a list of `Evaluated` in the same order."""

    expressions: tuple[tuple[str, Mapping[str, Any]], ...]
    record_reads: bool = False


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What an expression came to: `value` (`NOTHING` where JSONata finds nothing), or the `error` that it failed with.

    `is_bound` says that it failed for passing a bound. `reads` are pairs of path and value, where they were asked for.
    """

    value: Any = None
    error: str | None = None
    is_bound: bool = False
    reads: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Pause:
    """Let others have a turn: a decision about thousands of children asks for it now and then; nothing is sent back."""


Effect = (
    Pause
    | Load
    | LoadData
    | LoadRunning
    | FindStatus
    | HoldLease
    | FindChildVersion
    | FindLinks
    | FindResults
    | Evaluate
)
Decision = Generator[Effect, Any, T]


def pause_after(number: int, *, every: int = 20) -> Decision[None]:
    """A pause now and then in a loop whose turns are numbered."""
    if number % every == every - 1:
        yield Pause()
