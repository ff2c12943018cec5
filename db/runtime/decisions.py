"""What each command does to a tree (`runtime.md` S4–S7, C3, C5). Every function is a decision (`effects.py`).

A refusal is raised before anything of the tree has changed.
"""

from collections import deque
from datetime import datetime, timedelta
from typing import Any

from db.runtime import activation, attempts, children, claims
from db.runtime.changes import ChangeKind
from db.runtime.definition import RetryPolicy, StepType
from db.runtime.durations import add, parse_duration
from db.runtime.effects import Decision, FindStatus, Link, LoadData, LoadRunning
from db.runtime.errors import ClaimLost, InvalidTransition, LimitExceeded
from db.runtime.flow import Agenda, Flow
from db.runtime.json_values import json_size
from db.runtime.schemas import require_valid
from db.runtime.statuses import ExecutionStatus, Status, StepStatus, may_become
from db.runtime.tree import JSONObject
from db.runtime.values import DisabledBy, Execution, Place, Step


def create(flow: Flow, execution: Execution, context: JSONObject) -> Decision[None]:
    """A new root execution with its first attempts; policies are read, nothing of it has begun (F1)."""
    tree = flow.tree
    definition = tree.definitions[execution.version_id]
    steps = attempts.first_attempts(tree, execution, definition, flow.ids.new_step_id)
    tree.create(execution, steps, context)
    yield from activation.read_first(tree, execution.id)


def start(flow: Flow, execution_id: str) -> Decision[None]:
    """Begin an execution that is NotStarted."""
    execution = yield from flow.loaded(execution_id)
    if execution.runtime_status is ExecutionStatus.FAILED:
        # The table's arrow from Failed to InProgress is a retry's, not this command's (S7).
        message = f"Execution {execution.name!r} is FAILED: only one that is NOT_STARTED can be started."
        raise InvalidTransition(execution.id, "FAILED", "IN_PROGRESS", (), message)
    if execution.runtime_status is not ExecutionStatus.NOT_STARTED:
        raise _refused_execution(execution, ExecutionStatus.IN_PROGRESS)
    yield from flow.begin_root(execution_id)


def complete(flow: Flow, place: Place, output: JSONObject, token: str | None = None) -> Decision[None]:
    """Complete a waiting step with an output that its schema accepts, and all that follows (F2, F3, I1).

    While a claim holds `token` must be its token (T3).
    """
    step = yield from _task(flow, place, StepStatus.COMPLETED)
    yield from claims.require_token(flow, step, token)
    require_valid(flow.tree.step_definition(step).output_schema, output, "The output", "/outputData")
    done = flow.tree.move_step(step, StepStatus.COMPLETED, ChangeKind.STEP_COMPLETED)
    flow.tree.set_output(done, output)
    yield from flow.continue_after(place.execution_id, [done], data_changed=True)


def fail(flow: Flow, place: Place, code: str, message: str, token: str | None = None) -> Decision[None]:
    """Fail a waiting step: with attempts left the next one starts, or is scheduled (S4).

    While a claim holds `token` must be its token (T3).
    """
    step = yield from _task(flow, place, StepStatus.FAILED)
    yield from claims.require_token(flow, step, token)
    policy = flow.tree.step_definition(step).retry or RetryPolicy()
    failures = step.attempt - step.entry_attempt + 1
    failed = flow.fail_step(step, code, message)
    agenda: Agenda = deque()
    if failures < policy.max_attempts:
        if policy.backoff is None:
            yield from flow.enter(flow.renew(failed, is_entry=False), None, agenda)
        else:
            retry_at = _after(flow.tree.now, policy, failures)
            scheduled = failed._replace(retry_at=retry_at)
            flow.tree.change_step(scheduled, ChangeKind.STEP_RETRY_SCHEDULED, scheduled.status)
    yield from flow.finish(place.execution_id, agenda)


def retry(flow: Flow, place: Place, reason: str | None) -> Decision[None]:
    """Make a new attempt at a Failed step, reopening what has failed around it (S4, C5)."""
    step = yield from named(flow, place, StepStatus.IN_PROGRESS)
    if step.status is not StepStatus.FAILED:
        raise _refused_step(step, StepStatus.IN_PROGRESS, "only one that is FAILED can be retried")
    yield from _reopen(flow, place.execution_id)
    agenda: Agenda = deque()
    links: list[Link] = []
    if step.type is StepType.SYS_SUB_WORKFLOW:
        links = yield from children.links_of(flow.tree, step)
    fresh = flow.renew(step, is_entry=True, reason=reason)
    if step.type is StepType.GATEWAY_PARALLEL_JOIN:
        flow.collect(fresh, *step.entered_by)  # it opens as any join does (F5)
    else:
        yield from flow.enter(fresh, None, agenda, kept=links)
    yield from flow.finish(place.execution_id, agenda)


