"""What `db/tables` promises, the database keeps: what cannot be, cannot be stored."""

from datetime import UTC, datetime
from typing import Any

import pytest

from db import tables
from db.ids import IdKind, new_id
from db.runtime.statuses import ExecutionStatus, StepStatus
from db.runtime.values import DisabledBy
from db.runtime.versions import VersionStatus
from db.session import Conflict, Database
from db.tables import table_of
from tests.api import Api
from tests.contract.commands import run_of
from tests.contract.samples import sequence
from tests.contract.tables import EXECUTIONS, JOURNAL, STEPS, everything, insert_row

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEMPLATES, VERSIONS, STEP_DEFINITIONS, TRANSITIONS, GROUPS, CHILDREN, EPOCH = (
    table_of(model)
    for model in (
        tables.WorkflowTemplate,
        tables.WorkflowTemplateVersion,
        tables.StepDefinition,
        tables.StepTransition,
        tables.StepGroup,
        tables.StepChild,
        tables.JournalEpoch,
    )
)
E, S = ExecutionStatus, StepStatus
ENDED = {"started_at": NOW, "completed_at": None, "failed_at": None, "cancelled_at": None}
STEP_ENDED = {
    "started_at": NOW,
    "completed_at": None,
    "failed_at": None,
    "disabled_at": None,
    "disabled_by": None,
    "attempt": 2,
    "is_current": False,
}


class Word(str):
    """A label that no enumeration has."""


