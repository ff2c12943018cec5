"""One statement per root field answers every document as graphql-core's ordinary execution does (projection 6)."""

from collections import defaultdict
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLObjectType,
    GraphQLSchema,
    NameNode,
    Node,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    get_named_type,
    is_leaf_type,
    parse,
    print_ast,
    visit,
)

from db.runtime.statuses import StepStatus
from tests.schema.comparison import SDL, View
from tests.schema.documents import Document, Writer
from tests.schema.rows import Digits, Row
from tests.schema.values import Pools, Values

ROOT_FIELDS_BY_ID = (
    "workflowExecution",
    "workflowTemplate",
    "workflowTemplateVersion",
    "evaluateExpression",
    "explainStep",
    "node",
)


async def test_a_document_is_answered_as_by_graphql_core(views: list[View]) -> None:
    """Data and order of keys, one statement per root field, and the same from the plan cache and for other values."""
    for random in seeded(80):
        view = random.choice(views)
        await view.compare(view.draw(random))


async def test_a_list_is_filtered_ordered_and_paged_as_in_plain_python(views: list[View]) -> None:
    """Whatever `where`, `orderBy` and cursors are given, as literals or as variables, at the root and nested."""
    for random in seeded(300):
        view = random.choice(views)
        await view.compare(view.draw_list(random))


def seeded(count: int) -> Iterator[Random]:
    """The same draws each time. A document that fails is told whole: smaller ones would take minutes to find."""
    return (Random(seed) for seed in range(count))  # noqa: S311


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_worlds_hold_whatever_trees_come_to(views: list[View]) -> None:
    """What is not there is not compared: the drawn lives must have led everywhere."""
    held: dict[str, list[Row]] = {}
    for view in views:
        for name, rows in view.reference.objects.items():
            held[name] = held.get(name, []) + rows
    executions, steps, links = (
        held[name] for name in ("WorkflowExecution", "WorkflowStepExecution", "StepChild")
    )
    assert {str(row["runtime_status"]) for row in executions} >= {
        "InProgress",
        "Completed",
        "Failed",
        "Cancelled",
    }
    assert {str(row["status"]) for row in steps} == set(StepStatus)
    assert max(row["depth"] for row in executions) >= 3
    assert {type(row["item"]) for row in links} >= {type(None), str, int, bool, dict, Digits}
    assert len({row["child_id"] for row in links}) < len(links), "no attempt has taken over children"
    assert any(row["retry_at"] and row["is_current"] for row in steps)
    assert any(row["retry_at"] and not row["is_current"] for row in steps)
    assert any(row["passed_at"] for row in steps)
    current = [row for row in steps if row["is_current"]]
    assert {row["overdue_at"] is not None for row in current} == {True, False}
    leases = {
        row["lease_expires_at"] and row["lease_expires_at"][:4] for row in current if row["claim_worker"]
    }
    assert leases >= {None, "2024", "2999"}
    for name in ("started_at", "due_at"):
        assert len({row[name] for row in current}) < len(current), f"no {name} twice"
        assert any(row[name] is None for row in current)
    assert any(None in row["context"].values() for row in executions)


SWEEP = """
  { workflowTemplates(first: 500) { pageInfo { ALL } edges { ALL node { ALL
      activeVersion { id }
      versions(last: 500) { ALL nodes { ALL
        workflowTemplate { id } transitions { ALL from { stepId } to { stepId } } stepGroups { ALL steps { stepId } }
        steps { ALL outgoing { ALL } incoming { ALL } childWorkflowTemplate { ALL } }
        workflowExecutions(first: 500) { ALL nodes { ALL
          progress { ALL } failure { ALL } step(stepId: "step-0") { id }
          workflowTemplateVersion { id } parentWorkflowExecution { id } rootWorkflowExecution { id } parentStep { id }
          changes(first: 500) { ALL edges { ALL node { ALL workflowExecution { id } step { id } } } }
          childWorkflowExecutions { ALL edges { ALL node { ALL } } }
          descendantWorkflowExecutions { ALL nodes { ALL } }
          steps { stepId attempts { ALL
            failure { ALL } workflowExecution { id } definition { stepId }
            childWorkflowExecutions { ALL } childProgress { ALL }
          } }
        } }
      } }
  } } } }
"""


