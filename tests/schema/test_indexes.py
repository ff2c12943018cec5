"""Every relation, list and order of the schema is found by an index of its own columns (projection 6)."""

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from graphql import get_named_type, is_leaf_type
from sqlalchemy import select

from db.migrate import migrate
from db.sqlite_writer import clock_text
from db.statements import Statement
from db.tables import JournalEpoch, table_of
from schema.projection import declare
from tests.api import Api
from tests.databases import connected, empty_postgresql
from tests.schema.crowd import add_crowd
from tests.schema.fabricated import SCHEMA, FabricatedContext, fabricated_context
from tests.schema.paths import HOMES, PATHS, nothing, object_type, selected
from tests.schema.tree_samples import CHECK, sequence

PAGE = "nodes { __typename } totalCount pageInfo { hasPreviousPage hasNextPage }"
# What may be tested on rows that an index has found by other columns: current attempts are most of all attempts; of a
# tree's executions either those below are read and sorted, or all in order, and told by their path; a child is found by
# its link as well as by its parent; the row of a cursor is one, and it or the last one before it must be of the tree.
TESTED = {"tenant", "is_current"}
TESTED_TOO = {
    "WorkflowExecution.descendantWorkflowExecutions": {"path", "created_at", "id"},
    "WorkflowStepExecution.childWorkflowExecutions": {"parent_id"},
    "WorkflowExecution.changes": {"root_id", "xid", "position"},
    "Query.changes of a tree": {"root_id", "xid", "position"},
}
# Of the past: a row that an index has found must be of the tree, and have been there; so must the attempt after another;
# what differs must be below the execution.
TESTED_IN_THE_PAST = {"root_id", "attempt", "step_id", "kind", "revision", "step_execution_id", "path"}
Asked = tuple[str, list[Any]]


def _documents(epoch: str) -> Iterator[tuple[str, str]]:
    """Each field that reads other rows, now and at a revision of its tree."""
    for name, document in _documents_of_now(epoch):
        yield name, document
        past = re.sub(r"^{ workflowExecution\((.*?)\)", r"{ workflowExecution(\1, asOf: 1)", document)
        if past != document:
            yield f"{name} in the past", past


def _documents_of_now(epoch: str) -> Iterator[tuple[str, str]]:
    """Each in a document of its own; of a connection each kind of page."""
    for type_name, home in HOMES.items():
        for name, (_, field_home) in home.fields.items():
            field = object_type(type_name).fields[name]
            hole = PATHS.get(type_name, "{ %s }")
            if isinstance(field_home, declare.Paged):
                for arguments in _pages(field_home.order, epoch):
                    yield f"{type_name}.{name}", hole % f"{name}({arguments}) {{ {PAGE} }}"
                    if "rootWorkflowExecutionId" in field.args:
                        of_tree = f'{name}({arguments}, rootWorkflowExecutionId: "x") {{ {PAGE} }}'
                        yield f"{type_name}.{name} of a tree", hole % of_tree
            elif not is_leaf_type(get_named_type(field.type)) or isinstance(field_home, declare.Expression):
                yield f"{type_name}.{name}", hole % selected(name, field)


def _pages(order: declare.Order | declare.JournalOrder, epoch: str) -> Iterator[str]:
    """From either end: then little lies before a page, and more behind it."""
    if isinstance(order, declare.JournalOrder):
        cursors = (f'["journal","{epoch}",0,5]', f'["journal","{epoch}",{2**62},5]')
    else:
        keys = ('"2024-02-10T00:00:00.000000Z"', '"2024-01-02T00:00:00.000000Z"')
        if not order.descending:
            keys = ("1", "18") if order.name == "childIndex" else keys[::-1]
        cursors = (f'["{order.name}",{keys[0]},"x"]', f'["{order.name}",{keys[1]},"x"]')
    after, before = (cursor.encode().hex() for cursor in cursors)
    yield from ("first: 3", "last: 3", f'first: 3, after: "{after}"', f'last: 3, before: "{before}"')


