"""What must hold of the rows of a tree after every command (`runtime.md` sections 4 to 6)."""

from collections import defaultdict
from collections.abc import Collection

from db.runtime.definition import StepType
from db.runtime.expressions import cast_to_boolean
from db.runtime.json_values import json_size
from db.runtime.statuses import ExecutionStatus, StepStatus
from db.runtime.sub_workflow import OnParentClose
from db.runtime.values import Execution, Step
from tests.model.memory import MemoryTree
from tests.model.replay import leads_to

ENDED = (ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.CANCELLED)


def check(tree: MemoryTree, touched: Collection[str]) -> None:
    """Every invariant of the executions that a command touched, and of the tree."""
    for execution in [tree.executions[each] for each in touched]:
        attempts = tree.attempts(execution.id)
        current = [step for step in attempts if step.is_current]
        _attempts_are_numbered(tree, execution, attempts)
        _rests(execution, current)
        _end_is_reached(tree, execution, current)
        _joins_wait_for_something(tree, execution, current)
        _policies_are_applied(tree, execution, current)
        for step in attempts:
            _has_the_times_of_its_status(step)
            _was_entered(tree, step, attempts)
            _counts_its_children(tree, step)
            _is_claimed_while_it_waits(step)
    _children_are_tied(tree)
    _is_within_bounds(tree)


def _is_claimed_while_it_waits(step: Step) -> None:
    """T3: a claim is of a person's or a worker's step, and ends with its attempt."""
    claim = (step.claim_worker, step.claim_token, step.claimed_at)
    assert None not in claim or set(claim) == {None}
    assert step.claim_worker is None or (step.type.is_task and step.status is StepStatus.IN_PROGRESS)


def _is_within_bounds(tree: MemoryTree) -> None:
    """C4."""
    assert tree.size == len(tree.executions) <= tree.limits.executions_per_tree
    assert max(each.depth for each in tree.executions.values()) <= tree.limits.nesting_depth
    assert all(len(links) <= tree.limits.batch_items for links in tree.links.values())


def _attempts_are_numbered(tree: MemoryTree, execution: Execution, attempts: list[Step]) -> None:
    """S3: each step has attempts 1 … n, of which exactly the last is current."""
    by_step = defaultdict(list)
    for step in attempts:
        by_step[step.step_id].append(step)
    assert set(by_step) == {step.id for step in tree.definition(execution.id).steps}
    for steps in by_step.values():
        ordered = sorted(steps, key=lambda step: step.attempt)
        assert [step.attempt for step in ordered] == list(range(1, len(ordered) + 1))
        assert [step.is_current for step in ordered] == [False] * (len(ordered) - 1) + [True]


def _rests(execution: Execution, current: list[Step]) -> None:
    """F6, S6: an execution is InProgress exactly while something in it is InProgress or scheduled."""
    waiting = [step.step_id for step in current if step.is_waiting]
    in_progress = execution.runtime_status is ExecutionStatus.IN_PROGRESS
    assert bool(waiting) == in_progress, f"{execution.name} is {execution.runtime_status} and {waiting} wait"
    failed = any(step.status is StepStatus.FAILED for step in current)
    if execution.runtime_status is ExecutionStatus.FAILED:
        assert failed, "F6: an execution is Failed because the current attempt of a step is"
    if execution.runtime_status is ExecutionStatus.COMPLETED:
        assert not failed, "F6: an execution with a Failed step is not Completed"
    if execution.runtime_status is ExecutionStatus.NOT_STARTED:
        assert not any(step.started_at for step in current)


def _end_is_reached(tree: MemoryTree, execution: Execution, current: list[Step]) -> None:
    """F6: `end` completes with its execution, and only when something has arrived at it."""
    end = next(step for step in current if step.type is StepType.END)
    completed = execution.runtime_status is ExecutionStatus.COMPLETED
    assert (end.status is StepStatus.COMPLETED) == completed
    assert not completed or end.entered_by


def _joins_wait_for_something(tree: MemoryTree, execution: Execution, current: list[Step]) -> None:
    """F5: a join at which something has arrived stays closed only because of a live step that can reach it."""
    if execution.runtime_status is not ExecutionStatus.IN_PROGRESS:
        return
    definition = tree.definition(execution.id)
    live = [step.step_id for step in current if step.status in (StepStatus.IN_PROGRESS, StepStatus.FAILED)]
    for join in current:
        if (
            join.type is StepType.GATEWAY_PARALLEL_JOIN
            and join.status is StepStatus.NOT_STARTED
            and join.entered_by
        ):
            assert any(
                leads_to(definition, step_id, join.step_id) for step_id in live if step_id != join.step_id
            )


