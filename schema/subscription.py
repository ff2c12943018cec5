"""Subscription: an index of streams."""

from collections.abc import AsyncGenerator
from typing import Annotated, Final, TypeVar

import strawberry

from db.runtime.changes import ChangeKind
from schema.context import OperationInfo
from schema.execution import WorkflowExecution
from schema.filters import WorkflowExecutionWhere, WorkflowStepExecutionWhere
from schema.orders import WorkflowExecutionOrder, WorkflowStepExecutionOrder
from schema.projection.paging import DEFAULT_PAGE
from schema.streams.changes import change_events
from schema.streams.execution import execution_events
from schema.streams.list_event import WorkflowExecutionListEvent, WorkflowStepExecutionListEvent
from schema.streams.list_reader import EXECUTION_LIST, STEP_LIST
from schema.streams.lists import list_events
from schema.streams.tree import tree_events
from schema.streams.types import ChangesEvent, WorkflowExecutionTreeEvent

T = TypeVar("T")

# Fields whose subscribers each stand at a place of their own; those of others share one run.
PLACED: Final = frozenset(
    ("workflowExecutionTree", "changes", "workflowExecutions", "workflowStepExecutions")
)
# Their arguments that tell the place: subscribers who differ in nothing else are given the same events.
PLACES: Final = frozenset(("after", "epoch"))

_FIRST: Final = "How many at most, up to 500."
_WHERE: Final = "Only what fulfils all of this; everything where absent or empty."
_ORDER: Final = "The keys of another order, the weightiest first; the list's own order where absent or empty."


@strawberry.type(description="Streams of events, over a WebSocket or as server-sent events.")
class Subscription:
    @strawberry.subscription(
        description="The execution now, then again after every change in it or its steps; where other executions "
        "of its tree are selected, after every change of those too. Completes after it is "
        "COMPLETED or CANCELLED; after FAILED it stays open, for a retry reopens it. A slow reader gets the newest "
        "state, not every state in between."
    )
    def workflow_execution(
        self,
        info: OperationInfo,
        id: Annotated[strawberry.ID, strawberry.argument(description="The execution's id.")],
    ) -> AsyncGenerator[WorkflowExecution, None]:
        return execution_events(info, id)  # type: ignore[return-value]  # projected

    @strawberry.subscription(
        description="A whole tree without a gap: its state, then every change in the order of revisions, children born "
        "later included, and TreeEnded when it is over. Completes after the root is COMPLETED or CANCELLED. A slow "
        "reader is caught up from the journal."
    )
    def workflow_execution_tree(
        self,
        info: OperationInfo,
        root_id: Annotated[strawberry.ID, strawberry.argument(description="The id of the tree's root.")],
        after: Annotated[
            int | None,
            strawberry.argument(
                description="Go on after this revision, without the state; where that cannot be, the state comes first."
            ),
        ] = strawberry.UNSET,
        epoch: Annotated[
            str | None,
            strawberry.argument(
                description="The epoch that came with the revision. Without it a restore of the database goes unnoticed."
            ),
        ] = strawberry.UNSET,
    ) -> AsyncGenerator[WorkflowExecutionTreeEvent, None]:
        return tree_events(info.context, root_id, _given(after), _given(epoch))  # type: ignore[return-value]  # projected

    @strawberry.subscription(
        description="The journal without a gap, from a cursor or from now on: of one tree by revision, of all trees in "
        "the order of their commits. Never completes. A slow reader is caught up from the journal."
    )
    def changes(
        self,
        info: OperationInfo,
        after: Annotated[
            str | None,
            strawberry.argument(
                description="Go on after this cursor; where that cannot be, ChangesResync comes first."
            ),
        ] = strawberry.UNSET,
        root_workflow_execution_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Only changes of the tree below this root."),
        ] = strawberry.UNSET,
        kinds: Annotated[
            list[ChangeKind] | None, strawberry.argument(description="Only changes of these kinds.")
        ] = strawberry.UNSET,
    ) -> AsyncGenerator[ChangesEvent, None]:
        root_id, chosen = _given(root_workflow_execution_id), _given(kinds)
        return change_events(info.context, _given(after), root_id, chosen)  # type: ignore[return-value]  # projected

    @strawberry.subscription(
        description="The first page that the query of the same name and arguments gives, kept right: the page, then at "
        "most every 25 ms what has changed on it. Never completes. A slow reader gets the difference between what it "
        "was sent last and the page as it is."
    )
    def workflow_executions(
        self,
        info: OperationInfo,
        first: Annotated[int | None, strawberry.argument(description=_FIRST)] = DEFAULT_PAGE,
        where: Annotated[
            WorkflowExecutionWhere | None, strawberry.argument(description=_WHERE)
        ] = strawberry.UNSET,
        order_by: Annotated[
            list[WorkflowExecutionOrder] | None, strawberry.argument(description=_ORDER)
        ] = strawberry.UNSET,
    ) -> AsyncGenerator[WorkflowExecutionListEvent, None]:
        return list_events(info, EXECUTION_LIST)  # type: ignore[return-value]  # projected

    @strawberry.subscription(
        description="The first page of the work queue that the query of the same name and arguments gives, kept right, "
        "as `workflowExecutions` is."
    )
    def workflow_step_executions(
        self,
        info: OperationInfo,
        first: Annotated[int | None, strawberry.argument(description=_FIRST)] = DEFAULT_PAGE,
        where: Annotated[
            WorkflowStepExecutionWhere | None, strawberry.argument(description=_WHERE)
        ] = strawberry.UNSET,
        order_by: Annotated[
            list[WorkflowStepExecutionOrder] | None, strawberry.argument(description=_ORDER)
        ] = strawberry.UNSET,
    ) -> AsyncGenerator[WorkflowStepExecutionListEvent, None]:
        return list_events(info, STEP_LIST)  # type: ignore[return-value]  # projected


def _given(argument: T) -> T | None:
    """An argument's value; null where it is absent."""
    return None if argument is strawberry.UNSET else argument
