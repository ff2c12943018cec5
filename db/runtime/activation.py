"""Whether a step takes part (S5): policies, and what disables and enables attempts."""

from collections.abc import Iterable
from typing import Any

from db.runtime.changes import ChangeKind
from db.runtime.effects import Decision, Evaluate, Evaluated
from db.runtime.expression_input import expression_input
from db.runtime.expressions import NOTHING, cast_to_boolean
from db.runtime.failures import StepFailure, require_evaluated
from db.runtime.statuses import StepStatus
from db.runtime.tree import JSONObject, Tree
from db.runtime.values import DisabledBy, Step


def read_first(tree: Tree, execution_id: str) -> Decision[None]:
    """The defaults and policies of a new execution's first attempts (F1, S5)."""
    steps = tree.steps[execution_id].values()
    apply_defaults(tree, steps)
    yield from apply_policies(tree, steps)


def enabled_when(tree: Tree, step: Step) -> str | None:
    """The source of a step's policy."""
    policy = tree.step_definition(step).activation_policy
    return policy.enabled_when.src if policy and policy.enabled_when else None


def apply_policies(tree: Tree, steps: Iterable[Step]) -> Decision[list[Step]]:
    """Read the policies of attempts in definition order; returns those that were InProgress and are now Disabled.

    A policy that fails leaves its attempt as it stands until flow arrives.
    """
    stopped = []
    for step in list(steps):
        if not _is_subject(tree, step):
            continue
        answer = yield from _read(tree, step)
        after = _applied(tree, tree.current(step), answer)
        if step.status is StepStatus.IN_PROGRESS and after.status is StepStatus.DISABLED:
            stopped.append(after)
    return stopped


def apply_defaults(tree: Tree, steps: Iterable[Step]) -> None:
    """Attempts that begin Disabled; `defaultStatus` is not read where there is an `enabledWhen`."""
    for step in list(steps):
        policy = tree.step_definition(step).activation_policy
        if policy and policy.enabled_when is None and policy.default_status is StepStatus.DISABLED:
            disable(tree, tree.current(step), DisabledBy.DEFAULT)


def read_on_arrival(tree: Tree, step: Step) -> Decision[StepFailure | None]:
    """Read the policy as flow arrives at an attempt; returns why it cannot be read, if it cannot (X2)."""
    if not _is_subject(tree, step):
        return None
    answer = yield from _read(tree, step)
    _applied(tree, step, answer)
    try:
        require_evaluated("The policy", enabled_when(tree, step) or "", [answer])
    except StepFailure as failure:
        return failure
    return None


def disable(tree: Tree, step: Step, by: DisabledBy, **fields: Any) -> Step:
    """Make an attempt Disabled."""
    return tree.move_step(
        step, StepStatus.DISABLED, ChangeKind.STEP_DISABLED, disabled_by=by, open_children=None, **fields
    )


def enable(tree: Tree, step: Step, **fields: Any) -> Step:
    """Make a Disabled attempt NotStarted again."""
    return tree.move_step(
        step._replace(disabled_at=None, disabled_by=None),
        StepStatus.NOT_STARTED,
        ChangeKind.STEP_ENABLED,
        **fields,
    )


def _is_subject(tree: Tree, step: Step) -> bool:
    """A policy is read for attempts that have not ended and that no command has overruled."""
    readable = step.status is not StepStatus.FAILED and not step.has_ended and not step.is_overridden
    return readable and enabled_when(tree, step) is not None


def _read(tree: Tree, step: Step) -> Decision[Evaluated]:
    data = yield from expression_input(tree, step.execution_id)
    answers: list[Evaluated] = yield Evaluate(((enabled_when(tree, step) or "", data),), record_reads=True)
    return answers[0]


def _applied(tree: Tree, step: Step, answer: Evaluated) -> Step:
    if answer.error is not None:
        return step
    wanted, is_disabled = cast_to_boolean(answer.value), step.status is StepStatus.DISABLED
    if wanted is not is_disabled:
        return step
    detail = _detail(tree, step, answer)
    if wanted:
        return enable(tree, step, detail=detail)
    return disable(tree, step, DisabledBy.POLICY, detail=detail)


def _detail(tree: Tree, step: Step, answer: Evaluated) -> JSONObject:
    """The expression and what it read, for `explainStep`."""
    reads = [{"path": path, "value": None if value is NOTHING else value} for path, value in answer.reads]
    return {"expression": enabled_when(tree, step), "reads": reads}
