"""Rows that the commands of a sequence do not write, and that reading must nevertheless get right.

Equal times, old attempts, children, and rows of a stranger that point at everybody's.
"""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Table, bindparam, insert, select, update

from db import tables
from db.ids import IdKind, new_id
from db.requests import Fetch, Write
from db.runtime.definition import StepType
from db.statements import Statement
from db.tables import table_of

TEMPLATES = table_of(tables.WorkflowTemplate)
VERSIONS = table_of(tables.WorkflowTemplateVersion)
STEP_DEFINITIONS = table_of(tables.StepDefinition)
TRANSITIONS = table_of(tables.StepTransition)
GROUPS = table_of(tables.StepGroup)
EXECUTIONS = table_of(tables.WorkflowExecution)
STEPS = table_of(tables.StepExecution)
JOURNAL = table_of(tables.Journal)
CHILDREN = table_of(tables.StepChild)

Row = dict[str, Any]

Steps = Generator[Fetch | Write, list[Any], Any]


def add_handmade_rows(random: Random, tenants: tuple[str, str], stranger: str) -> Steps:
    """A script for one transaction."""
    for tenant in tenants:
        yield from _equal_times(random, tenant)
        yield from _old_attempts(random, tenant)
        yield from _policies(random, tenant)
        yield from _children(random, tenant)
        yield from _intrude(random, tenant, stranger)


def _equal_times(random: Random, tenant: str) -> Steps:
    """Lists are ordered by time and id; equal times leave it to the id, and whole seconds have digits too."""
    start = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)
    for table in (TEMPLATES, VERSIONS):
        for row in (yield from _fetch(table, tenant)):
            moved = start + timedelta(microseconds=random.choice((0, 1, 1_000_000, 999_999)))
            if random.random() < 0.6:
                yield _set(table, row["id"], created_at=moved)


def _old_attempts(random: Random, tenant: str) -> Steps:
    for row in (yield from _fetch(STEPS, tenant)):
        if random.random() < 0.3:
            changed = {"id": new_id(IdKind.STEP_EXECUTION), "attempt": 99, "is_current": False}
            yield _insert(STEPS, row | changed)


def _children(random: Random, tenant: str) -> Steps:
    """Children and children's children, each of an attempt of its parent, some of them of a batch."""
    parents = [row for row in (yield from _fetch(EXECUTIONS, tenant)) if random.random() < 0.5]
    for _ in range(2):
        children: list[dict[str, Any]] = []
        for parent in parents:
            steps = [row for row in (yield from _fetch(STEPS, tenant)) if row["execution_id"] == parent["id"]]
            for step in random.sample(steps, min(len(steps), random.randint(0, 2))):
                yield _set(STEPS, step["id"], type=StepType.SYS_SUB_WORKFLOW)
                for index in random.sample(range(20), random.randint(0, 3)):
                    child = _child(random, parent, step, index)
                    children.append(child)
                    yield _insert(EXECUTIONS, child)
                    yield from _steps_of_child(steps, child)
                    yield _insert(CHILDREN, _link(step, child))
        parents = children
    roots = [row for row in (yield from _fetch(EXECUTIONS, tenant)) if row["parent_id"] is None]
    yield _insert(JOURNAL, (yield from _any_change(tenant)) | {"root_id": roots[0]["id"], "revision": 10_000})


def _child(random: Random, parent: Row, step: Row, index: int) -> Row:
    id_ = new_id(IdKind.EXECUTION)
    own = {"id": id_, "path": f"{parent['path']}{id_}/", "depth": parent["depth"] + 1, "name": "child"}
    above = {"parent_id": parent["id"], "parent_step_id": step["id"], "child_index": index}
    item = random.choice((None, "text", True, [1, {"a": 1.5}], {"b": None}))
    return (
        parent
        | own
        | above
        | {"item": item, "tree_revision": None, "tree_changed_at": None, "tree_size": None}
    )


def _steps_of_child(steps: list[Row], child: Row) -> Steps:
    for step in steps:
        if step["is_current"]:
            yield _insert(STEPS, step | {"id": new_id(IdKind.STEP_EXECUTION), "execution_id": child["id"]})


def _link(step: Row, child: Row) -> Row:
    return {
        "step_execution_id": step["id"],
        "child_index": child["child_index"],
        "tenant": child["tenant"],
        "item": child["item"],
        "child_id": child["id"],
    }


