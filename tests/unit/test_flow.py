"""How a sequence moves (`runtime.md` section 5), decided over plain values."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.runtime import decisions
from db.runtime.children import Ids
from db.runtime.decisions import Place
from db.runtime.definition import StepType, WorkflowDefinition
from db.runtime.effects import Decision, Load, LoadRunning
from db.runtime.errors import InvalidTransition, ValidationFailed
from db.runtime.flow import Flow
from db.runtime.limits import Limits
from db.runtime.statuses import ExecutionStatus, StepStatus
from db.runtime.tree import Tree
from db.runtime.values import DisabledBy, Execution, Step
from tests.contract.samples import ONE, TWO, sequence

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
ROOT = "exec_1"
TASKS = ("human.confirm", "human.form", "human.url_redirect", "human.doc_upload", "sys.task")


def created(raw: dict[str, Any]) -> Tree:
    """An execution of a definition, not yet begun; each attempt's id is its step's with a prefix."""
    definition = WorkflowDefinition.parse(raw)
    tree = Tree(root_id=ROOT, revision=0, now=NOW, definitions={"tver_1": definition})
    root = Execution(
        id=ROOT,
        root_id=ROOT,
        path=f"{ROOT}/",
        version_id="tver_1",
        name=raw["name"],
        correlation_id="c",
        runtime_status=ExecutionStatus.NOT_STARTED,
        created_at=NOW,
        revision=0,
    )
    ids = iter([f"step_{step.id}" for step in definition.steps])
    carry_out(decisions.create(Flow(tree, Ids(str, lambda: next(ids)), Limits()), root, {}))
    return tree


def walk(tree: Tree) -> Flow:
    """A command's walk that makes no new rows."""
    return Flow(tree, Ids(str, str), Limits())


def place(step_id: str) -> Place:
    return Place(ROOT, f"step_{step_id}")


def started(raw: dict[str, Any]) -> Tree:
    tree = created(raw)
    carry_out(decisions.start(walk(tree), ROOT))
    return tree


def carry_out(decision: Decision[None]) -> None:
    """Every row is in the tree already, so a decision asks for none but what may run below."""
    assert list(decision) in ([], [LoadRunning(ROOT)])


def complete(tree: Tree, step_id: str, output: dict[str, Any] | None = None) -> None:
    carry_out(decisions.complete(walk(tree), place(step_id), output or {}))


def fail(tree: Tree, step_id: str) -> None:
    carry_out(decisions.fail(walk(tree), place(step_id), "BROKEN", "It broke."))


def statuses(tree: Tree) -> str:
    """The statuses of the steps in definition order, by their first letters."""
    return " ".join(step.status.name[0] for step in tree.steps[ROOT].values())


def kinds(tree: Tree, since: int = 0) -> list[str]:
    """What happened after a revision, and to which step."""
    names = {step.id: step.step_id for step in tree.steps[ROOT].values()}
    return [
        f"{change.kind} {names.get(change.step_execution_id or '', '')}".strip()
        for change in tree.changes
        if change.revision > since
    ]


def test_f1_creating_makes_the_first_attempt_of_every_step_not_started() -> None:
    tree = created(TWO)
    steps: list[Step] = list(tree.steps[ROOT].values())
    assert [(step.step_id, step.type, step.position) for step in steps] == [
        ("start", StepType.START, 0),
        ("a", StepType.HUMAN_FORM, 1),
        ("b", StepType.SYS_TASK, 2),
        ("end", StepType.END, 3),
    ]
    assert {(step.status, step.attempt, step.is_current) for step in steps} == {
        (StepStatus.NOT_STARTED, 1, True)
    }
    assert kinds(tree) == ["EXECUTION_CREATED"]


def test_f1_starting_completes_start_and_takes_its_transition() -> None:
    tree = started(TWO)
    assert statuses(tree) == "C I N N"
    assert kinds(tree, since=1) == [
        "EXECUTION_STARTED",
        "STEP_STARTED start",
        "STEP_COMPLETED start",
        "STEP_STARTED a",
    ]
    assert tree.steps[ROOT]["a"].entered_by == ("t1",)
    assert tree.executions[ROOT].started_at == NOW


def test_f2_completing_a_step_starts_the_next() -> None:
    tree = started(TWO)
    since = tree.revision
    complete(tree, "a")
    assert statuses(tree) == "C C I N"
    assert kinds(tree, since) == ["STEP_COMPLETED a", "STEP_STARTED b"]
    assert tree.steps[ROOT]["b"].started_at == NOW


def test_f6_the_last_step_completes_end_and_the_execution() -> None:
    tree = started(ONE)
    since = tree.revision
    complete(tree, "a")
    assert statuses(tree) == "C C C"
    assert kinds(tree, since) == [
        "STEP_COMPLETED a",
        "STEP_ARRIVED end",
        "STEP_STARTED end",
        "STEP_COMPLETED end",
        "EXECUTION_COMPLETED",
    ]
    execution = tree.executions[ROOT]
    assert (execution.runtime_status, execution.completed_at) == (ExecutionStatus.COMPLETED, NOW)
    assert tree.steps[ROOT]["end"].entered_by == ("t2",)


def test_f6_start_to_end_is_completed_by_starting() -> None:
    tree = started(sequence("nothing"))
    assert statuses(tree) == "C C"
    assert tree.executions[ROOT].runtime_status is ExecutionStatus.COMPLETED


