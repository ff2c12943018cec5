"""The API's answers, written once more without SQL: graphql-core over the exported SDL and rows in memory.

Nothing here knows of the projection. What a tenant sees are the rows that carry its name; everything else follows from
the SDL's descriptions.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLResolveInfo,
    build_schema,
    execute_sync,
    get_named_type,
    is_enum_type,
    parse,
)

from db.statements import DatabaseKind
from tests.schema.pages import page
from tests.schema.refusals import Walk, is_well_formed
from tests.schema.rows import Row, Rows

Object = dict[str, Any]  # a row, or a payload, with its `__typename`

_TABLES = {
    "WorkflowTemplate": "workflow_template",
    "WorkflowTemplateVersion": "workflow_template_version",
    "WorkflowStepDefinition": "step_definition",
    "WorkflowStepTransition": "step_transition",
    "WorkflowStepGroup": "step_group",
    "WorkflowExecution": "workflow_execution",
    "WorkflowStepExecution": "step_execution",
    "Change": "journal",
}
# Fields that are columns of another name than their own in snake case.
_COLUMNS = {
    "WorkflowExecution.workflowTemplateVersionId": "version_id",
    "WorkflowStepDefinition.order": "position",
    "Change.rootWorkflowExecutionId": "root_id",
    "Change.workflowExecutionId": "execution_id",
}
# How the databases write a JSON array.
_COMMAS: Mapping[DatabaseKind, str] = {"sqlite": ",", "postgresql": ", "}
_SHOWN_STATUS = ("Change.fromStatus", "Change.toStatus")


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come back: the data, which root fields are refused (BAD_USER_INPUT), and how many statements it takes."""

    data: Any
    refused: frozenset[str]
    statements: int


class Reference:
    """One tenant's view of the rows."""

    def __init__(
        self,
        sdl: str,
        rows: Rows,
        kind: DatabaseKind,
        tenant: str,
        transitions: Iterable[Object] = (),
        templates: Iterable[Object] = (),
    ) -> None:
        self.schema = build_schema(sdl)
        self._comma = _COMMAS[kind]
        self._payloads = {"transition": list(transitions), "template": list(templates)}
        self.epoch = rows["journal_epoch"][0]["epoch"]
        self.objects: dict[str, list[Object]] = {
            type_name: [{"__typename": type_name, **row} for row in rows[table] if row["tenant"] == tenant]
            for type_name, table in _TABLES.items()
        }

    def answer(self, document_text: str, variables: Mapping[str, Any]) -> Expected:
        """The answer to one operation."""
        document = _parsed(document_text)
        walk = Walk(self.schema, self.payload, document, variables)
        refused = walk.refused()
        result = execute_sync(
            self.schema,
            document,
            {},
            context_value=Asked(self, refused),
            variable_values=dict(variables),
            field_resolver=resolve,
        )
        assert refused or not result.errors, result.errors
        return Expected(result.data, refused, walk.statements())

    # Rows.

    def all(self, type_name: str, order: str | None = None, **values: Any) -> list[Object]:
        """The objects of a type whose columns hold these values."""
        found = [
            each
            for each in self.objects[type_name]
            if all(each[name] == value for name, value in values.items())
        ]
        return found if order is None else sorted(found, key=lambda each: each[order])

    def one(self, type_name: str, **values: Any) -> Object | None:
        """The only object with these values."""
        found = self.all(type_name, **values)
        assert len(found) <= 1, f"{len(found)} × {type_name} with {values}"
        return found[0] if found else None

    def payload(self, field: str, which: int) -> Object | None:
        """What a fabricated root field answers."""
        payloads = self._payloads[field]
        return payloads[which] if 0 <= which < len(payloads) else None

    def cursor(self, *content: Any) -> str:
        """A cursor, spelt as this database does."""
        return json.dumps(content, separators=(self._comma, ":")).encode().hex()

    def cursor_of(self, row: Row) -> str:
        """The cursor of a row in a list that is ordered by time and id."""
        return self.cursor("createdAt", row["created_at"], row["id"])


@dataclass(frozen=True, slots=True)
class Asked:
    """One operation's surroundings."""

    reference: Reference
    refused: frozenset[str]


@lru_cache(maxsize=1)
def _parsed(document: str) -> DocumentNode:
    return parse(document)


# Fields.


