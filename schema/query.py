"""Query: an index of root fields."""

from typing import Annotated, Any, Final

import strawberry

from db.commands.publishing import find_issues
from db.ids import IdKind, is_id
from schema.connections import NEWEST_FIRST, Connection
from schema.context import OperationInfo
from schema.execution import WorkflowExecution
from schema.projection.arguments import BadUserInput
from schema.projection.declare import connection, everything
from schema.projection.rows import Rows
from schema.results import ValidationIssue
from schema.scalars import JSONObject
from schema.template import WorkflowTemplate, WorkflowTemplateVersion

_ABSENT: Final = (None, strawberry.UNSET)


@strawberry.type(
    description="Everything that can be read. Each root field is one statement on its own snapshot."
)
class Query:
    workflow_templates: Connection[WorkflowTemplate] = connection(
        "All templates, newest first.", everything, NEWEST_FIRST
    )

    @strawberry.field(description="An execution; null where there is none with this id.")
    def workflow_execution(
        self, id: Annotated[strawberry.ID, strawberry.argument(description="The execution's id.")]
    ) -> WorkflowExecution | None:
        return _by_id(IdKind.EXECUTION, "WorkflowExecution", id)

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


def _by_id(kind: IdKind, type_name: str, id_: str | None) -> Any:
    """The object, or null for an id that is malformed or of another type (I6)."""
    return _rows(type_name, id=id_) if id_ is not None and is_id(kind, id_) else None


def _rows(type_name: str, **values: Any) -> Any:
    """What stands for an object until it is projected."""
    return Rows(type_name, values)