def test_s4_f6_a_failed_step_fails_the_execution_that_cannot_go_on() -> None:
    tree = started(TWO)
    since = tree.revision
    fail(tree, "a")
    assert statuses(tree) == "C F N N"
    assert kinds(tree, since) == ["STEP_FAILED a", "EXECUTION_FAILED"]
    step, execution = tree.steps[ROOT]["a"], tree.executions[ROOT]
    assert (step.failure_code, step.failure_message, step.failed_at) == ("BROKEN", "It broke.", NOW)
    assert (execution.runtime_status, execution.failed_at) == (ExecutionStatus.FAILED, NOW)
    assert execution.failure_code == "STEP_FAILED"
    assert "'a'" in str(execution.failure_message)


def test_s6_cancelling_disables_steps_in_progress_and_leaves_the_others() -> None:
    tree = started(TWO)
    since = tree.revision
    carry_out(decisions.cancel(walk(tree), ROOT, "no longer needed"))
    assert statuses(tree) == "C D N N"
    assert kinds(tree, since) == ["EXECUTION_CANCELLED", "STEP_DISABLED a"]
    step, execution = tree.steps[ROOT]["a"], tree.executions[ROOT]
    assert (step.disabled_by, step.disabled_at) == (DisabledBy.CANCEL, NOW)
    assert (execution.reason, execution.cancelled_at) == ("no longer needed", NOW)
    cancelled = tree.changes[since]
    assert (cancelled.reason, cancelled.to_status) == ("no longer needed", ExecutionStatus.CANCELLED)


@pytest.mark.parametrize("step_id", ["start", "end"])
@pytest.mark.parametrize("command", [complete, fail])
def test_s7_no_command_acts_on_start_and_end(command: Any, step_id: str) -> None:
    tree = started(TWO)
    before = statuses(tree), tree.revision
    with pytest.raises(InvalidTransition) as refusal:
        command(tree, step_id)
    assert refusal.value.node_id == f"step_{step_id}"
    assert refusal.value.allowed == ()
    assert (statuses(tree), tree.revision) == before


def test_s7_a_failed_execution_is_not_started_again_though_the_table_has_the_arrow() -> None:
    tree = started(ONE)
    fail(tree, "a")
    before = statuses(tree), tree.revision
    with pytest.raises(InvalidTransition) as refusal:
        carry_out(decisions.start(walk(tree), ROOT))
    assert (refusal.value.node_id, refusal.value.current, refusal.value.wanted) == (
        ROOT,
        "FAILED",
        "IN_PROGRESS",
    )
    assert (statuses(tree), tree.revision) == before


def test_i1_an_output_that_breaks_its_schema_changes_nothing() -> None:
    raw = sequence("checked", ("a", "human.form"))
    raw["steps"][1]["outputSchema"] = {"type": "object", "required": ["ok"]}
    tree = started(raw)
    before = statuses(tree), tree.revision
    with pytest.raises(ValidationFailed) as refusal:
        complete(tree, "a")
    assert [issue.path for issue in refusal.value.issues] == ["/outputData"]
    assert (statuses(tree), tree.revision, tree.outputs) == (*before, {})


def test_s1_an_ended_step_is_told_by_its_status_whatever_its_output() -> None:
    raw = sequence("checked", ("a", "human.form"))
    raw["steps"][1]["outputSchema"] = {"type": "object", "required": ["ok"]}
    tree = started(raw)
    complete(tree, "a", {"ok": 1})
    with pytest.raises(InvalidTransition):
        complete(tree, "a")


@pytest.mark.parametrize(
    ("due_in", "due_at"),
    [
        ("P1M", datetime(2026, 2, 28, 12, 0, tzinfo=UTC)),
        ("P3D", NOW + timedelta(days=3)),
        ("PT0.5S", NOW + timedelta(milliseconds=500)),
        ("P1000Y", datetime(3026, 1, 31, 12, 0, tzinfo=UTC)),
    ],
)
def test_f2_due_counts_from_the_start_by_the_utc_calendar(due_in: str, due_at: datetime) -> None:
    raw = sequence("due", ("a", "human.form"), ("b", "sys.task"))
    raw["steps"][2]["dueIn"] = due_in
    tree = started(raw)
    assert tree.steps[ROOT]["b"].due_at is None
    complete(tree, "a")
    assert tree.steps[ROOT]["b"].due_at == due_at


@given(types=st.lists(st.sampled_from(TASKS), max_size=8), ends=st.integers(min_value=0, max_value=8))
def test_f2_f6_any_sequence_moves_one_step_at_a_time_to_its_end(types: list[str], ends: int) -> None:
    raw = sequence("any", *((f"s{number}", type_) for number, type_ in enumerate(types)))
    tree = started(raw)
    for number in range(min(ends, len(types))):
        in_progress = [
            step.step_id for step in tree.steps[ROOT].values() if step.status.name == "IN_PROGRESS"
        ]
        assert in_progress == [f"s{number}"]
        complete(tree, f"s{number}", {"n": number})
    done = ends >= len(types)
    expected = ExecutionStatus.COMPLETED if done else ExecutionStatus.IN_PROGRESS
    assert tree.executions[ROOT].runtime_status is expected
    assert tree.outputs == {f"step_s{number}": {"n": number} for number in range(min(ends, len(types)))}
    assert [change.revision for change in tree.changes] == list(range(1, tree.revision + 1))


def test_a_decision_asks_for_the_rows_that_the_tree_does_not_hold() -> None:
    full = started(ONE)
    bare = Tree(root_id=ROOT, revision=full.revision, now=NOW)
    for decision in (
        decisions.complete(walk(bare), place("a"), {}),
        decisions.fail(walk(bare), place("a"), "C", "m"),
        decisions.cancel(walk(bare), ROOT, None),
        decisions.start(walk(bare), ROOT),
    ):
        assert next(decision) == Load(ROOT)
