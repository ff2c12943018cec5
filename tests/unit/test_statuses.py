"""The two tables of `runtime.md` section 4, pair by pair."""

from datetime import UTC, datetime
from itertools import product

import pytest

from db.runtime.changes import ChangeKind
from db.runtime.definition import StepType
from db.runtime.errors import InvalidTransition
from db.runtime.statuses import (
    EXECUTION_TRANSITIONS,
    STEP_TRANSITIONS,
    ExecutionStatus,
    StepStatus,
    allowed_from,
    may_become,
)
from db.runtime.tree import Tree
from db.runtime.values import Execution, Step
from db.runtime.versions import VERSION_TRANSITIONS, VersionStatus

# The arrows as the specification draws them, in the seed's spelling; whatever is not here is no arrow.
EXECUTION_ARROWS = {
    ("NotStarted", "InProgress"),
    ("InProgress", "Completed"),
    ("InProgress", "Failed"),
    ("InProgress", "Cancelled"),
    ("Failed", "InProgress"),
}
STEP_ARROWS = {
    ("NotStarted", "InProgress"),
    ("InProgress", "Completed"),
    ("InProgress", "Failed"),
    ("NotStarted", "Disabled"),
    ("InProgress", "Disabled"),
    ("Disabled", "NotStarted"),
}
VERSION_ARROWS = {("DRAFT", "PUBLISHED"), ("PUBLISHED", "DEPRECATED")}

EXECUTION_PAIRS = list(product(ExecutionStatus, repeat=2))
# No command makes a step NotStarted again, so `move_step` has no time to stamp for it.
STEP_PAIRS = [pair for pair in product(StepStatus, repeat=2) if pair[1] is not StepStatus.NOT_STARTED]

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def execution_that_is(status: ExecutionStatus) -> Execution:
    return Execution(
        id="exec_1",
        root_id="exec_1",
        path="exec_1/",
        version_id="tver_1",
        name="One",
        correlation_id="c",
        runtime_status=status,
        created_at=BEFORE,
        revision=7,
    )


def step_that_is(status: StepStatus) -> Step:
    return Step(
        id="step_1",
        execution_id="exec_1",
        version_id="tver_1",
        step_id="a",
        position=1,
        type=StepType.SYS_TASK,
        name="A",
        attempt=1,
        is_current=True,
        status=status,
        created_at=BEFORE,
        revision=7,
    )


def tree_with(execution: Execution, step: Step) -> Tree:
    tree = Tree(root_id=execution.id, revision=7, now=NOW)
    tree.executions[execution.id] = execution
    tree.steps[execution.id] = {step.step_id: step}
    return tree


@pytest.mark.parametrize(("current", "wanted"), EXECUTION_PAIRS)
def test_s1_executions_have_the_tables_arrows_and_no_others(
    current: ExecutionStatus, wanted: ExecutionStatus
) -> None:
    assert may_become(current, wanted) is ((current.value, wanted.value) in EXECUTION_ARROWS)


@pytest.mark.parametrize(("current", "wanted"), list(product(StepStatus, repeat=2)))
def test_s1_steps_have_the_tables_arrows_and_no_others(current: StepStatus, wanted: StepStatus) -> None:
    assert may_become(current, wanted) is ((current.value, wanted.value) in STEP_ARROWS)


@pytest.mark.parametrize(("current", "wanted"), list(product(VersionStatus, repeat=2)))
def test_d1_versions_have_the_rules_arrows_and_no_others(
    current: VersionStatus, wanted: VersionStatus
) -> None:
    assert (wanted in VERSION_TRANSITIONS[current]) is ((current.value, wanted.value) in VERSION_ARROWS)


def test_every_status_is_listed_so_that_a_missing_one_is_not_taken_for_an_ended_one() -> None:
    assert set(EXECUTION_TRANSITIONS) == set(ExecutionStatus)
    assert set(STEP_TRANSITIONS) == set(StepStatus)
    assert set(VERSION_TRANSITIONS) == set(VersionStatus)