def _policies(random: Random, tenant: str) -> Steps:
    """What sub-workflows, policies and retries leave in the rows of steps and their definitions."""
    templates = yield from _fetch(TEMPLATES, tenant)
    versions = yield from _fetch(VERSIONS, tenant)
    for row in (yield from _fetch(STEP_DEFINITIONS, tenant)):
        if random.random() < 0.4:
            found = {"child_version_id": random.choice(versions)["id"]}
            if random.random() < 0.5:
                found = {"child_template_key": random.choice((*(each["key"] for each in templates), "none"))}
            policy = {"enabled_when": "1 = 1", "max_attempts": 3, "mode": random.choice(("SINGLE", "BATCH"))}
            yield _set_definition(row, found | policy)
    at = datetime(2025, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    for row in (yield from _fetch(STEPS, tenant)):
        if random.random() < 0.3:
            yield _set(STEPS, row["id"], retry_at=at, passed_at=at, due_at=at)


def _any_change(tenant: str) -> Steps:
    """A change as a new row of the journal."""
    change = (yield from _fetch(JOURNAL, tenant))[0] | {"step_execution_id": None}
    return {name: value for name, value in change.items() if name not in ("position", "xid")}


def _intrude(random: Random, tenant: str, stranger: str) -> Steps:
    """A stranger's rows that point at this tenant's: only who they belong to keeps them out of sight."""
    yield from _versions_of_a_stranger(random, tenant, stranger)
    for table, key in ((STEP_DEFINITIONS, "step_id"), (TRANSITIONS, "transition_id"), (GROUPS, "group_id")):
        for row in (yield from _fetch(table, tenant)):
            if random.random() < 0.2:
                yield _insert(table, row | {"tenant": stranger, key: f"stranger-{row[key]}"})
    for row in (yield from _fetch(STEPS, tenant)):
        if row["is_current"] and random.random() < 0.2:
            renamed = {"id": new_id(IdKind.STEP_EXECUTION), "step_id": f"stranger-{row['step_id']}"}
            yield _insert(STEPS, row | renamed | {"tenant": stranger, "attempt": 50})
    for link in (yield from _fetch(CHILDREN, tenant)):
        if random.random() < 0.5:
            yield _insert(CHILDREN, link | {"tenant": stranger, "child_index": 100 + link["child_index"]})
    change = yield from _any_change(tenant)
    for row in (yield from _fetch(EXECUTIONS, tenant)):
        if row["parent_id"] is None:
            theirs = {"tenant": stranger, "root_id": row["id"], "revision": 9_999}
            yield _insert(JOURNAL, change | theirs)


def _versions_of_a_stranger(random: Random, tenant: str, stranger: str) -> Steps:
    all_versions = yield from _fetch(VERSIONS, tenant)
    for template in (yield from _fetch(TEMPLATES, tenant)):
        versions = [row for row in all_versions if row["template_id"] == template["id"]]
        changed = {"id": new_id(IdKind.TEMPLATE_VERSION), "tenant": stranger, "version": "9.9.9"}
        yield _insert(VERSIONS, random.choice(versions) | changed)
        if template["active_version_id"] is None:
            yield _set(TEMPLATES, template["id"], active_version_id=changed["id"])


def _fetch(table: Table, tenant: str) -> Steps:
    found = yield Fetch(
        Statement(select(table).where(table.c.tenant == bindparam("tenant"))), {"tenant": tenant}
    )
    return [dict(zip(table.columns.keys(), row, strict=True)) for row in found]


def _insert(table: Table, row: dict[str, Any]) -> Write:
    return Write(Statement(insert(table).values({name: bindparam(name) for name in row})), [row])


def _set_definition(row: Row, values: Row) -> Write:
    where = (
        STEP_DEFINITIONS.c.version_id == bindparam("of_version"),
        STEP_DEFINITIONS.c.step_id == bindparam("of_step"),
    )
    bound = {name: bindparam(name, type_=STEP_DEFINITIONS.c[name].type) for name in values}
    keys = {"of_version": row["version_id"], "of_step": row["step_id"]}
    return Write(Statement(update(STEP_DEFINITIONS).where(*where).values(bound)), [values | keys])


def _set(table: Table, id_: str, **values: Any) -> Write:
    bound = {name: bindparam(name, type_=table.c[name].type) for name in values}
    return Write(
        Statement(update(table).where(table.c.id == bindparam("key")).values(bound)), [values | {"key": id_}]
    )
