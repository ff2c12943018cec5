"""What comes by itself when its time has come (`runtime.md` T1–T3, S4), and the due date that a command sets (S7).

Every function is a decision (`effects.py`). What is not due (any more) is left as it is, so that each may be asked again.
"""

from collections import deque
from datetime import datetime

from db.runtime import claims
from db.runtime.changes import ChangeKind
from db.runtime.decisions import named
from db.runtime.effects import Decision
from db.runtime.errors import InvalidTransition
from db.runtime.flow import Agenda, Flow
from db.runtime.statuses import ExecutionStatus, StepStatus
from db.runtime.values import Place, Step

_MAY_BE_DUE = (StepStatus.NOT_STARTED, StepStatus.IN_PROGRESS)
_OVER = (ExecutionStatus.COMPLETED, ExecutionStatus.CANCELLED)


def set_due_date(flow: Flow, place: Place, due_at: datetime | None) -> Decision[None]:
    """Say when a step is due, or with None that it is not; the same date again changes nothing (T1, S7).

    Moved forward or taken away it is not overdue any more, and may become so once more.
    """
    step = yield from named(flow, place, StepStatus.IN_PROGRESS)
    _require_datable(flow, step)
    if due_at == step.due_at:
        return
    is_forward = due_at is None or (step.due_at is not None and due_at > step.due_at)
    overdue_at = None if is_forward else step.overdue_at
    dated = step._replace(due_at=due_at, overdue_at=overdue_at)
    flow.tree.change_step(dated, ChangeKind.STEP_DUE_DATE_SET, step.status)


def come_due(flow: Flow, execution_id: str) -> Decision[None]:
    """All in an execution whose time has come, in the order of its definition: marks, ends of leases, next attempts."""
    yield from flow.loaded(execution_id)
    for step_id in list(flow.tree.steps[execution_id]):
        step = flow.tree.steps[execution_id][step_id]
        mark_overdue(flow, step)
        yield from claims.expire(flow, Place(execution_id, step.id))
        yield from start_scheduled(flow, flow.tree.current(step))


def mark_overdue(flow: Flow, step: Step) -> None:
    """Mark an attempt in progress whose due date has passed, once (T1)."""
    is_marked = step.overdue_at is not None
    if is_marked or step.status is not StepStatus.IN_PROGRESS or not _has_come(step.due_at, flow):
        return
    overdue = step._replace(overdue_at=flow.tree.now)
    flow.tree.change_step(overdue, ChangeKind.STEP_OVERDUE, step.status)


def start_scheduled(flow: Flow, step: Step) -> Decision[None]:
    """Make and start the next attempt where `retryAt` has come; it is no entry, so failures are counted on (S4)."""
    if not _has_come(step.retry_at, flow):
        return
    agenda: Agenda = deque()
    yield from flow.enter(flow.renew(step, is_entry=False), None, agenda)
    yield from flow.finish(step.execution_id, agenda)


def _has_come(moment: datetime | None, flow: Flow) -> bool:
    return moment is not None and moment <= flow.tree.now


def _require_datable(flow: Flow, step: Step) -> None:
    """A due date is for what people and workers do, and have not done."""
    execution = flow.tree.executions[step.execution_id]
    if not step.type.is_task:
        why = f"it is of type {step.type}; only human.* and sys.task have one that can be set"
    elif step.status not in _MAY_BE_DUE:
        why = f"it is {step.status.name}, not NOT_STARTED or IN_PROGRESS"
    elif execution.runtime_status in _OVER:
        why = f"its execution is {execution.runtime_status.name}"
    else:
        return
    message = f"The due date of step {step.step_id!r} cannot be set: {why}."
    raise InvalidTransition(step.id, step.status.name, StepStatus.IN_PROGRESS.name, (), message)
