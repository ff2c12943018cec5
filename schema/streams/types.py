"""The events of the streams that miss nothing, as clients see them."""

from enum import Enum
from typing import Annotated

import strawberry

from db import tables
from db.tables import table_of
from schema.change import Change
from schema.describing import describe_values
from schema.execution import WorkflowExecution
from schema.projection.arguments import Arguments
from schema.projection.declare import column, many, one, rows_of
from schema.projection.journal import require_following
from schema.projection.rows import Row

_JOURNAL = table_of(tables.Journal)


@strawberry.enum(description="Why a stream begins with the state, or goes on from another place.")
class SnapshotReason(Enum):
    START = "START"
    CURSOR_EXPIRED = "CURSOR_EXPIRED"
    EPOCH_CHANGED = "EPOCH_CHANGED"


describe_values(SnapshotReason)


@rows_of(None)
class TreeSnapshot:
    """The whole tree at one revision; the changes that follow begin with the next one."""

    revision: int = column("The tree's revision. `after` with it goes on from here.")
    epoch: str = column("Names the history that the revision belongs to; a restore begins another.")
    reason: SnapshotReason = column("Why the state is given, and not the changes that lead to it.")
    root: WorkflowExecution = one("The root execution at that revision.", "id")


def _between(event: Row, change: Row, arguments: Arguments) -> str:
    require_following(arguments.query, event.id, event.after)
    between = f"{change.revision} > {event.after} and {change.revision} <= {event.revision}"
    return f"{change.root_id} = {event.id} and {between}"


@rows_of(None)
class TreeChanged:
    """The next changes of the tree; none is missing before, between or after them."""

    revision: int = column("Revision of the last of them. `after` with it goes on from here.")
    changes: list[Change] = many("The changes, in the order of their revisions.", _between, "revision")


@rows_of(None)
class TreeEnded:
    """The root has ended, and nothing in the tree is in progress or scheduled."""

    revision: int = column("The tree's revision at its end.")
    root: WorkflowExecution = one("The root execution at that revision.", "id")


@rows_of(None)
class ChangesResync:
    """Go on from this cursor; what lies before it is no longer kept, or was undone by a restore."""

    reason: SnapshotReason = column("Why changes before the cursor are not given.")
    cursor: str = column("Where the changes that follow begin.")


WorkflowExecutionTreeEvent = Annotated[
    TreeSnapshot | TreeChanged | TreeEnded,
    strawberry.union(
        "WorkflowExecutionTreeEvent", description="The tree's state, its next changes, or its end."
    ),
]
ChangesEvent = Annotated[
    Change | ChangesResync,
    strawberry.union("ChangesEvent", description="The next change, or where the stream goes on."),
]