def disable(flow: Flow, place: Place, reason: str | None) -> Decision[None]:
    """Take a step out: flow goes through it. A Failed one is skipped by a new attempt (S5, S7)."""
    step = yield from named(flow, place, StepStatus.DISABLED)
    if not step.type.waits:
        raise _moves_by_itself(step, StepStatus.DISABLED)
    if step.status not in _DISABLABLE:
        raise _refused_step(step, StepStatus.DISABLED)
    agenda: Agenda = deque()
    tree = flow.tree
    if step.status is StepStatus.FAILED:
        yield from _reopen(flow, place.execution_id)
        step = attempts.next_attempt(tree, step, flow.ids.new_step_id, is_entry=True)
        is_reached = True
    else:
        _require_open(tree.executions[place.execution_id], step, StepStatus.DISABLED)
        is_reached = step.status is StepStatus.IN_PROGRESS
    fields: dict[str, Any] = {"is_overridden": True, "reason": reason}
    if is_reached:
        fields["passed_at"] = tree.now
    stopped = activation.disable(tree, step, DisabledBy.COMMAND, **fields)
    if is_reached:
        yield from children.cancel_children(tree, stopped)
        yield from flow.leave(stopped, agenda)
    yield from flow.finish(place.execution_id, agenda)


def enable(flow: Flow, place: Place, reason: str | None) -> Decision[None]:
    """Take a step in again that flow has not passed yet (S7)."""
    step = yield from named(flow, place, StepStatus.NOT_STARTED)
    if step.status is not StepStatus.DISABLED or step.passed_at is not None:
        raise _refused_step(step, StepStatus.NOT_STARTED, "flow has passed it already")
    _require_open(flow.tree.executions[place.execution_id], step, StepStatus.NOT_STARTED)
    activation.enable(flow.tree, step, is_overridden=True, reason=reason)


def release(flow: Flow, place: Place, token: str | None, reason: str | None) -> Decision[None]:
    """Take a step from whoever has it; without a token as a supervisor, who may take any that is claimed (T3)."""
    step = yield from named(flow, place, StepStatus.IN_PROGRESS)
    if token is not None:
        yield from claims.require_token(flow, step, token)
    elif not (yield from claims.is_held(flow, step)):
        raise ClaimLost(None)
    claims.release(flow.tree, flow.tree.current(step), reason)


def cancel(flow: Flow, execution_id: str, reason: str | None) -> Decision[None]:
    """Cancel an execution and what runs below it, from the top down (C3, S6)."""
    execution = yield from flow.loaded(execution_id)
    if not may_become(execution.runtime_status, ExecutionStatus.CANCELLED):
        raise _refused_execution(execution, ExecutionStatus.CANCELLED)
    yield LoadRunning(execution_id)
    children.cancel_loaded(flow.tree, execution_id, reason)
    yield from flow.tell_parents(execution_id)


def update_context(flow: Flow, execution_id: str, patch: JSONObject) -> Decision[None]:
    """Apply an RFC 7396 merge patch to the context; policies are read again (I2, S5)."""
    execution = yield from flow.loaded(execution_id)
    status = execution.runtime_status
    if status in _OVER:
        message = f"Execution {execution.name!r} is {status.name}: its context does not change any more."
        raise InvalidTransition(execution.id, status.name, status.name, (), message)
    if execution_id not in flow.tree.with_data:
        yield LoadData(execution_id)
    context = merged(flow.tree.contexts[execution_id], patch)
    size = json_size(context)
    if size > flow.limits.context_bytes:
        raise LimitExceeded("bytes of context", size, flow.limits.context_bytes)
    require_valid(flow.tree.definition_of(execution_id).context_schema, context, "The context", "/context")
    flow.tree.set_context(execution_id, context)
    yield from flow.continue_after(execution_id, [], data_changed=True)


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396: objects are merged, null removes, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


# What nothing reopens.
_OVER = (ExecutionStatus.COMPLETED, ExecutionStatus.CANCELLED)
_DISABLABLE = (StepStatus.NOT_STARTED, StepStatus.IN_PROGRESS, StepStatus.FAILED)


def named(flow: Flow, place: Place, wanted: StepStatus) -> Decision[Step]:
    """The attempt that a command names; commands act on current attempts only (S7)."""
    tree = flow.tree
    yield from flow.loaded(place.execution_id)
    attempt_id = place.step_execution_id
    current = next((step for step in tree.steps[place.execution_id].values() if step.id == attempt_id), None)
    if current is not None:
        return current
    here = next((step.status for step in tree.replaced if step.id == attempt_id), None)
    status: StepStatus = here or (yield FindStatus(attempt_id))
    message = "This attempt has been replaced by a newer one; commands act on the current attempt."
    raise InvalidTransition(attempt_id, status.name, wanted.name, (), message)


def _task(flow: Flow, place: Place, wanted: StepStatus) -> Decision[Step]:
    """`completeStep` and `failStep` act on what waits for a person or a worker (S7)."""
    step = yield from named(flow, place, wanted)
    if not step.type.is_task:
        raise _moves_by_itself(step, wanted)
    if not may_become(step.status, wanted):
        raise _refused_step(step, wanted)
    return step