def test_statuses_are_spelt_as_the_seed_spells_them() -> None:
    assert [each.value for each in ExecutionStatus] == [
        "NotStarted",
        "InProgress",
        "Completed",
        "Failed",
        "Cancelled",
    ]
    assert [each.value for each in StepStatus] == [
        "NotStarted",
        "InProgress",
        "Completed",
        "Disabled",
        "Failed",
    ]


EXECUTION_STAMPS = {
    ExecutionStatus.IN_PROGRESS: "started_at",
    ExecutionStatus.COMPLETED: "completed_at",
    ExecutionStatus.FAILED: "failed_at",
    ExecutionStatus.CANCELLED: "cancelled_at",
}
STEP_STAMPS = {
    StepStatus.IN_PROGRESS: "started_at",
    StepStatus.COMPLETED: "completed_at",
    StepStatus.FAILED: "failed_at",
    StepStatus.DISABLED: "disabled_at",
}


@pytest.mark.parametrize(("current", "wanted"), EXECUTION_PAIRS)
def test_s1_s2_an_execution_moves_by_the_table_with_its_time_or_not_at_all(
    current: ExecutionStatus, wanted: ExecutionStatus
) -> None:
    before = execution_that_is(current)
    tree = tree_with(before, step_that_is(StepStatus.NOT_STARTED))
    kind = ChangeKind.EXECUTION_STARTED
    if (current.value, wanted.value) not in EXECUTION_ARROWS:
        with pytest.raises(InvalidTransition) as refusal:
            tree.move_execution(before.id, wanted, kind)
        assert tree.executions == {before.id: before}
        assert_refused_by(refusal.value, before.id, current, wanted)
        assert (tree.revision, tree.changes, tree.changed) == (7, [], set())
        return
    tree.move_execution(before.id, wanted, kind)
    after = tree.executions[before.id]
    stamp = {EXECUTION_STAMPS[wanted]: NOW}
    assert after == before._replace(runtime_status=wanted, revision=8, **stamp)
    (change,) = tree.changes
    assert (change.revision, change.at, change.from_status, change.to_status) == (8, NOW, current, wanted)
    assert change.step_execution_id is None


@pytest.mark.parametrize(("current", "wanted"), STEP_PAIRS)
def test_s1_s2_a_step_moves_by_the_table_with_its_time_or_not_at_all(
    current: StepStatus, wanted: StepStatus
) -> None:
    execution, before = execution_that_is(ExecutionStatus.IN_PROGRESS), step_that_is(current)
    tree = tree_with(execution, before)
    if (current.value, wanted.value) not in STEP_ARROWS:
        with pytest.raises(InvalidTransition) as refusal:
            tree.move_step(before, wanted, ChangeKind.STEP_STARTED)
        assert tree.steps == {execution.id: {"a": before}}
        assert tree.executions == {execution.id: execution}
        assert_refused_by(refusal.value, before.id, current, wanted)
        assert (tree.revision, tree.changes, tree.changed) == (7, [], set())
        return
    after = tree.move_step(before, wanted, ChangeKind.STEP_STARTED)
    assert after == before._replace(status=wanted, revision=8, **{STEP_STAMPS[wanted]: NOW})
    assert tree.steps[execution.id]["a"] == after
    assert tree.executions[execution.id] == execution._replace(revision=8, last_activity_at=NOW)
    (change,) = tree.changes
    assert (change.revision, change.at, change.from_status, change.to_status) == (8, NOW, current, wanted)
    assert (change.step_execution_id, change.attempt) == (before.id, 1)


def assert_refused_by(
    refusal: InvalidTransition,
    node_id: str,
    current: ExecutionStatus | StepStatus,
    wanted: ExecutionStatus | StepStatus,
) -> None:
    """S1: it names the current status, the wanted one and the allowed ones; I6: in the API's spelling."""
    assert refusal.node_id == node_id
    assert (refusal.current, refusal.wanted) == (current.name, wanted.name)
    assert refusal.allowed == tuple(status.name for status in allowed_from(current))
    assert current.name in refusal.message
    assert wanted.name in refusal.message
    assert all(name in refusal.message for name in refusal.allowed)
