"""How an execution moves: what follows from a step that has ended, until nothing is left to move (`runtime.md` section 5).

Decisions are generators without I/O: they yield `Load` where they need rows that the tree does not hold and are sent
nothing back but the turn; the driver (`db/commands/execution.py`) brings the rows in. A decision changes only its `Tree`.
"""

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

from db.runtime.changes import ChangeKind
from db.runtime.definition import StepDefinition, StepType, Transition
from db.runtime.durations import add, parse_duration
from db.runtime.errors import InvalidTransition
from db.runtime.schemas import require_valid
from db.runtime.statuses import ExecutionStatus, StepStatus, may_become
from db.runtime.tree import JSONObject, Tree
from db.runtime.values import DisabledBy, Execution, Step

NewId = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Load:
    """Bring in an execution, the current attempts of its steps and its definition."""

    execution_id: str


Decision = Generator[Load, None, None]


def first_attempts(
    tree: Tree, execution: Execution, steps: tuple[StepDefinition, ...], new_id: NewId
) -> list[Step]:
    """Every step's first attempt, NotStarted (F1)."""
    return [
        Step(
            id=new_id(),
            execution_id=execution.id,
            version_id=execution.version_id,
            step_id=step.id,
            position=position,
            type=step.type,
            name=step.name,
            attempt=1,
            is_current=True,
            status=StepStatus.NOT_STARTED,
            created_at=tree.now,
            revision=0,
        )
        for position, step in enumerate(steps)
    ]


def create(tree: Tree, execution: Execution, context: JSONObject, new_step_id: NewId) -> None:
    """A new execution with its first attempts; nothing of it has begun."""
    steps = tree.definition_of(execution).steps
    tree.create(execution, first_attempts(tree, execution, steps, new_step_id), context)


def start(tree: Tree, execution_id: str) -> Decision:
    """Begin an execution: `start` completes by itself and its transition is taken (F1)."""
    execution = yield from _loaded(tree, execution_id)
    _require_not_begun(execution)
    tree.move_execution(execution.id, ExecutionStatus.IN_PROGRESS, ChangeKind.EXECUTION_STARTED)
    step = tree.steps[execution.id][tree.definition_of(execution).start.id]
    _settle(tree, _pass(tree, step))


def complete(tree: Tree, step_execution_id: str, execution_id: str, output: JSONObject) -> Decision:
    """Complete a waiting step with an output that its schema has accepted, and all that follows (F2, F3)."""
    step = yield from _current(tree, step_execution_id, execution_id)
    _require_task(step, StepStatus.COMPLETED)
    definition = tree.definition_of(tree.executions[execution_id]).step(step.step_id)
    if may_become(step.status, StepStatus.COMPLETED):
        # Of two things that are wrong the status is told first: an ended step takes no output at all.
        require_valid(definition.output_schema, output, "The output", "/outputData")
    done = tree.move_step(step, StepStatus.COMPLETED, ChangeKind.STEP_COMPLETED)
    tree.outputs[done.id] = output
    _settle(tree, done)


def fail(tree: Tree, step_execution_id: str, execution_id: str, code: str, message: str) -> Decision:
    """Fail a waiting step; without attempts left its execution fails once it has come to rest (S4, F6)."""
    step = yield from _current(tree, step_execution_id, execution_id)
    _require_task(step, StepStatus.FAILED)
    failure = {"failure_code": code, "failure_message": message}
    tree.move_step(step, StepStatus.FAILED, ChangeKind.STEP_FAILED, **failure)
    _rest(tree, execution_id)


def cancel(tree: Tree, execution_id: str, reason: str | None) -> Decision:
    """Cancel an execution; its InProgress steps become Disabled, NotStarted ones stay (S6)."""
    execution = yield from _loaded(tree, execution_id)
    tree.move_execution(
        execution.id, ExecutionStatus.CANCELLED, ChangeKind.EXECUTION_CANCELLED, reason=reason
    )
    for step in list(tree.steps[execution.id].values()):
        if step.status is StepStatus.IN_PROGRESS:
            tree.move_step(step, StepStatus.DISABLED, ChangeKind.STEP_DISABLED, disabled_by=DisabledBy.CANCEL)


