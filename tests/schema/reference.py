"""The API's answers, written once more without SQL: graphql-core over the exported SDL and rows in memory.

Nothing here knows of the projection. What a tenant sees are the rows that carry its name; everything else follows from
the SDL's descriptions. What is no projection is given: payloads, explanations, what expressions come to (`payloads.py`).
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
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
from graphql.pyutils import Path

from db.statements import DatabaseKind
from tests.schema.labels import label
from tests.schema.lists import everything, listed
from tests.schema.pages import AS_COMMITTED, Order, page
from tests.schema.past_rows import objects_at
from tests.schema.refusals import PAYLOADS, FindPayload, Walk, is_well_formed, type_of_id
from tests.schema.rows import Row, Rows
from tests.schema.templates import TEMPLATES
from tests.schema.trees import TREES, Arguments, Resolver

_TABLES = {
    "WorkflowTemplate": "workflow_template",
    "WorkflowTemplateVersion": "workflow_template_version",
    "WorkflowStepDefinition": "step_definition",
    "WorkflowStepTransition": "step_transition",
    "WorkflowStepGroup": "step_group",
    "WorkflowExecution": "workflow_execution",
    "WorkflowStepExecution": "step_execution",
    "StepChild": "step_child",
    "Change": "journal",
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

    def __init__(self, sdl: str, rows: Rows, kind: DatabaseKind, tenant: str) -> None:
        self.schema = build_schema(sdl)
        # What is no projection; there is nothing of it until it is made of what is here.
        self.payload: FindPayload = lambda _field, _arguments: None
        self._comma = _COMMAS[kind]
        self._indexes: dict[Any, dict[Any, list[Row]]] = {}
        self.epoch = rows["journal_epoch"][0]["epoch"]
        # A row is an object: it has its `__typename`.
        self.objects: dict[str, list[Row]] = {
            type_name: [{"__typename": type_name, **row} for row in rows[table] if row["tenant"] == tenant]
            for type_name, table in _TABLES.items()
        }

    def at(self, execution_id: str, revision: int) -> "Reference":
        """The same view, where the execution's tree is as it was at one of its revisions."""
        execution = self.one("WorkflowExecution", id=execution_id)
        if execution is None:
            return self
        past = copy(self)
        past._indexes = {}
        is_jsonb = self._comma == _COMMAS["postgresql"]
        past.objects = objects_at(self.objects, execution["root_id"], revision, is_jsonb=is_jsonb)
        return past

    def tree_revision(self, execution_id: str) -> int | None:
        """The revision of the tree that an execution is in."""
        execution = self.one("WorkflowExecution", id=execution_id)
        root = execution and self.one("WorkflowExecution", id=execution["root_id"])
        return root and root["tree_revision"]

    def answer(self, document_text: str, variables: Mapping[str, Any]) -> Expected:
        """The answer to one operation."""
        document = _parsed(document_text)
        walk = Walk(self.schema, self.payload, self.tree_revision, document, variables)
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

    def all(self, type_name: str, order: str | None = None, **values: Any) -> list[Row]:
        """The objects of a type whose columns hold these values."""
        found = self._index(type_name, tuple(values)).get(tuple(values.values()), [])
        return found if order is None else sorted(found, key=lambda each: each[order])

    def one(self, type_name: str, **values: Any) -> Row | None:
        """The only object with these values."""
        found = self.all(type_name, **values)
        assert len(found) <= 1, f"{len(found)} × {type_name} with {values}"
        return found[0] if found else None

    def _index(self, type_name: str, columns: tuple[str, ...]) -> dict[Any, list[Row]]:
        """The objects of a type by what some of their columns hold."""
        if (type_name, columns) not in self._indexes:
            index: dict[Any, list[Row]] = defaultdict(list)
            for each in self.objects[type_name]:
                index[tuple(each[column] for column in columns)].append(each)
            self._indexes[type_name, columns] = index
        return self._indexes[type_name, columns]

    def cursor(self, *content: Any) -> str:
        """A cursor, spelt as this database does."""
        text = json.dumps(content, separators=(self._comma, ":"), ensure_ascii=False)
        return text.encode("utf-8", "surrogatepass").hex()

    def cursor_of(self, order: Order, row: Row) -> str:
        """The cursor of a row in a list."""
        if order is AS_COMMITTED:
            return self.cursor(order.name, self.epoch, *order.keys(row))
        return self.cursor(order.name, *order.keys(row))