# Lists of all that a tenant has: they may be counted as a whole, but a page of one is not found by sorting it.
ROOT_LISTS = (
    "Query.workflowTemplates",
    "Query.workflowExecutions",
    "Query.workflowStepExecutions",
    "Query.changes",
)
PAGES = {
    "workflowExecutions": (
        "orderBy: {field: CREATED_AT, direction: DESC}",
        "orderBy: {field: STARTED_AT, direction: DESC}",
        "orderBy: {field: COMPLETED_AT, direction: DESC}",
        "orderBy: {field: CREATED_AT, direction: ASC}",
        "orderBy: {field: NAME, direction: ASC}",
        "orderBy: {field: NAME, direction: DESC}",
        "where: {runtimeStatus: {eq: FAILED}}",
    ),
    "workflowStepExecutions": (
        "orderBy: {field: STARTED_AT, direction: ASC}",
        "where: {status: {eq: IN_PROGRESS}}",
        "where: {status: {eq: IN_PROGRESS}}, orderBy: {field: DUE_AT, direction: ASC}",
    ),
}
# What a filter finds by an index of its own, with the columns of that.
FOUND = {
    'workflowExecutions(where: {correlationId: {eq: "x"}})': "correlation_id",
    'workflowExecutions(where: {correlationId: {in: ["x", "y"]}})': "correlation_id",
    'workflowExecutions(where: {id: {in: ["x", "y"]}})': "id",
    'workflowExecutions(where: {name: {eq: "x"}})': "name",
    'workflowExecutions(where: {name: {startsWith: "x"}})': "name",
    'workflowExecutions(where: {parentWorkflowExecutionId: {eq: "x"}})': "parent_id",
    'workflowExecutions(where: {rootWorkflowExecutionId: {eq: "x"}})': "root_id",
    'workflowExecutions(where: {workflowTemplateVersionId: {eq: "x"}})': "version_id",
    'workflowExecutions(where: {workflowTemplateKey: {eq: "x"}})': "version_id",
    "workflowExecutions(where: {step: {status: {eq: FAILED}}})": "status",
    'workflowStepExecutions(where: {workflowExecution: {correlationId: {eq: "x"}}})': "execution_id",
}


# SQLite has no index for a prefix, rather reads what the tenant has than to look up each of a list of ids, and asks of
# every step in turn whether its execution matches.
READ_ON_SQLITE = (
    "{ workflowExecutions(where: {name: {startsWith",
    "{ workflowExecutions(where: {id: {in",
    "{ workflowStepExecutions(where: {workflowExecution",
)


@pytest.fixture
async def epoch(api: Api) -> str:
    """What cursors of the journal begin with."""
    ((found,),) = await api.store.database.rows(Statement(select(table_of(JournalEpoch).c.epoch)), {})
    return str(found)


@pytest.fixture
async def statements(api: Api, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AsyncIterator[Asked]]:
    """What a document asks of the database."""
    context: FabricatedContext = fabricated_context(
        api.context, *((nothing(name),) for name in ("TransitionSuccess", "TemplateSuccess", "ClaimSuccess"))
    )
    asked: list[Asked] = []
    read = api.database.read

    async def recorded(text: str, arguments: Any) -> str | None:
        asked.append((text, list(arguments)))
        return await read(text, arguments)

    monkeypatch.setattr(api.database, "read", recorded)

    async def ask(document: str) -> AsyncIterator[Asked]:
        asked.clear()
        result = await SCHEMA.execute(document, context_value=context)
        assert not result.errors, result.errors
        for statement in asked:
            yield statement

    return ask


async def _explained(api: Api) -> tuple[str, str]:
    """`explainStep` reads the steps that it names, as a list of ids."""
    if api.store.database.kind == "sqlite":
        await api.publish(sequence("child", CHECK), key="child")
    step = (await api.start("child"))["steps"][-1]
    return "StepExplanation.waitingFor", f'{{ explainStep(id: "{step["id"]}") {{ waitingFor {{ id }} }} }}'


@pytest.fixture(scope="module")
def crowded_url() -> Iterator[str]:
    """A PostgreSQL database that no other test fills: its statistics are of the crowd alone."""
    with empty_postgresql() as url:
        asyncio.run(migrate(url))
        yield url