def _policies_are_applied(tree: MemoryTree, execution: Execution, current: list[Step]) -> None:
    """S5: an attempt that has not ended stands as its policy says, unless a command outranks it.

    Policies over the context only: one that reads an output is not read again when a new attempt hides the output.
    """
    if execution.runtime_status is ExecutionStatus.CANCELLED:
        return
    definition = tree.definition(execution.id)
    for step in current:
        policy = definition.step(step.step_id).activation_policy
        if policy is None or policy.enabled_when is None or "__steps__" in policy.enabled_when.src:
            continue
        if step.is_overridden or step.has_ended or step.status is StepStatus.FAILED:
            continue
        if step.type is StepType.SYS_SUB_WORKFLOW and step.attempt > 1 and not step.entered_by:
            continue  # a child of it was retried (C5): it waits again, and its policy is read at the next change
        answer = tree.evaluate(policy.enabled_when.src, {"__context__": tree.context(execution.id)})
        if answer.error is None:
            assert (step.status is StepStatus.DISABLED) != cast_to_boolean(answer.value), (
                f"S5: {step.step_id}"
            )


def _has_the_times_of_its_status(step: Step) -> None:
    """S2, and what the database's constraints say."""
    assert (step.status is StepStatus.COMPLETED) == (step.completed_at is not None)
    assert (
        (step.status is StepStatus.FAILED) == (step.failed_at is not None) == (step.failure_code is not None)
    )
    assert (
        (step.status is StepStatus.DISABLED)
        == (step.disabled_at is not None)
        == (step.disabled_by is not None)
    )
    assert step.passed_at is None or step.status is StepStatus.DISABLED
    assert step.retry_at is None or step.status is StepStatus.FAILED
    assert step.started_at or step.status in (StepStatus.NOT_STARTED, StepStatus.DISABLED)


def _was_entered(tree: MemoryTree, step: Step, attempts: list[Step]) -> None:
    """What has begun or was passed was come to: by a transition from a step that had ended, or after a failure."""
    if (step.started_at is None and step.passed_at is None) or step.type is StepType.START:
        return
    definition = tree.definition(step.execution_id)
    transitions = {each.id: each for each in definition.incoming(step.step_id)}
    for transition_id in step.entered_by:
        source = transitions[transition_id].from_step_id
        assert any(
            each.status is StepStatus.COMPLETED or each.passed_at
            for each in attempts
            if each.step_id == source
        )
    if not step.entered_by:
        earlier = [
            each for each in attempts if each.step_id == step.step_id and each.attempt == step.attempt - 1
        ]
        assert [each.status for each in earlier] == [StepStatus.FAILED], (
            "S3: only a failure is followed by a retry"
        )


def _counts_its_children(tree: MemoryTree, step: Step) -> None:
    """A sub-workflow step is InProgress exactly while a linked child has not ended, and knows how many."""
    children = tree.children(step.id)
    unended = [child for child in children if child.runtime_status not in ENDED]
    if step.type is StepType.SYS_SUB_WORKFLOW and step.status is StepStatus.IN_PROGRESS:
        assert step.is_current
        assert step.open_children == len(unended) > 0
    else:
        assert step.open_children is None
        workflow = tree.definition(step.execution_id).step(step.step_id).sub_workflow
        abandons = workflow is not None and workflow.on_parent_close is OnParentClose.ABANDON
        assert not step.is_current or not unended or (abandons and step.status is StepStatus.DISABLED)
    if step.type is StepType.SYS_SUB_WORKFLOW and step.status is StepStatus.COMPLETED:
        _shows_its_children(tree, step, children)


def _shows_its_children(tree: MemoryTree, step: Step, children: list[Execution]) -> None:
    """C2: the output of a step whose children have all completed is what they came to."""
    whole = []
    for child in children:
        outputs = {each.step_id: tree.output(each.id) for each in tree.current(child.id)}
        shown = {
            "id": child.id,
            "index": child.child_index,
            "name": child.name,
            "runtimeStatus": "Completed",
            "context": tree.context(child.id),
            "outputs": {step_id: output for step_id, output in outputs.items() if output is not None},
        }
        assert child.runtime_status is ExecutionStatus.COMPLETED
        whole.append(shown)
    if json_size({"children": whole}) > tree.limits.output_bytes:
        bare = [{key: each[key] for key in ("id", "index", "name", "runtimeStatus")} for each in whole]
        assert tree.output(step.id) == {"children": bare, "truncated": True}
    else:
        assert tree.output(step.id) == {"children": whole}


def _children_are_tied(tree: MemoryTree) -> None:
    """C1: a child knows its parent, its root, its place, and the newest attempt that lists it."""
    newest: dict[str, Step] = {}
    for attempt_id, links in tree.links.items():
        attempt = tree.steps[attempt_id]
        for index, (_, child_id) in links.items():
            child = tree.executions[child_id]
            assert (child.parent_id, child.child_index) == (attempt.execution_id, index)
            if child_id not in newest or newest[child_id].attempt < attempt.attempt:
                newest[child_id] = attempt
    for execution in tree.executions.values():
        parent = tree.executions.get(execution.parent_id or "")
        assert execution.root_id == tree.root_id
        assert execution.path == (f"{parent.path if parent else ''}{execution.id}/")
        assert execution.depth == (parent.depth + 1 if parent else 0)
        if parent is not None:
            assert execution.parent_step_id == newest[execution.id].id
            assert execution.correlation_id == parent.correlation_id