@dataclass(frozen=True, slots=True)
class Asked:
    """One operation's surroundings."""

    reference: Reference
    refused: frozenset[str]
    # By root field: the view that what hangs on it has, where that is not now's.
    past: dict[str | int, Reference] = field(default_factory=dict)

    def view(self, path: Path, arguments: Mapping[str, Any]) -> Reference:
        """The rows that a field has its answer from."""
        if path.prev is None and arguments.get("asOf") is not None:
            self.past[path.key] = self.reference.at(arguments["id"], arguments["asOf"])
        while path.prev is not None:
            path = path.prev
        return self.past.get(path.key, self.reference)


@lru_cache(maxsize=1)
def _parsed(document: str) -> DocumentNode:
    return parse(document)


# Fields.


def resolve(source: Row, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    """Every field of every object."""
    name = f"{info.parent_type.name}.{info.field_name}"
    if info.path.prev is None and info.path.key in info.context.refused:
        return None
    if name in RESOLVERS:
        return RESOLVERS[name](info.context.view(info.path, arguments), source, arguments)
    column = _COLUMNS.get(name) or re.sub("(?=[A-Z])", "_", info.field_name).lower()
    value = source[column] if column in source else source[info.field_name]
    is_label = is_enum_type(get_named_type(info.return_type)) or name in _SHOWN_STATUS
    return label(value) if is_label and value is not None else value


def _by_id(type_name: str, field: str) -> Resolver:
    return lambda reference, _, arguments: (
        reference.one(type_name, id=arguments["id"]) if is_well_formed(field, arguments["id"]) else None
    )


def _template(reference: Reference, source: Row, arguments: Arguments) -> Row | None:
    if arguments.get("key") is not None:
        return reference.one("WorkflowTemplate", key=arguments["key"])
    found: Row | None = _by_id("WorkflowTemplate", "workflowTemplate")(reference, source, arguments)
    return found


def _node(reference: Reference, id_: str) -> Row | None:
    type_name = type_of_id(id_)
    return reference.one(type_name, id=id_) if type_name else None


def _changes(reference: Reference, _: Row, arguments: Arguments) -> Row:
    root_id, kinds = (arguments.get(name) for name in ("rootWorkflowExecutionId", "kinds"))
    found = reference.objects["Change"] if root_id is None else reference.all("Change", root_id=root_id)
    kept = [change for change in found if kinds is None or change["kind"] in kinds]
    return page(kept, AS_COMMITTED, arguments, reference.cursor_of)


def _payload(field: str) -> Callable[..., Any]:
    return lambda reference, _, arguments: reference.payload(field, arguments)


RESOLVERS: Mapping[str, Resolver] = {
    "Query.workflowTemplates": listed("workflowTemplates", everything("WorkflowTemplate")),
    "Query.workflowExecutions": listed("workflowExecutions", everything("WorkflowExecution")),
    "Query.workflowStepExecutions": listed(
        "workflowStepExecutions", everything("WorkflowStepExecution", is_current=True)
    ),
    "Query.node": lambda reference, _, arguments: _node(reference, arguments["id"]),
    "Query.nodes": lambda reference, _, arguments: [_node(reference, id_) for id_ in arguments["ids"]],
    "Query.changes": _changes,
    "Query.workflowExecution": _by_id("WorkflowExecution", "workflowExecution"),
    "Query.workflowTemplate": _template,
    "Query.workflowTemplateVersion": _by_id("WorkflowTemplateVersion", "workflowTemplateVersion"),
    **{f"Query.{field}": _payload(field) for field in PAYLOADS},
    **TEMPLATES,
    **TREES,
}
