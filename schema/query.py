"""Query: an index of root fields."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import orjson
import strawberry

from db.commands.publishing import find_issues
from db.explaining import evaluate_expression, explain_step
from db.ids import IdKind, is_id, kind_of_id
from db.runtime.expressions import NOTHING
from schema.change import Change
from schema.changes import changes
from schema.connections import FIRST_STARTED, NEWEST_FIRST, Connection
from schema.context import OperationInfo
from schema.difference import ExecutionDiff, differences
from schema.execution import WorkflowExecution
from schema.explanation import ExpressionRead, ExpressionResult, StepExplanation
from schema.filters import WorkflowExecutionWhere, WorkflowStepExecutionWhere, WorkflowTemplateWhere
from schema.node import Node
from schema.orders import WorkflowExecutionOrder, WorkflowStepExecutionOrder
from schema.projection.arguments import MAX_PAGE, BadUserInput
from schema.projection.declare import connection, everything
from schema.projection.rows import Rows
from schema.reaching import reach_revision
from schema.refusals import node_rows
from schema.results import ValidationIssue
from schema.scalars import JSONObject
from schema.step import WorkflowStepExecution, current
from schema.template import WorkflowTemplate, WorkflowTemplateVersion

_ABSENT: Final = (None, strawberry.UNSET)


@strawberry.type(
    description="Everything that can be read. Each root field is one statement on its own snapshot."
)
class Query:
    workflow_executions: Connection[WorkflowExecution] = connection(
        "Executions, roots and children alike, newest first.",
        everything,
        NEWEST_FIRST,
        where=WorkflowExecutionWhere,
        order_by=WorkflowExecutionOrder,
    )
    workflow_step_executions: Connection[WorkflowStepExecution] = connection(
        "The work queue: current attempts over all executions, by when they were started; what was not comes last.",
        current,
        FIRST_STARTED,
        where=WorkflowStepExecutionWhere,
        order_by=WorkflowStepExecutionOrder,
    )
    workflow_templates: Connection[WorkflowTemplate] = connection(
        "All templates, newest first.", everything, NEWEST_FIRST, where=WorkflowTemplateWhere
    )
    changes: Connection[Change] = changes

    @strawberry.field(description="Anything that has an id; null where there is nothing with this one.")
    def node(
        self, id: Annotated[strawberry.ID, strawberry.argument(description="An id of any type.")]
    ) -> Node | None:
        return node_rows(id) if kind_of_id(id) else None  # type: ignore[return-value]  # projected

    @strawberry.field(
        description="What these ids name, of whatever types, in the order of the ids; null in the place of one that names "
        "nothing."
    )
    def nodes(
        self,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="Ids of any type, at most 500.")],
    ) -> list[Node | None]:
        if len(ids) > MAX_PAGE:
            raise BadUserInput(f"ids has {len(ids)} ids; at most {MAX_PAGE} are allowed.")
        return _listed("Node", [id_ if kind_of_id(id_) else None for id_ in ids])

    @strawberry.field(description="An execution; null where there is none with this id.")
    async def workflow_execution(
        self,
        info: OperationInfo,
        id: Annotated[strawberry.ID, strawberry.argument(description="The execution's id.")],
        as_of: Annotated[
            int | None,
            strawberry.argument(
                description="Show it, and all of its tree that is selected, as it stood at this revision of the tree; "
                "templates are shown as they are. Null where it did not exist yet; the error `REVISION_EXPIRED` where "
                "that is no longer kept."
            ),
        ] = strawberry.UNSET,
        min_revision: Annotated[
            int | None,
            strawberry.argument(
                description="Wait, for 5 s at most, until its tree has this revision; then the error "
                "`REVISION_NOT_REACHED`."
            ),
        ] = strawberry.UNSET,
    ) -> WorkflowExecution | None:
        if not is_id(IdKind.EXECUTION, id):
            return None
        if min_revision not in _ABSENT:
            await reach_revision(info.context, id, min_revision)
        as_of = None if as_of in _ABSENT else as_of
        return Rows("WorkflowExecution", {"id": id}, as_of=as_of)  # type: ignore[return-value]  # projected

    @strawberry.field(
        description="What changed between two revisions of a tree, in an execution and all below it: each execution "
        "and each attempt that changed, once, in the order of their last changes. Null where there was no such "
        "execution; the error `REVISION_EXPIRED` where `from` is no longer kept."
    )
    def workflow_execution_diff(
        self,
        id: Annotated[strawberry.ID, strawberry.argument(description="The execution's id.")],
        from_: Annotated[
            int,
            strawberry.argument(
                name="from", description="The earlier revision; 0: before there was anything."
            ),
        ],
        to: Annotated[int, strawberry.argument(description="The later revision.")],
    ) -> list[ExecutionDiff] | None:
        if not is_id(IdKind.EXECUTION, id):
            return None
        if not 0 <= from_ <= max(to, 0):
            raise BadUserInput(f"from is {from_}; it must be from 0 to {to}, which is `to`.")
        return differences(id, from_, to)  # type: ignore[return-value]  # projected

    @strawberry.field(description="A template by id or by key (exactly one); null where there is none.")
    def workflow_template(
        self,
        id: Annotated[
            strawberry.ID | None, strawberry.argument(description="The template's id.")
        ] = strawberry.UNSET,
        key: Annotated[
            str | None, strawberry.argument(description="The template's unique slug.")
        ] = strawberry.UNSET,
    ) -> WorkflowTemplate | None:
        by_id, by_key = id not in _ABSENT, key not in _ABSENT
        if by_id is by_key:
            raise BadUserInput("Give exactly one of id and key.")
        if by_key:
            return _rows("WorkflowTemplate", key=key)
        return _by_id(IdKind.TEMPLATE, "WorkflowTemplate", id)

    @strawberry.field(description="A version; null where there is none with this id.")
    def workflow_template_version(
        self, id: Annotated[strawberry.ID, strawberry.argument(description="The version's id.")]
    ) -> WorkflowTemplateVersion | None:
        return _by_id(IdKind.TEMPLATE_VERSION, "WorkflowTemplateVersion", id)

    @strawberry.field(
        description="Every issue that publishing this definition would find; an empty list: it can be published."
    )
    async def validate_workflow_definition(
        self,
        info: OperationInfo,
        definition: Annotated[JSONObject, strawberry.argument(description="The definition to check.")],
    ) -> list[ValidationIssue]:
        issues = await find_issues(info.context.store, info.context.actor, definition)
        return [ValidationIssue.of(issue) for issue in issues]

    @strawberry.field(description="Try an expression against an execution's data; null where there is none.")
    async def evaluate_expression(
        self,
        info: OperationInfo,
        workflow_execution_id: Annotated[
            strawberry.ID, strawberry.argument(description="The execution's id.")
        ],
        src: Annotated[str, strawberry.argument(description="The JSONata source.")],
    ) -> ExpressionResult | None:
        context = info.context
        evaluated = await evaluate_expression(context.store, context.actor, workflow_execution_id, src)
        if evaluated is None:
            return None
        value = None if evaluated.value is NOTHING else evaluated.value
        return ExpressionResult(value=value, error=evaluated.error)

    @strawberry.field(
        description="Why a step stands as it does: what it waits for, or which policy disabled it and what that read."
    )
    async def explain_step(
        self,
        info: OperationInfo,
        id: Annotated[strawberry.ID, strawberry.argument(description="The step execution's id.")],
    ) -> StepExplanation | None:
        explained = await explain_step(info.context.store, info.context.actor, id)
        if explained is None:
            return None
        return StepExplanation(
            summary=explained.summary,
            waiting_for=_listed("WorkflowStepExecution", explained.waiting_for),
            expression=explained.expression,
            reads=[ExpressionRead(path=each["path"], value=each["value"]) for each in explained.reads],
        )


def _by_id(kind: IdKind, type_name: str, id_: str | None) -> Any:
    """The object, or null for an id that is malformed or of another type (I6)."""
    return _rows(type_name, id=id_) if id_ is not None and is_id(kind, id_) else None


def _listed(type_name: str, ids: Sequence[str | None]) -> Any:
    """What stands for a list of objects until it is projected."""
    return Rows(type_name, {"ids": orjson.dumps(ids).decode()}, is_list=True)


def _rows(type_name: str, **values: Any) -> Any:
    """What stands for an object until it is projected."""
    return Rows(type_name, values)