def _reopen(flow: Flow, execution_id: str) -> Decision[None]:
    """Reopen an execution and the failed ones above it, from the top down (C5); refused before anything changes."""
    execution = yield from flow.loaded(execution_id)
    line = yield from _line_above(flow, execution)
    if execution.runtime_status not in (ExecutionStatus.IN_PROGRESS, ExecutionStatus.FAILED):
        raise _refused_execution(execution, ExecutionStatus.IN_PROGRESS)
    if execution.runtime_status is ExecutionStatus.IN_PROGRESS:
        return
    for parent, step, child in reversed(line):
        _reopen_execution(flow, parent.id)
        yield from _wait_again(flow, step, child)
    _reopen_execution(flow, execution_id)


def _line_above(flow: Flow, execution: Execution) -> Decision[list[tuple[Execution, Step, Execution]]]:
    """Parent, its current attempt that lists the child, and the child, from here to the root."""
    line = []
    child = execution
    while child.parent_id is not None:
        parent = yield from flow.loaded(child.parent_id)
        if parent.runtime_status in _OVER:
            raise _refused_execution(parent, ExecutionStatus.IN_PROGRESS)
        steps = flow.tree.steps[parent.id].values()
        step = next((each for each in steps if each.id == child.parent_step_id and each.is_live), None)
        if step is None:
            raise _on_its_own(child)
        line.append((parent, step, child))
        child = parent
    return line


def _reopen_execution(flow: Flow, execution_id: str) -> None:
    if flow.tree.executions[execution_id].runtime_status is ExecutionStatus.FAILED:
        flow.tree.move_execution(execution_id, ExecutionStatus.IN_PROGRESS, ChangeKind.EXECUTION_REOPENED)


def _wait_again(flow: Flow, step: Step, child: Execution) -> Decision[None]:
    """The step above waits for the child again: it goes on, or a new attempt has the same children (C5)."""
    tree = flow.tree
    step = tree.current(step)
    was_over = child.runtime_status is ExecutionStatus.FAILED
    if step.status is StepStatus.IN_PROGRESS:
        tree.count_children(step, (step.open_children or 0) + was_over)
        return
    links = yield from children.links_of(tree, step)
    fresh = attempts.next_attempt(tree, step, flow.ids.new_step_id, is_entry=True)
    begun = flow.begin(fresh)
    running = sum(link.status is ExecutionStatus.IN_PROGRESS for link in links)
    children.take_over(tree, begun, links)
    tree.count_children(begun, running + was_over)


def _after(now: datetime, policy: RetryPolicy, failures: int) -> datetime:
    """now + backoff × backoffRateⁿ⁻¹ (S4)."""
    assert policy.backoff is not None
    backoff = parse_duration(policy.backoff, months_allowed=False)
    first = add(now, backoff) - now
    try:
        return now + timedelta(seconds=first.total_seconds() * policy.backoff_rate ** (failures - 1))
    except OverflowError:
        return datetime.max.replace(tzinfo=now.tzinfo, microsecond=0)


def _require_open(execution: Execution, step: Step, wanted: StepStatus) -> None:
    if execution.runtime_status in _OVER:
        raise _untabled(step, wanted, f"its execution is {execution.runtime_status.name}")


def _refused_step(step: Step, wanted: StepStatus, rule: str = "") -> InvalidTransition:
    """By the table; where the table has the arrow, but not for this command, by the command's own `rule`."""
    if may_become(step.status, wanted):
        return _untabled(step, wanted, rule)
    return _refused(step.id, f"Step {step.step_id!r}", step.status, wanted)


def _moves_by_itself(step: Step, wanted: StepStatus) -> InvalidTransition:
    message = (
        f"Step {step.step_id!r} is of type {step.type} and moves by itself; this command does not act on it."
    )
    return InvalidTransition(step.id, step.status.name, wanted.name, (), message)


def _untabled(step: Step, wanted: StepStatus, rule: str) -> InvalidTransition:
    message = f"Step {step.step_id!r} is {step.status.name} and cannot become {wanted.name}: {rule}."
    return InvalidTransition(step.id, step.status.name, wanted.name, (), message)


def _refused_execution(execution: Execution, wanted: ExecutionStatus) -> InvalidTransition:
    return _refused(execution.id, f"Execution {execution.name!r}", execution.runtime_status, wanted)


def _refused(node_id: str, subject: str, current: Status, wanted: Status) -> InvalidTransition:
    return InvalidTransition.between(node_id, subject, current, wanted)


def _on_its_own(child: Execution) -> InvalidTransition:
    message = f"Execution {child.name!r} is on its own: no current attempt of a step above waits for it."
    return InvalidTransition(
        child.id, child.runtime_status.name, ExecutionStatus.IN_PROGRESS.name, (), message
    )