def resolve(source: Object, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    """Every field of every object."""
    name = f"{info.parent_type.name}.{info.field_name}"
    if info.path.prev is None and info.path.key in info.context.refused:
        return None
    if name in RESOLVERS:
        return RESOLVERS[name](info.context.reference, source, arguments)
    column = _COLUMNS.get(name) or re.sub("(?=[A-Z])", "_", info.field_name).lower()
    value = source[column] if column in source else source[info.field_name]
    is_label = is_enum_type(get_named_type(info.return_type)) or name in _SHOWN_STATUS
    return label(value) if is_label and value is not None else value


def label(stored: str) -> str:
    """`InProgress` is shown IN_PROGRESS, `human.form` HUMAN_FORM, `PUBLISHED` as it is."""
    if stored.isupper():
        return stored
    return re.sub("(?<=[a-z])(?=[A-Z])", "_", stored).replace(".", "_").upper()


def _by_id(type_name: str, field: str) -> Callable[..., Any]:
    return lambda reference, _, arguments: (
        reference.one(type_name, id=arguments["id"]) if is_well_formed(field, arguments["id"]) else None
    )


def _template(reference: Reference, source: Object, arguments: Mapping[str, Any]) -> Object | None:
    if arguments.get("key") is not None:
        return reference.one("WorkflowTemplate", key=arguments["key"])
    return _by_id("WorkflowTemplate", "workflowTemplate")(reference, source, arguments)


def _progress(reference: Reference, execution: Object, _: Any) -> Object:
    statuses = [str(step["status"]) for step in _steps(reference, execution, _)]
    counted = {
        "notStarted": "NotStarted",
        "inProgress": "InProgress",
        "completed": "Completed",
        "disabled": "Disabled",
        "failed": "Failed",
    }
    return {"total": len(statuses)} | {name: statuses.count(status) for name, status in counted.items()}


def _steps(reference: Reference, execution: Object, _: Any) -> list[Object]:
    return reference.all("WorkflowStepExecution", "position", execution_id=execution["id"], is_current=True)


def _step(reference: Reference, execution: Object, arguments: Mapping[str, Any]) -> Object | None:
    return reference.one(
        "WorkflowStepExecution", execution_id=execution["id"], is_current=True, step_id=arguments["stepId"]
    )


def _failure(_: Reference, row: Object, __: Any) -> Object | None:
    if row["failure_code"] is None:
        return None
    return {"code": row["failure_code"], "message": row["failure_message"]}


def _tree_revision(reference: Reference, execution: Object, _: Any) -> int:
    root = reference.one("WorkflowExecution", id=execution["root_id"])
    assert root is not None
    return int(root["tree_revision"])


def _changes(reference: Reference, payload: Object, arguments: Mapping[str, Any]) -> list[Object]:
    changes = reference.all("Change", "revision", root_id=payload["root_id"])
    made = [each for each in changes if payload["since"] < each["revision"] <= payload["revision"]]
    first = arguments.get("first")
    return made[: 100 if first is None else first]


def _referred(type_name: str, column: str, key: str = "id") -> Callable[..., Any]:
    return lambda reference, row, _: reference.one(type_name, **{key: row[column]})


def _drawn(type_name: str) -> Callable[..., Any]:
    """What a published version draws."""
    return lambda reference, version, _: reference.all(type_name, "position", version_id=version["id"])


def _arrows(column: str) -> Callable[..., Any]:
    return lambda reference, step, _: reference.all(
        "WorkflowStepTransition", "position", version_id=step["version_id"], **{column: step["step_id"]}
    )


def _step_definition(column: str) -> Callable[..., Any]:
    return lambda reference, row, _: reference.one(
        "WorkflowStepDefinition", version_id=row["version_id"], step_id=row[column]
    )


RESOLVERS: Mapping[str, Callable[..., Any]] = {
    "Query.workflowTemplates": lambda reference, _, arguments: page(
        reference.all("WorkflowTemplate"), arguments, reference.cursor_of
    ),
    "Query.workflowExecution": _by_id("WorkflowExecution", "workflowExecution"),
    "Query.workflowTemplate": _template,
    "Query.workflowTemplateVersion": _by_id("WorkflowTemplateVersion", "workflowTemplateVersion"),
    "Query.transition": lambda reference, _, arguments: reference.payload("transition", arguments["which"]),
    "Query.template": lambda reference, _, arguments: reference.payload("template", arguments["which"]),
    "TransitionSuccess.workflowExecution": _referred("WorkflowExecution", "execution_id"),
    "TransitionSuccess.step": _referred("WorkflowStepExecution", "step_execution_id"),
    "TransitionSuccess.changes": _changes,
    "TransitionSuccess.changeCount": lambda _, payload, __: payload["revision"] - payload["since"],
    "TemplateSuccess.workflowTemplate": _referred("WorkflowTemplate", "template_id"),
    "TemplateSuccess.version": _referred("WorkflowTemplateVersion", "version_id"),
    "WorkflowExecution.treeRevision": _tree_revision,
    "WorkflowExecution.progress": _progress,
    "WorkflowExecution.failure": _failure,
    "WorkflowExecution.workflowTemplateVersion": _referred("WorkflowTemplateVersion", "version_id"),
    "WorkflowExecution.steps": _steps,
    "WorkflowExecution.step": _step,
    "WorkflowStepExecution.failure": _failure,
    "WorkflowStepExecution.workflowExecution": _referred("WorkflowExecution", "execution_id"),
    "WorkflowStepExecution.definition": _step_definition("step_id"),
    "WorkflowTemplate.activeVersion": _referred("WorkflowTemplateVersion", "active_version_id"),
    "WorkflowTemplate.versions": lambda reference, template, arguments: page(
        reference.all("WorkflowTemplateVersion", template_id=template["id"]), arguments, reference.cursor_of
    ),
    "WorkflowTemplateVersion.workflowTemplate": _referred("WorkflowTemplate", "template_id"),
    "WorkflowTemplateVersion.steps": _drawn("WorkflowStepDefinition"),
    "WorkflowTemplateVersion.transitions": _drawn("WorkflowStepTransition"),
    "WorkflowTemplateVersion.stepGroups": _drawn("WorkflowStepGroup"),
    "WorkflowStepGroup.steps": lambda reference, group, _: reference.all(
        "WorkflowStepDefinition", "group_position", version_id=group["version_id"], group_id=group["group_id"]
    ),
    "WorkflowStepDefinition.outgoing": _arrows("from_step_id"),
    "WorkflowStepDefinition.incoming": _arrows("to_step_id"),
    "WorkflowStepTransition.from": _step_definition("from_step_id"),
    "WorkflowStepTransition.to": _step_definition("to_step_id"),
    "Change.cursor": lambda reference, change, _: reference.cursor(
        "journal", reference.epoch, change["xid"], change["position"]
    ),
    "Change.workflowExecution": _referred("WorkflowExecution", "execution_id"),
    "Change.step": _referred("WorkflowStepExecution", "step_execution_id"),
}