# Table, what a row of it is changed to, and the CHECK that refuses it.
CHECKS: dict[str, list[tuple[dict[str, Any], str]]] = {
    "workflow_template_version": [
        ({"version": "2.0.0", "status": Word("ACTIVE")}, "workflow_template_version_status"),
        ({"version": "2.0.0", "status": VersionStatus.DRAFT, "published_at": NOW}, "_published"),
        ({"version": "2.0.0", "status": VersionStatus.PUBLISHED, "published_at": None}, "_published"),
        ({"version": "2.0.0", "status": VersionStatus.DEPRECATED, "published_at": None}, "_published"),
    ],
    "workflow_execution": [
        ({"runtime_status": Word("IN_PROGRESS")}, "workflow_execution_runtime_status"),
        (ENDED | {"runtime_status": E.NOT_STARTED}, "workflow_execution_started"),
        *(
            (ENDED | {"runtime_status": status, "started_at": None}, "workflow_execution_")
            for status in (E.IN_PROGRESS, E.COMPLETED, E.FAILED, E.CANCELLED)
        ),
        (ENDED | {"runtime_status": E.COMPLETED}, "workflow_execution_completed"),
        (ENDED | {"runtime_status": E.FAILED}, "workflow_execution_failed"),
        (ENDED | {"runtime_status": E.CANCELLED}, "workflow_execution_cancelled"),
        *(
            (ENDED | {"runtime_status": E.IN_PROGRESS, f"{name}_at": NOW}, f"workflow_execution_{name}")
            for name in ("completed", "failed", "cancelled")
        ),
        ({"tree_revision": None}, "workflow_execution_tree"),
        ({"tree_changed_at": None}, "workflow_execution_tree_changed"),
        ({"tree_size": None}, "workflow_execution_tree_size"),
        ({"child_index": 0}, "workflow_execution_child_index"),
        ({"failure_code": "CODE"}, "workflow_execution_failure"),
    ],
    "step_execution": [
        (STEP_ENDED | {"status": Word("Cancelled")}, "step_execution_status"),
        (STEP_ENDED | {"status": S.IN_PROGRESS, "type": Word("human.wave")}, "step_execution_type"),
        (STEP_ENDED | {"status": S.COMPLETED}, "step_execution_completed"),
        (STEP_ENDED | {"status": S.FAILED}, "step_execution_failed"),
        (STEP_ENDED | {"status": S.DISABLED, "disabled_by": DisabledBy.CANCEL}, "step_execution_disabled"),
        (STEP_ENDED | {"status": S.DISABLED, "disabled_at": NOW}, "step_execution_disabled_by"),
        (STEP_ENDED | {"status": S.IN_PROGRESS, "started_at": None}, "step_execution_started"),
        (STEP_ENDED | {"status": S.IN_PROGRESS, "failure_message": "Why"}, "step_execution_failure"),
        *(
            (STEP_ENDED | {"status": S.IN_PROGRESS, f"{name}_at": NOW}, f"step_execution_{name}")
            for name in ("completed", "failed", "disabled")
        ),
    ],
    "step_definition": [({"step_id": "other", "type": Word("human.wave")}, "step_definition_type")],
    "journal": [({"revision": 99, "kind": Word("STEP_VANISHED")}, "journal_kind")],
}
# Table, what a row of it is changed to: refused by a unique, primary or foreign key, or by NOT NULL.
KEYS: dict[str, list[dict[str, Any]]] = {
    "workflow_template": [{}, {"key": "other"}, {"id": "tmpl_1"}, {"id": "tmpl_1", "key": None}],
    "workflow_template_version": [
        {"version": "2.0.0"},
        {"id": "tver_1"},
        {"id": "tver_1", "version": "2.0.0", "template_id": "tmpl_0"},
        {"id": "tver_1", "version": "2.0.0", "definition": None},
    ],
    "step_definition": [{}, {"step_id": "other", "version_id": "tver_0"}],
    "step_transition": [{}, {"transition_id": "other", "version_id": "tver_0"}],
    "step_group": [{}, {"group_id": "other", "version_id": "tver_0"}],
    "workflow_execution": [
        {},
        {"id": "exec_1", "root_id": "exec_1", "version_id": "tver_0"},
        {"id": "exec_1", "root_id": "exec_1", "context": None},
        {"id": "exec_1", "root_id": "exec_1", "tenant": None},
        {
            "id": "exec_1",
            "root_id": "exec_0",
            "parent_id": "exec_0",
            "tree_revision": None,
            "tree_changed_at": None,
        },
    ],
    "step_execution": [
        {"attempt": 2, "is_current": False},
        {"id": "step_1", "is_current": False},
        {"id": "step_1", "attempt": 2},
        {"id": "step_1", "attempt": 2, "is_current": False, "execution_id": "exec_0"},
        {"id": "step_1", "attempt": 2, "is_current": False, "root_id": "exec_0"},
        {"id": "step_1", "attempt": 2, "is_current": False, "version_id": "tver_0"},
    ],
    "journal": [
        {},
        {"revision": 99, "root_id": "exec_0"},
        {"revision": 99, "execution_id": "exec_0"},
        {"revision": 99, "step_execution_id": "step_0"},
        {"revision": 99, "tenant": None},
    ],
}
IDS = {
    "workflow_template_version": IdKind.TEMPLATE_VERSION,
    "workflow_execution": IdKind.EXECUTION,
    "step_execution": IdKind.STEP_EXECUTION,
}
BY_NAME = {
    table.name: table
    for table in (TEMPLATES, VERSIONS, STEP_DEFINITIONS, TRANSITIONS, GROUPS, EXECUTIONS, STEPS, JOURNAL)
}


async def a_row(api: Api, tenant: str, table: str) -> dict[str, Any]:
    """A row of the table as commands write it."""
    grouped = sequence("one", ("a", "human.form"), stepGroups=[{"id": "g", "name": "G", "stepIds": ["a"]}])
    grouped["steps"][1]["group"] = {"groupId": "g", "order": 1}
    await api.publish(grouped, key="one")
    await run_of(api, "one")
    row = (await everything(api.store.database, tenant))[table][0]
    if table == "journal":
        del row["position"]
    return row


def _cases(of: dict[str, list[Any]]) -> list[Any]:
    return [(table, case) for table, cases in of.items() for case in cases]