@pytest.mark.postgresql
@pytest.mark.parametrize("database_url", ["crowded"], indirect=True)
async def test_postgresql_finds_rows_by_an_index(
    api: Api, database_url: str, statements: Any, epoch: str
) -> None:
    """With as many rows as make it worth it, each scan is of an index with a condition beyond the tenant."""
    connection = await connected(database_url)
    try:
        await add_crowd(api, connection)
        await connection.execute("set enable_seqscan = off")
        for name, document in (*_documents(epoch), await _explained(api)):
            async for text, arguments in statements(document):
                explained = await connection.fetchval(f"explain (format json) {text}", *arguments)
                for node in _scans(json.loads(explained)[0]["Plan"]):
                    _check_scan(name, node, f"{name}: {node}\n{document}\n{text}")
        for document, column in _filtered_documents():
            async for text, arguments in statements(document):
                (plan,) = json.loads(await connection.fetchval(f"explain (format json) {text}", *arguments))
                if column is None:
                    assert list(_sorted_pages(plan["Plan"])) == [], f"{document}: {plan}"
                else:
                    conditions = [node.get("Index Cond", "") for node in _nodes(plan["Plan"])]
                    assert column in set().union(*map(_columns, conditions)), f"{document}: {plan}"
    finally:
        await connection.close()


def _filtered_documents() -> Iterator[tuple[str, str | None]]:
    """Lists in an order that an index has (None), and such as find their entries by a column."""
    for field, all_arguments in PAGES.items():
        for arguments in all_arguments:
            for page in ("first: 3", "last: 3"):
                yield f"{{ {field}({page}, {arguments}) {{ nodes {{ id }} edges {{ cursor }} }} }}", None
    for field, column in FOUND.items():
        yield f"{{ {field} {{ totalCount }} }}", column


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _sorted_pages(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is sorted only to take a few of it."""
    for node in _nodes(plan):
        if node["Node Type"] == "Limit":
            yield from (below for below in _nodes(node) if "Sort" in below["Node Type"])


def _scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for node in _nodes(plan):
        if "Relation Name" in node and node["Relation Name"] != "journal_epoch":
            yield {key: value for key, value in node.items() if key != "Plans"}


def _check_scan(name: str, node: dict[str, Any], told: str) -> None:
    condition = node.get("Index Cond") or node.get("Recheck Cond") or ""
    found_by = _columns(condition)
    # What a tenant has is listed as it is.
    assert found_by - {"tenant"} or (name in ROOT_LISTS and found_by), told
    tested = TESTED | TESTED_TOO.get(name.removesuffix(" in the past"), set())
    if re.search(r"asOf: |workflowExecutionDiff\(", told):
        tested |= TESTED_IN_THE_PAST
    assert _columns(node.get("Filter", "")) <= tested, told


def _columns(condition: str) -> set[str]:
    """The columns of the scanned table that a condition names; those of others have their table before them."""
    bare = re.sub(r"'[^']*'|\w+\.\w+|::[\w ]+", "", condition)
    return set(re.findall(r"\b[a-z_]+\b", bare)) - {"substr", "length", "any", "replace"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_sqlite_finds_rows_by_an_index(
    api: Api, database_url: str, statements: Any, epoch: str
) -> None:
    """Without statistics its choice depends on the tables alone: none is read through, nor all of a tenant's."""
    connection = sqlite3.connect(database_url.removeprefix("sqlite+aiosqlite:///"))
    connection.create_function("clock_timestamp", 0, clock_text)
    try:
        for name, document in (*_documents(epoch), await _explained(api)):
            async for text, arguments in statements(document):
                plan = [row[3] for row in connection.execute(f"explain query plan {text}", arguments)]
                whole = [
                    step
                    for step in plan
                    if re.match(r"SCAN main\.|SEARCH .*\(tenant=\?( AND \(.*)?\)$", step)
                ]
                assert not whole or name in ROOT_LISTS, f"{name}: {whole}\n{document}\n{text}"
        for document, column in _filtered_documents():
            async for text, arguments in statements(document):
                plan = [row[3] for row in connection.execute(f"explain query plan {text}", arguments)]
                told = f"{document}: {plan}"
                if column is None:
                    # The rows of a page, once taken, may be sorted; those of the table may not.
                    (read,) = (number for number, step in enumerate(plan) if " main." in step)
                    assert "TEMP B-TREE" not in plan[read + 1], told
                elif not document.startswith(READ_ON_SQLITE):
                    assert any(f"{column}=" in step for step in plan), told
    finally:
        connection.close()