async def test_every_field_of_every_object_is_as_in_its_row(views: list[View]) -> None:
    """Drawn documents are wide enough to meet most of them; here is each."""
    for view in views:
        text = with_all_leaves(view.reference.schema, SWEEP)
        await view.compare(Document(text, ({},)))
        for which in range(view.pools.payloads):
            changes = "changes(first: 500) { ALL workflowExecution { id } step { id } }"
            payload = f"{{ transition(which: {which}) {{ ... on TransitionSuccess {{ ALL {changes} }} }} }}"
            text = with_all_leaves(view.reference.schema, payload)
            await view.compare(Document(text, ({},)))


def with_all_leaves(schema: GraphQLSchema, text: str) -> str:
    """The document in which each field `ALL` is every leaf of its type."""
    types = TypeInfo(schema)
    return print_ast(visit(parse(text), TypeInfoVisitor(types, Leaves(types))))


class Leaves(Visitor):
    """Puts the leaves of a type in the place of `ALL`."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types

    def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> SelectionSetNode:
        type_ = self._types.get_parent_type()
        kept = [each for each in node.selections if not _is_all(each)]
        if len(kept) < len(node.selections):
            assert isinstance(type_, GraphQLObjectType)
            leaves = [name for name, each in type_.fields.items() if is_leaf_type(get_named_type(each.type))]
            kept = [FieldNode(name=NameNode(value=name)) for name in ("__typename", *leaves)] + kept
        return SelectionSetNode(selections=tuple(kept))


def _is_all(node: Node) -> bool:
    return isinstance(node, FieldNode) and node.name.value == "ALL"


class Reached(Visitor):
    """Which fields documents select, how deep, and what else occurs in them."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types
        self._depth = 0
        self.fields: set[str] = set()
        self.kinds: set[str] = set()
        self.depth = 0

    def enter(self, node: Node, *_: Any) -> None:
        self.kinds.add(node.kind)

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self.kinds.add(node.kind)
        parent = self._types.get_parent_type()
        assert parent is not None
        self.fields.add(f"{parent.name}.{node.name.value}")
        if node.alias and len(node.alias.value) > 63:
            self.kinds.add("long alias")
        if node.selection_set and len(node.selection_set.selections) > 60:
            self.kinds.add("many fields")
        self._depth += 1
        self.depth = max(self.depth, self._depth)

    def leave_field(self, *_: Any) -> None:
        self._depth -= 1


def test_drawn_documents_reach_every_field_of_every_type() -> None:
    """What is never drawn is never compared."""
    schema = build_schema(SDL)
    pools = Pools(
        {field: ["x"] for field in (*ROOT_FIELDS_BY_ID, "changes")},
        ["x"],
        ["x"],
        ["x"],
        lambda *_: "x",
        ["x"],
        8,
        defaultdict(lambda: ["x"]),
        defaultdict(lambda: [("x", "x")]),
    )
    types = TypeInfo(schema)
    reached = Reached(types)
    for seed in range(900):
        random = Random(seed)  # noqa: S311  # the same each time
        document = Writer(schema, random, Values(random, pools)).write()
        visit(parse(document.text), TypeInfoVisitor(types, reached))
    fields = {
        f"{type_.name}.{name}"
        for type_ in schema.type_map.values()
        if isinstance(type_, GraphQLObjectType)
        # The answer to a command for many is a list of what single ones answer (`tests/contract/test_bulk.py`).
        and not type_.name.startswith(("__", "Mutation", "ExecutionDiff", "BulkSuccess"))
        for name in type_.fields
    }
    assert fields - reached.fields == {"Query.validateWorkflowDefinition", "Query.workflowExecutionDiff"}
    assert reached.depth >= 8
    wanted = {"inline_fragment", "fragment_spread", "directive", "variable", "long alias", "many fields"}
    assert wanted <= reached.kinds
