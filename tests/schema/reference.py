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
from tests.schema.pages import BY_INDEX, NEWEST_FIRST, Order, page
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
    "StepChild": "step_child",
}
# Fields that are columns of another name than their own in snake case.
_COLUMNS = {
    "WorkflowExecution.workflowTemplateVersionId": "version_id",
    "WorkflowExecution.parentWorkflowExecutionId": "parent_id",
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
        explanations: Iterable[Object] = (),
    ) -> None:
        self.schema = build_schema(sdl)
        self._comma = _COMMAS[kind]
        self._payloads = {
            "transition": list(transitions),
            "template": list(templates),
            "explanation": list(explanations),
        }
        self._indexes: dict[Any, dict[Any, list[Object]]] = {}
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
        found = self._index(type_name, tuple(values)).get(tuple(values.values()), [])
        return found if order is None else sorted(found, key=lambda each: each[order])

    def _index(self, type_name: str, columns: tuple[str, ...]) -> dict[Any, list[Object]]:
        if (type_name, columns) not in self._indexes:
            index = self._indexes[type_name, columns] = {}
            for each in self.objects[type_name]:
                index.setdefault(tuple(each[column] for column in columns), []).append(each)
        return self._indexes[type_name, columns]

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

    def cursor_of(self, order: Order, row: Row) -> str:
        """The cursor of a row in a list."""
        return self.cursor(order.name, *order.keys(row))


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


def _root_id(_: Reference, execution: Object, __: Any) -> str | None:
    return None if execution["parent_id"] is None else execution["root_id"]


def _descendants(reference: Reference, execution: Object, arguments: Mapping[str, Any]) -> Object:
    found: list[Object] = []
    waiting = [execution["id"]]
    while waiting:
        children = reference.all("WorkflowExecution", parent_id=waiting.pop())
        found += children
        waiting += [child["id"] for child in children]
    return page(found, NEWEST_FIRST, arguments, reference.cursor_of)


def _paged(type_name: str, column: str, order: Order) -> Callable[..., Any]:
    """Rows that refer to the object, in pages."""
    return lambda reference, row, arguments: page(
        reference.all(type_name, **{column: row["id"]}), order, arguments, reference.cursor_of
    )


def _retry_at(_: Reference, step: Object, __: Any) -> str | None:
    return step["retry_at"] if step["is_current"] else None


def _attempts(reference: Reference, step: Object, _: Any) -> list[Object]:
    return reference.all(
        "WorkflowStepExecution", "attempt", execution_id=step["execution_id"], step_id=step["step_id"]
    )


def _children(reference: Reference, step: Object) -> list[Object]:
    links = reference.all("StepChild", "child_index", step_execution_id=step["id"])
    return [child for link in links for child in reference.all("WorkflowExecution", id=link["child_id"])]


def _some_children(reference: Reference, step: Object, arguments: Mapping[str, Any]) -> list[Object]:
    first = arguments.get("first")
    return _children(reference, step)[: 100 if first is None else first]


def _child_progress(reference: Reference, step: Object, _: Any) -> Object:
    statuses = [str(child["runtime_status"]) for child in _children(reference, step)]
    counted = {
        "notStarted": "NotStarted",
        "inProgress": "InProgress",
        "completed": "Completed",
        "failed": "Failed",
        "cancelled": "Cancelled",
    }
    return {"total": len(statuses)} | {name: statuses.count(status) for name, status in counted.items()}


def _child_template(reference: Reference, step: Object, _: Any) -> Object | None:
    version = reference.one("WorkflowTemplateVersion", id=step["child_version_id"])
    if version is not None:
        return reference.one("WorkflowTemplate", id=version["template_id"])
    return reference.one("WorkflowTemplate", key=step["child_template_key"])


def _runtime(reference: Reference, execution: Object, _: Any) -> Object:
    """The seed's TRuntimeWorkflowExecution: statuses and types as they are stored, what is not set is absent."""
    times = ("started_at", "completed_at", "failed_at", "last_activity_at")
    steps = _steps(reference, execution, _)
    return _set(
        {
            "id": execution["id"],
            "correlationId": execution["correlation_id"],
            "parentWorkflowExecutionId": execution["parent_id"],
            "rootWorkflowExecutionId": _root_id(reference, execution, _),
            "workflowTemplateVersionId": execution["version_id"],
            "runtimeStatus": str(execution["runtime_status"]),
            **{_camel(name): execution[name] for name in times},
            "context": execution["context"],
            "steps": {step["step_id"]: _runtime_step(reference, step) for step in steps},
        }
    )


