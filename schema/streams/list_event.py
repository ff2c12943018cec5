"""The events of live lists, as clients see them."""

import strawberry

from schema.execution import WorkflowExecution
from schema.projection.arguments import Arguments
from schema.projection.declare import column, one, rows_of, told
from schema.projection.rows import Row
from schema.step import WorkflowStepExecution
from schema.streams.list_page import ListEventKind

_KIND = "What happened to it."
_INDEX = "Its place on the page, from 0; null on LEAVE."
_REVISION = "Revision of its tree at its last change; on LEAVE, as it was when it was last on the page."
_ENTRIES = (
    "What has changed on the page; empty where the first page is. To fold it: take out every row that an entry "
    "names, then put each that has an index in at it, in the order given."
)


def _shown(entry: Row, shown: Row, _: Arguments) -> str:
    return f"{entry.kind} <> '{ListEventKind.LEAVE.value}' and {shown.id} = {entry.id}"


@rows_of(None)
class WorkflowExecutionListEntry:
    """An execution that has come onto the page, has changed or moved on it, or has left it."""

    kind: ListEventKind = column(_KIND)
    id: strawberry.ID = column("The execution's id.")
    index: int | None = column(_INDEX, "place")
    revision: int = column(_REVISION)
    workflow_execution: WorkflowExecution | None = one("The execution; null on LEAVE.", _shown)


@rows_of(None)
class WorkflowExecutionListEvent:
    """The first page of a list of executions, or what has changed on it."""

    entries: list[WorkflowExecutionListEntry] = told(_ENTRIES, "entries")


@rows_of(None)
class WorkflowStepExecutionListEntry:
    """An attempt at a step that has come onto the page, has changed or moved on it, or has left it."""

    kind: ListEventKind = column(_KIND)
    id: strawberry.ID = column("The attempt's id.")
    index: int | None = column(_INDEX, "place")
    revision: int = column(_REVISION)
    step: WorkflowStepExecution | None = one("The attempt; null on LEAVE.", _shown)


@rows_of(None)
class WorkflowStepExecutionListEvent:
    """The first page of a list of steps, or what has changed on it."""

    entries: list[WorkflowStepExecutionListEntry] = told(_ENTRIES, "entries")
