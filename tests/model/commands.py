"""Random commands on a tree, and which of them `runtime.md` S7 and C5 let through: told apart from the runtime."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from db.runtime.errors import Refusal
from db.runtime.statuses import ExecutionStatus, StepStatus
from db.runtime.values import Execution, Step
from tests.model.memory import MemoryTree
from tests.model.random_definitions import Choose

JSON = dict[str, Any]

OVER = (ExecutionStatus.COMPLETED, ExecutionStatus.CANCELLED)
GOOD = {"ok": True, "again": False, "items": [{"id": 1}]}
OUTPUTS: list[JSON] = [
    GOOD,
    {"ok": False, "items": []},
    {"ok": True, "again": True, "items": [{"id": 1}, {"id": 2}, 3]},
    {},
]
PATCHES: list[JSON] = [
    {"a": 1, "items": [{"id": 1}, {"id": 2}]},
    {"a": 0, "b": True, "items": None},
    {"b": None, "items": [7]},
    {"bad": True},
    {"bad": None, "b": False},
]
WEIGHTS = {
    "complete": 10,
    "fail": 3,
    "retry": 3,
    "disable": 2,
    "enable": 2,
    "update_context": 2,
    "cancel": 1,
    "start": 1,
    "claim": 6,
    "release": 4,
}
# Longer than a walk: a lease that passes has tests of its own.
WORKER, LEASE = "worker", 86_400
KINDS = [kind for kind, weight in WEIGHTS.items() for _ in range(weight)]


@dataclass(frozen=True)
class Command:
    """What is done to which execution or attempt, with what."""

    kind: str
    target: str
    payload: JSON = field(default_factory=dict)

    def run(self, tree: MemoryTree) -> bool:
        """Give the command, as whoever has the step; returns whether it was carried out."""
        arguments: list[Any] = [self.payload] if self.kind in ("complete", "update_context") else []
        if self.kind == "claim":
            return bool(tree.claim(self.target, worker=WORKER, lease_seconds=LEASE))
        token = {"token": tree.steps[self.target].claim_token} if self.kind in ("complete", "fail") else {}
        try:
            getattr(tree, self.kind)(self.target, *arguments, **token)
        except Refusal:
            return False
        return True


def random_command(choose: Choose, tree: MemoryTree, kinds: Sequence[str] = KINDS) -> Command:
    """Mostly one that does something; now and then any command on anything."""
    kind = kinds[choose(len(kinds))]
    on_execution = kind in ("start", "cancel", "update_context")
    rows: dict[str, Any] = dict(tree.executions if on_execution else tree.steps)
    likely = [key for key, row in rows.items() if _is_likely(kind, row)]
    among = likely if likely and choose(10) < 9 else list(rows)
    target = among[choose(len(among))]
    payloads = {"complete": OUTPUTS, "update_context": PATCHES}.get(kind)
    return Command(kind, target, payloads[choose(len(payloads))] if payloads else {})


def _is_likely(kind: str, row: Any) -> bool:
    match kind:
        case "complete" | "fail":
            return bool(row.type.is_task and row.status is StepStatus.IN_PROGRESS)
        case "claim" | "release":
            return row.status is StepStatus.IN_PROGRESS and (row.claim_worker is None) == (kind == "claim")
        case "retry":
            return row.status is StepStatus.FAILED and row.is_current
        case "disable":
            return row.type.waits and row.is_current and row.status is not StepStatus.COMPLETED
        case "enable":
            return row.status is StepStatus.DISABLED and row.is_current
        case "start":
            return row.runtime_status is ExecutionStatus.NOT_STARTED
        case "cancel":
            return row.runtime_status is ExecutionStatus.IN_PROGRESS
        case _:
            return row.runtime_status not in OVER


def is_allowed(tree: MemoryTree, command: Command) -> bool:
    """S7: whether the command acts on what it names, as the rows stand now."""
    if command.target in tree.executions:
        status = tree.executions[command.target].runtime_status
        return {
            "start": status is ExecutionStatus.NOT_STARTED,
            "cancel": status is ExecutionStatus.IN_PROGRESS,
            "update_context": status not in OVER,
        }[command.kind]
    step = tree.steps[command.target]
    return step.is_current and _ON_STEPS[command.kind](tree, step, command.payload)


def _complete(tree: MemoryTree, step: Step, output: JSON) -> bool:
    schema = tree.definition(step.execution_id).step(step.step_id).output_schema
    return _fail(tree, step, output) and (schema is None or "ok" in output)


def _fail(tree: MemoryTree, step: Step, _: JSON) -> bool:
    return step.type.is_task and step.status is StepStatus.IN_PROGRESS


def _claim(tree: MemoryTree, step: Step, _: JSON) -> bool:
    return _fail(tree, step, {}) and step.claim_worker is None


def _release(_: MemoryTree, step: Step, __: JSON) -> bool:
    return step.claim_worker is not None


def _retry(tree: MemoryTree, step: Step, _: JSON) -> bool:
    return step.status is StepStatus.FAILED and _may_reopen(tree, tree.executions[step.execution_id])


def _disable(tree: MemoryTree, step: Step, _: JSON) -> bool:
    if not step.type.waits:
        return False
    if step.status is StepStatus.FAILED:
        return _retry(tree, step, {})
    is_open = tree.executions[step.execution_id].runtime_status not in OVER
    return is_open and step.status in (StepStatus.NOT_STARTED, StepStatus.IN_PROGRESS)


def _enable(tree: MemoryTree, step: Step, _: JSON) -> bool:
    is_open = tree.executions[step.execution_id].runtime_status not in OVER
    return is_open and step.status is StepStatus.DISABLED and step.passed_at is None


_ON_STEPS: dict[str, Callable[[MemoryTree, Step, JSON], bool]] = {
    "complete": _complete,
    "fail": _fail,
    "claim": _claim,
    "release": _release,
    "retry": _retry,
    "disable": _disable,
    "enable": _enable,
}


def _may_reopen(tree: MemoryTree, execution: Execution) -> bool:
    """C5: every ancestor may go on, and waits or has waited in vain for the child by a current attempt."""
    if execution.runtime_status not in (ExecutionStatus.IN_PROGRESS, ExecutionStatus.FAILED):
        return False
    while execution.parent_id is not None:
        parent = tree.executions[execution.parent_id]
        child_id = execution.id
        starters = [
            step
            for step in tree.current(parent.id)
            if any(child == child_id for _, child in tree.links.get(step.id, {}).values())
        ]
        if parent.runtime_status in OVER or not starters or starters[0].status is StepStatus.DISABLED:
            return False
        execution = parent
    return True
