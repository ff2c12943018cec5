"""Query: an index of root fields."""

from typing import Any

import strawberry

from db.ids import IdKind, is_id
from schema.connections import NEWEST_FIRST, Connection
from schema.execution import WorkflowExecution
from schema.projection.arguments import BadUserInput
from schema.projection.declare import connection, everything
from schema.projection.rows import Rows
from schema.template import WorkflowTemplate, WorkflowTemplateVersion


@strawberry.type(
    description="Everything that can be read. Each root field is one statement on its own snapshot."
)
class Query:
    workflow_templates: Connection[WorkflowTemplate] = connection(
        "All templates, newest first.", everything, NEWEST_FIRST
    )

    @strawberry.field(description="An execution; null where there is none with this id.")
    def workflow_execution(self, id: strawberry.ID) -> WorkflowExecution | None:  # the API's name
        return _by_id(IdKind.EXECUTION, "WorkflowExecution", id)

    @strawberry.field(description="A template by id or by key (exactly one); null where there is none.")
    def workflow_template(
        self,
        id: strawberry.ID | None = strawberry.UNSET,  # the API's name
        key: str | None = strawberry.UNSET,
    ) -> WorkflowTemplate | None:
        given = [value for value in (id, key) if value not in (None, strawberry.UNSET)]
        if len(given) != 1:
            raise BadUserInput("Give exactly one of id and key.")
        return _by_id(IdKind.TEMPLATE, "WorkflowTemplate", given[0]) if id in given else _by_key(given[0])

    @strawberry.field(description="A version; null where there is none with this id.")
    def workflow_template_version(
        self,
        id: strawberry.ID,  # the API's name
    ) -> WorkflowTemplateVersion | None:
        return _by_id(IdKind.TEMPLATE_VERSION, "WorkflowTemplateVersion", id)


def _by_id(kind: IdKind, type_name: str, id_: str) -> Any:
    """The object, or null for an id that is malformed or of another type (I6)."""
    return Rows(type_name, {"id": id_}) if is_id(kind, id_) else None


def _by_key(key: str) -> Any:
    return Rows("WorkflowTemplate", {"key": key})