def _loaded(tree: Tree, execution_id: str) -> Generator[Load, None, Execution]:
    if execution_id not in tree.executions:
        yield Load(execution_id)
    return tree.executions[execution_id]


def _current(tree: Tree, step_execution_id: str, execution_id: str) -> Generator[Load, None, Step]:
    """The attempt that a command names; commands act on current attempts only (S7)."""
    yield from _loaded(tree, execution_id)
    return next(step for step in tree.steps[execution_id].values() if step.id == step_execution_id)


def _require_not_begun(execution: Execution) -> None:
    """The table's arrow from Failed to InProgress is not for `startWorkflowExecution` (S7)."""
    if execution.runtime_status is not ExecutionStatus.FAILED:
        return
    raise InvalidTransition(
        node_id=execution.id,
        current=execution.runtime_status.name,
        wanted=ExecutionStatus.IN_PROGRESS.name,
        allowed=(),
        explanation=f"Execution {execution.name!r} is FAILED: only one that is NOT_STARTED can be started.",
    )


def _require_task(step: Step, wanted: StepStatus) -> None:
    """`completeStep` and `failStep` act on what waits for a person or a worker (S7)."""
    if step.type.is_task:
        return
    raise InvalidTransition(
        node_id=step.id,
        current=step.status.name,
        wanted=wanted.name,
        allowed=(),
        explanation=f"Step {step.step_id!r} is of type {step.type} and moves by itself; no command acts on it.",
    )


def _settle(tree: Tree, ended: Step) -> None:
    """Take transitions breadth first until nothing moves (F2), then see what rest means (F6)."""
    execution = tree.executions[ended.execution_id]
    definition = tree.definition_of(execution)
    taken = deque(definition.outgoing(ended.step_id))
    while taken:
        taken.extend(_arrive(tree, execution.id, taken.popleft()))
    _rest(tree, execution.id)


def _arrive(tree: Tree, execution_id: str, transition: Transition) -> tuple[Transition, ...]:
    """A transition enters its step; returns the transitions that are taken next."""
    step = tree.steps[execution_id][transition.to_step_id]
    entered = replace(step, entered_by=(*step.entered_by, transition.id))
    if step.type is StepType.END:
        tree.change_step(entered, ChangeKind.STEP_ARRIVED, step.status)
    else:
        _begin(tree, entered)
    return ()


def _begin(tree: Tree, step: Step) -> Step:
    """A waiting step starts; its due date counts from now by the UTC calendar (F2)."""
    definition = tree.definition_of(tree.executions[step.execution_id]).step(step.step_id)
    due_at = step.due_at
    if due_at is None and definition.due_in is not None:
        due_at = add(tree.now, parse_duration(definition.due_in))
    return tree.move_step(step, StepStatus.IN_PROGRESS, ChangeKind.STEP_STARTED, due_at=due_at)


def _pass(tree: Tree, step: Step) -> Step:
    """A step that does nothing starts and completes in one breath."""
    begun = tree.move_step(step, StepStatus.IN_PROGRESS, ChangeKind.STEP_STARTED)
    return tree.move_step(begun, StepStatus.COMPLETED, ChangeKind.STEP_COMPLETED)


def _rest(tree: Tree, execution_id: str) -> None:
    """With nothing in progress an execution has failed, or `end` completes it (F6)."""
    steps = tree.steps[execution_id]
    if any(step.status is StepStatus.IN_PROGRESS for step in steps.values()):
        return
    failed = [step for step in steps.values() if step.status is StepStatus.FAILED]
    if failed:
        names = ", ".join(repr(step.step_id) for step in failed)
        tree.move_execution(
            execution_id,
            ExecutionStatus.FAILED,
            ChangeKind.EXECUTION_FAILED,
            failure_code="STEP_FAILED",
            failure_message=f"The workflow cannot continue: {names} failed.",
        )
        return
    end = steps[tree.definition_of(tree.executions[execution_id]).end.id]
    _pass(tree, end)
    tree.move_execution(execution_id, ExecutionStatus.COMPLETED, ChangeKind.EXECUTION_COMPLETED)