def _runtime_step(reference: Reference, step: Object) -> Object:
    times = ("started_at", "completed_at", "failed_at", "due_at")
    links = reference.all("StepChild", "child_index", step_execution_id=step["id"])
    is_parent = str(step["type"]) == "sys.sub_workflow"
    return _set(
        {
            "id": step["id"],
            "type": str(step["type"]),
            "stepId": step["step_id"],
            "status": str(step["status"]),
            "attempt": step["attempt"],
            **{_camel(name): step[name] for name in times},
            "outputData": step["output_data"],
            "childWorkflowExecutions": [{"id": link["child_id"]} for link in links] if is_parent else None,
        }
    )


def _set(values: Object) -> Object:
    return {name: value for name, value in values.items() if value is not None}


def _camel(name: str) -> str:
    return re.sub("_(.)", lambda found: found[1].upper(), name)


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
        reference.all("WorkflowTemplate"), NEWEST_FIRST, arguments, reference.cursor_of
    ),
    "Query.workflowExecution": _by_id("WorkflowExecution", "workflowExecution"),
    "Query.workflowTemplate": _template,
    "Query.workflowTemplateVersion": _by_id("WorkflowTemplateVersion", "workflowTemplateVersion"),
    "Query.transition": lambda reference, _, arguments: reference.payload("transition", arguments["which"]),
    "Query.template": lambda reference, _, arguments: reference.payload("template", arguments["which"]),
    "Query.explanation": lambda reference, _, arguments: reference.payload("explanation", arguments["which"]),
    "TransitionSuccess.workflowExecution": _referred("WorkflowExecution", "execution_id"),
    "TransitionSuccess.step": _referred("WorkflowStepExecution", "step_execution_id"),
    "TransitionSuccess.changes": _changes,
    "TransitionSuccess.changeCount": lambda _, payload, __: payload["revision"] - payload["since"],
    "TemplateSuccess.workflowTemplate": _referred("WorkflowTemplate", "template_id"),
    "TemplateSuccess.version": _referred("WorkflowTemplateVersion", "version_id"),
    "WorkflowExecution.rootWorkflowExecutionId": _root_id,
    "WorkflowExecution.runtime": _runtime,
    "WorkflowExecution.parentWorkflowExecution": _referred("WorkflowExecution", "parent_id"),
    "WorkflowExecution.rootWorkflowExecution": _referred("WorkflowExecution", "root_id"),
    "WorkflowExecution.parentStep": _referred("WorkflowStepExecution", "parent_step_id"),
    "WorkflowExecution.childWorkflowExecutions": _paged("WorkflowExecution", "parent_id", BY_INDEX),
    "WorkflowExecution.descendantWorkflowExecutions": _descendants,
    "WorkflowExecution.treeRevision": _tree_revision,
    "WorkflowExecution.progress": _progress,
    "WorkflowExecution.failure": _failure,
    "WorkflowExecution.workflowTemplateVersion": _referred("WorkflowTemplateVersion", "version_id"),
    "WorkflowExecution.steps": _steps,
    "WorkflowExecution.step": _step,
    "WorkflowStepExecution.failure": _failure,
    "WorkflowStepExecution.retryAt": _retry_at,
    "WorkflowStepExecution.attempts": _attempts,
    "WorkflowStepExecution.childWorkflowExecutions": _some_children,
    "WorkflowStepExecution.childProgress": _child_progress,
    "WorkflowStepExecution.workflowExecution": _referred("WorkflowExecution", "execution_id"),
    "WorkflowStepExecution.definition": _step_definition("step_id"),
    "WorkflowTemplate.activeVersion": _referred("WorkflowTemplateVersion", "active_version_id"),
    "WorkflowTemplate.versions": _paged("WorkflowTemplateVersion", "template_id", NEWEST_FIRST),
    "WorkflowTemplateVersion.workflowExecutions": _paged("WorkflowExecution", "version_id", NEWEST_FIRST),
    "WorkflowTemplateVersion.workflowTemplate": _referred("WorkflowTemplate", "template_id"),
    "WorkflowTemplateVersion.steps": _drawn("WorkflowStepDefinition"),
    "WorkflowTemplateVersion.transitions": _drawn("WorkflowStepTransition"),
    "WorkflowTemplateVersion.stepGroups": _drawn("WorkflowStepGroup"),
    "WorkflowStepGroup.steps": lambda reference, group, _: reference.all(
        "WorkflowStepDefinition", "group_position", version_id=group["version_id"], group_id=group["group_id"]
    ),
    "WorkflowStepDefinition.childWorkflowTemplate": _child_template,
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
