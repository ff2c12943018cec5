"""Rows that commands do not write, and that reading must nevertheless get right.

Equal times, and rows of a stranger that point at everybody's.
"""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Table, bindparam, insert, select, update

from db import tables
from db.ids import IdKind, new_id
from db.requests import Fetch, Write
from db.statements import Statement
from db.tables import table_of
from tests.schema.random_values import WORDS

TEMPLATES = table_of(tables.WorkflowTemplate)
VERSIONS = table_of(tables.WorkflowTemplateVersion)
STEP_DEFINITIONS = table_of(tables.StepDefinition)
TRANSITIONS = table_of(tables.StepTransition)
GROUPS = table_of(tables.StepGroup)
EXECUTIONS = table_of(tables.WorkflowExecution)
STEPS = table_of(tables.StepExecution)
LINKS = table_of(tables.StepChild)
JOURNAL = table_of(tables.Journal)

Steps = Generator[Fetch | Write, list[Any], Any]


def add_handmade_rows(random: Random, tenants: tuple[str, str], stranger: str) -> Steps:
    """A script for one transaction."""
    for tenant in tenants:
        yield from _equal_times(random, tenant)
        yield from _work(random, tenant)
        yield from _intrude(random, tenant, stranger)


def _equal_times(random: Random, tenant: str) -> Steps:
    """Lists are ordered by time and id; equal times leave it to the id, and whole seconds have digits too."""
    start = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)
    for table in (TEMPLATES, VERSIONS, EXECUTIONS):
        for row in (yield from _fetch(table, tenant)):
            moved = start + timedelta(microseconds=random.choice((0, 1, 1_000_000, 999_999)))
            if random.random() < 0.6:
                yield _set(table, row["id"], created_at=moved)


def _work(random: Random, tenant: str) -> Steps:
    """Claims, leases that are over and that last, overdue marks; and equal times of what has begun or is due."""
    start = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)
    for row in (yield from _fetch(STEPS, tenant)):
        moved = start + timedelta(microseconds=random.choice((0, 1, 1_000_000)))
        changed = {name: moved for name in ("started_at", "due_at") if row[name] and random.random() < 0.5}
        if random.random() < 0.3:
            changed["overdue_at"] = moved
        if random.random() < 0.5:
            ends = random.choice((None, moved, datetime(2999, 1, 1, tzinfo=UTC)))
            changed |= {"claim_worker": random.choice(WORDS), "claimed_at": moved, "lease_expires_at": ends}
        if changed:
            yield _set(STEPS, row["id"], **changed)
    for row in (yield from _fetch(EXECUTIONS, tenant)):
        moved = start + timedelta(microseconds=random.choice((0, 1, 1_000_000)))
        names = ("started_at", "last_activity_at", "completed_at")
        changed = {name: moved for name in names if row[name] and random.random() < 0.5}
        if changed:
            yield _set(EXECUTIONS, row["id"], **changed)


def _intrude(random: Random, tenant: str, stranger: str) -> Steps:
    """A stranger's rows that point at this tenant's: only who they belong to keeps them out of sight."""
    yield from _versions_of_a_stranger(random, tenant, stranger)
    for table, key in ((STEP_DEFINITIONS, "step_id"), (TRANSITIONS, "transition_id"), (GROUPS, "group_id")):
        for row in (yield from _fetch(table, tenant)):
            if random.random() < 0.2:
                yield _insert(table, row | {"tenant": stranger, key: f"stranger-{row[key]}"})
    yield from _attempts_of_a_stranger(random, tenant, stranger)
    yield from _children_of_a_stranger(random, tenant, stranger)
    change = (yield from _fetch(JOURNAL, tenant))[0] | {"step_execution_id": None}
    change = {name: value for name, value in change.items() if name not in ("position", "xid")}
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


def _attempts_of_a_stranger(random: Random, tenant: str, stranger: str) -> Steps:
    """More attempts at this tenant's steps, and steps that their executions do not have."""
    for row in (yield from _fetch(STEPS, tenant)):
        theirs = row | {"id": new_id(IdKind.STEP_EXECUTION), "tenant": stranger}
        if row["is_current"] and random.random() < 0.2:
            yield _insert(STEPS, theirs | {"attempt": 50, "is_current": False})
        elif row["is_current"] and random.random() < 0.2:
            yield _insert(STEPS, theirs | {"step_id": f"stranger-{row['step_id']}"})


def _children_of_a_stranger(random: Random, tenant: str, stranger: str) -> Steps:
    """Executions below this tenant's, and links from its attempts to them and to its own."""
    steps = yield from _fetch(STEPS, tenant)
    for row in (yield from _fetch(EXECUTIONS, tenant)):
        if random.random() < 0.6:
            continue
        child = _child(row) | {"tenant": stranger}
        yield _insert(EXECUTIONS, child)
        attempt = random.choice([step for step in steps if step["execution_id"] == row["id"]])
        yield _insert(LINKS, _link(attempt, child) | {"tenant": stranger})
    for number, link in enumerate((yield from _fetch(LINKS, tenant))):
        # The same once more, and another attempt that takes over the child.
        (attempt,) = (step for step in steps if step["id"] == link["step_execution_id"])
        others = [step for step in steps if step["execution_id"] == attempt["execution_id"]]
        for each, index in ((attempt, 10_000 + number), (random.choice(others), 20_000 + number)):
            theirs = {"tenant": stranger, "step_execution_id": each["id"], "child_index": index}
            yield _insert(LINKS, link | theirs)


def _child(parent: dict[str, Any]) -> dict[str, Any]:
    id_ = new_id(IdKind.EXECUTION)
    below = {"parent_id": parent["id"], "path": f"{parent['path']}{id_}/", "depth": parent["depth"] + 1}
    of_no_root = {"tree_revision": None, "tree_changed_at": None, "tree_size": None}
    return parent | below | of_no_root | {"id": id_, "child_index": 1_000}


def _link(attempt: dict[str, Any], child: dict[str, Any]) -> dict[str, Any]:
    shared = {name: child[name] for name in ("tenant", "child_index", "item")}
    return shared | {"step_execution_id": attempt["id"], "child_id": child["id"]}


def _fetch(table: Table, tenant: str) -> Steps:
    found = yield Fetch(
        Statement(select(table).where(table.c.tenant == bindparam("tenant"))), {"tenant": tenant}
    )
    return [dict(zip(table.columns.keys(), row, strict=True)) for row in found]


def _insert(table: Table, row: dict[str, Any]) -> Write:
    return Write(Statement(insert(table).values({name: bindparam(name) for name in row})), [row])


def _set(table: Table, id_: str, **values: Any) -> Write:
    bound = {name: bindparam(name, type_=table.c[name].type) for name in values}
    return Write(
        Statement(update(table).where(table.c.id == bindparam("key")).values(bound)), [values | {"key": id_}]
    )