@pytest.mark.parametrize(("table", "case"), _cases(CHECKS), ids=str)
async def test_a_row_that_breaks_a_check_is_refused_by_its_name(
    api: Api, tenant: str, table: str, case: tuple[dict[str, Any], str]
) -> None:
    changed, check = case
    row = (await a_row(api, tenant, table)) | changed
    if table in IDS:
        row["id"] = new_id(IDS[table])
    if table == "workflow_execution":
        row["root_id"] = row["id"]
    before = await everything(api.store.database, tenant)
    with pytest.raises(Conflict, match=check):
        await insert_row(api.store.database, BY_NAME[table], row)
    assert await everything(api.store.database, tenant) == before


@pytest.mark.parametrize(("table", "changed"), _cases(KEYS), ids=str)
async def test_a_row_that_breaks_a_key_is_refused(
    api: Api, tenant: str, table: str, changed: dict[str, Any]
) -> None:
    row = (await a_row(api, tenant, table)) | changed
    before = await everything(api.store.database, tenant)
    with pytest.raises(Conflict):
        await insert_row(api.store.database, BY_NAME[table], row)
    assert await everything(api.store.database, tenant) == before


async def test_two_attempts_at_a_step_are_held_and_two_current_ones_are_not(api: Api, tenant: str) -> None:
    row = await a_row(api, tenant, "step_execution")
    second = row | {"id": new_id(IdKind.STEP_EXECUTION), "attempt": 2}
    with pytest.raises(Conflict):
        await insert_row(api.store.database, STEPS, second | {"is_current": True})
    await insert_row(api.store.database, STEPS, second | {"is_current": False})


@pytest.mark.parametrize("is_root", [True, False])
async def test_only_a_root_is_its_own_root_and_carries_the_trees_revision(
    api: Api, tenant: str, is_root: bool
) -> None:
    root = await a_row(api, tenant, "workflow_execution")
    child = new_id(IdKind.EXECUTION)
    below = {
        "id": child,
        "parent_id": root["id"],
        "tree_revision": None,
        "tree_changed_at": None,
        "tree_size": None,
        "child_index": 0,
    }
    wrong = (
        [{"id": child}, {"id": child, "root_id": child, "parent_id": root["id"]}]
        if is_root
        else [
            below | {"tree_revision": 1},
            below | {"tree_changed_at": NOW},
            below | {"tree_size": 1},
            below | {"child_index": None},
            below | {"root_id": child},
        ]
    )
    for changed in wrong:
        with pytest.raises(Conflict, match="workflow_execution_"):
            await insert_row(api.store.database, EXECUTIONS, root | changed)
    good = {"id": child, "root_id": child} if is_root else below
    await insert_row(api.store.database, EXECUTIONS, root | good)


async def test_a_child_of_an_attempt_is_an_execution(api: Api, tenant: str) -> None:
    step = await a_row(api, tenant, "step_execution")
    link = {
        "step_execution_id": step["id"],
        "child_index": 0,
        "tenant": tenant,
        "item": {"n": 1},
        "child_id": step["execution_id"],
    }
    for changed in ({"child_id": "exec_0"}, {"step_execution_id": "step_0"}):
        with pytest.raises(Conflict):
            await insert_row(api.store.database, CHILDREN, link | changed)
    await insert_row(api.store.database, CHILDREN, link)
    with pytest.raises(Conflict):
        await insert_row(api.store.database, CHILDREN, link)


@pytest.mark.parametrize("id_", [1, 2])
async def test_j5_there_is_one_epoch(database: Database, id_: int) -> None:
    with pytest.raises(Conflict):
        await insert_row(database, EPOCH, {"id": id_, "epoch": "another", "created_at": NOW})


def test_every_check_is_tried() -> None:
    promised = {
        constraint.name
        for table in BY_NAME.values()
        for constraint in table.constraints
        if type(constraint).__name__ == "CheckConstraint"
    }
    tried = {check for _, (_, check) in _cases(CHECKS)}
    elsewhere = {"workflow_execution_root"}
    assert {name for name in promised if not any(str(name).endswith(each) for each in tried)} == elsewhere
