"""The tree gives every change its revision and an image that says enough to fold it (`live.md` J1, J2)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from db.runtime import decisions
from db.runtime.changes import ChangeKind
from db.runtime.children import Ids
from db.runtime.decisions import Place
from db.runtime.definition import WorkflowDefinition
from db.runtime.effects import Decision, LoadRunning
from db.runtime.flow import Flow
from db.runtime.images import execution_image, step_image
from db.runtime.limits import Limits
from db.runtime.statuses import ExecutionStatus, StepStatus
from db.runtime.tree import Tree
from db.runtime.values import Execution
from tests.contract.fold import fold, shown
from tests.contract.samples import TWO

NOW = datetime(2026, 1, 31, 12, 0, 0, 5, tzinfo=UTC)
ROOT = "exec_1"


@dataclass(slots=True)
class WatchedTree(Tree):
    """A tree that remembers how its rows stood at every revision."""

    seen: list[Any] = field(default_factory=list)

    def _record(self, *arguments: Any, **options: Any) -> None:
        Tree._record(self, *arguments, **options)
        self.seen.append(rows_of(self))


def rows_of(tree: Tree) -> Any:
    """The rows as the API shows them."""
    return {
        id_: shown(
            execution_image(execution) | {"context": tree.contexts[id_], "item": tree.items.get(id_)},
            [step_image(step) for step in tree.steps[id_].values()],
        )
        for id_, execution in tree.executions.items()
    }


def new_tree() -> WatchedTree:
    definition = WorkflowDefinition.parse(TWO)
    tree = WatchedTree(root_id=ROOT, revision=0, now=NOW, definitions={"tver_1": definition})
    root = Execution(
        id=ROOT,
        root_id=ROOT,
        path=f"{ROOT}/",
        version_id="tver_1",
        name="Two",
        correlation_id=ROOT,
        runtime_status=ExecutionStatus.NOT_STARTED,
        created_at=NOW,
        revision=0,
    )
    ids = iter(f"step_{number}" for number in range(1, 100))
    born = Flow(tree, Ids(str, lambda: next(ids)), Limits())
    carry_out(decisions.create(born, root, {"customer": {"name": None}}))
    return tree


def walk(tree: Tree) -> Flow:
    """A command's walk that makes no new rows."""
    return Flow(tree, Ids(str, str), Limits())


def carry_out(decision: Decision[None]) -> None:
    """A decision over a tree that holds all its rows asks for none but what may run below."""
    assert list(decision) in ([], [LoadRunning(ROOT)])


@pytest.mark.parametrize("life", ["created", "started", "completed", "failed", "failed late", "cancelled"])
def test_j2_the_changes_fold_to_the_rows_of_every_revision(life: str) -> None:
    tree = lived(life)
    assert [change.revision for change in tree.changes] == list(range(1, tree.revision + 1))
    for revision, rows in enumerate(tree.seen, 1):
        assert fold(tree.changes[:revision]) == rows


def lived(life: str) -> WatchedTree:
    """A tree with such a life behind it."""
    tree = new_tree()
    if life == "created":
        return tree
    carry_out(decisions.start(walk(tree), ROOT))
    first, second = (tree.steps[ROOT][step_id].id for step_id in ("a", "b"))
    match life:
        case "completed":
            carry_out(decisions.complete(walk(tree), Place(ROOT, first), {"secret": 1}))
            carry_out(decisions.complete(walk(tree), Place(ROOT, second), {}))
        case "failed":
            carry_out(decisions.fail(walk(tree), Place(ROOT, first), "BROKEN", "It broke."))
        case "failed late":
            carry_out(decisions.complete(walk(tree), Place(ROOT, first), {}))
            carry_out(decisions.fail(walk(tree), Place(ROOT, second), "BROKEN", "It broke."))
        case "cancelled":
            carry_out(decisions.cancel(walk(tree), ROOT, "no longer needed"))
    return tree


def test_j2_execution_created_carries_the_context_and_the_first_attempts() -> None:
    (change,) = new_tree().changes
    assert change.kind is ChangeKind.EXECUTION_CREATED
    assert (change.from_status, change.to_status) == (None, ExecutionStatus.NOT_STARTED)
    assert change.data["context"] == {"customer": {"name": None}}
    assert [each["stepId"] for each in change.data["steps"]] == ["start", "a", "b", "end"]


def test_j2_the_context_comes_with_execution_created_only() -> None:
    tree = lived("completed")
    assert [change.kind for change in tree.changes if "context" in change.data] == [
        ChangeKind.EXECUTION_CREATED
    ]


def test_j2_no_output_is_in_any_image() -> None:
    tree = lived("completed")
    assert "secret" in str(tree.outputs)
    assert not [change for change in tree.changes if "secret" in str(change.data)]
    assert not [change for change in tree.changes if "outputData" in change.data]


def test_s2_a_row_shows_the_revision_and_the_time_of_its_last_change() -> None:
    tree = lived("failed")
    by_revision = {change.revision: change for change in tree.changes}
    execution = tree.executions[ROOT]
    assert by_revision[execution.revision].kind is ChangeKind.EXECUTION_FAILED
    failed = tree.steps[ROOT]["a"]
    assert by_revision[failed.revision].kind is ChangeKind.STEP_FAILED
    assert (failed.failed_at, execution.failed_at, execution.last_activity_at) == (NOW, NOW, NOW)
    untouched = tree.steps[ROOT]["b"]
    assert (untouched.status, untouched.revision) == (StepStatus.NOT_STARTED, 1)
