"""What particular commands must come to, told from the rows before and after (`runtime.md` S4, C3, C5)."""

from collections.abc import Callable, Iterator
from datetime import datetime

from db.runtime.statuses import ExecutionStatus, StepStatus
from db.runtime.sub_workflow import OnParentClose
from db.runtime.values import Execution, Step
from tests.model.commands import Command
from tests.model.memory import MemoryTree

Check = Callable[[], None]


def expectation(tree: MemoryTree, command: Command) -> Check:
    """Look at the rows now; the check that comes back looks at them when the command has been carried out."""
    match command.kind:
        case "cancel":
            return _cancel(tree, command.target)
        case "retry":
            return _retry(tree, tree.steps[command.target])
        case "complete":
            return lambda: _expect_status(tree, command.target, StepStatus.COMPLETED)
        case "fail":
            return _fail(tree, tree.steps[command.target])
        case "disable" if tree.steps[command.target].status is not StepStatus.FAILED:
            return lambda: _expect_status(tree, command.target, StepStatus.DISABLED)
        case "enable":
            return lambda: _expect_status(tree, command.target, StepStatus.NOT_STARTED)
        case "set_due_date":
            return _set_due_date(tree, tree.steps[command.target], command.payload["due_at"])
        case "come_due":
            return lambda: _nothing_is_due(tree, command.target)
        case _:
            return lambda: None


def _expect_status(tree: MemoryTree, attempt_id: str, status: StepStatus) -> None:
    assert tree.steps[attempt_id].status is status


def _set_due_date(tree: MemoryTree, step: Step, due_at: datetime | None) -> Check:
    """T1: a later date than before, or none, clears the mark."""
    is_forward = due_at is None or (step.due_at is not None and due_at > step.due_at)

    def check() -> None:
        dated = tree.steps[step.id]
        assert (dated.due_at, dated.status) == (due_at, step.status)
        assert dated.overdue_at == (None if is_forward else step.overdue_at)

    return check


def _nothing_is_due(tree: MemoryTree, execution_id: str) -> None:
    """T1, S4: what had come has happened."""
    for step in tree.current(execution_id):
        assert step.retry_at is None or step.retry_at > tree.now
        is_late = (
            step.status is StepStatus.IN_PROGRESS and step.due_at is not None and step.due_at <= tree.now
        )
        assert step.is_overdue or not is_late


def _cancel(tree: MemoryTree, execution_id: str) -> Check:
    """C3: what runs below is cancelled too, but not what was to be left, nor what runs below that."""
    running = {
        each.id for each in tree.executions.values() if each.runtime_status is ExecutionStatus.IN_PROGRESS
    }
    along = {execution_id, *(each.id for each in _goes_along(tree, execution_id))}

    def check() -> None:
        cancelled = {
            each for each in running if tree.executions[each].runtime_status is ExecutionStatus.CANCELLED
        }
        # The execution above may go on now, and stop other children as it does.
        beside = {each for each in running if not tree.executions[each].path.startswith(path)}
        assert cancelled - beside == along

    path = tree.executions[execution_id].path
    return check


def _goes_along(tree: MemoryTree, execution_id: str) -> Iterator[Execution]:
    for child in tree.executions.values():
        if child.parent_id == execution_id and child.runtime_status is ExecutionStatus.IN_PROGRESS:
            starter = tree.steps[child.parent_step_id or ""]
            workflow = tree.definition(execution_id).step(starter.step_id).sub_workflow
            assert workflow is not None
            if workflow.on_parent_close is OnParentClose.CANCEL:
                yield child
                yield from _goes_along(tree, child.id)


def _fail(tree: MemoryTree, step: Step) -> Check:
    """S4: with attempts left the next one is there or scheduled; otherwise the attempt stays, Failed."""
    policy = tree.definition(step.execution_id).step(step.step_id).retry

    def check() -> None:
        failed = tree.steps[step.id]
        assert failed.status is StepStatus.FAILED
        if policy is None or policy.backoff is None:
            assert failed.retry_at is None
        elif failed.is_current:
            assert (failed.retry_at is not None) == (
                step.attempt - step.entry_attempt + 1 < policy.max_attempts
            )

    return check


def _retry(tree: MemoryTree, step: Step) -> Check:
    """C5: the next attempt keeps the children that completed, and has one for each of the other items."""
    before = {child.child_index: child for child in tree.children(step.id)}

    def check() -> None:
        retried = next(
            each
            for each in tree.attempts(step.execution_id)
            if (each.step_id, each.attempt) == (step.step_id, step.attempt + 1)
        )
        after = {child.child_index: child for child in tree.children(retried.id)}
        if not before or retried.status is StepStatus.DISABLED:
            return
        assert set(after) == set(before), "the same items"
        for index, child in before.items():
            completed = child.runtime_status is ExecutionStatus.COMPLETED
            kept = after[index].id == child.id
            assert kept or not completed, "a child that completed is kept"
            assert completed or not kept or retried.failure_code != "CHILD_FAILED", (
                "each other one is replaced"
            )

    return check
