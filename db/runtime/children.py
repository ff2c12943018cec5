"""Sub-workflow steps (`runtime.md` section 6): what children they start, and what those come to."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

import orjson

from db.runtime import activation, attempts
from db.runtime.changes import ChangeKind
from db.runtime.effects import (
    ChildResult,
    ChildVersion,
    Decision,
    Evaluate,
    Evaluated,
    FindChildVersion,
    FindLinks,
    FindResults,
    Link,
    LoadRunning,
    Results,
    pause_after,
)
from db.runtime.errors import ValidationFailed
from db.runtime.expression_input import expression_input, with_item
from db.runtime.expressions import NOTHING, as_items
from db.runtime.failures import StepFailure, require_evaluated
from db.runtime.json_values import json_size
from db.runtime.limits import Limits
from db.runtime.mappings import child_contexts
from db.runtime.schemas import require_valid
from db.runtime.statuses import ExecutionStatus, StepStatus
from db.runtime.sub_workflow import OnParentClose, SubWorkflow, SubWorkflowMode
from db.runtime.tree import JSONObject, Tree
from db.runtime.values import DisabledBy, Execution, Step

SHOWN_IDS = 20
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Ids:
    """Makers of ids."""

    new_execution_id: Callable[[], str]
    new_step_id: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Item:
    """A place in a batch and what its child is started for; the one of a SINGLE step has no value."""

    index: int
    value: Any


def items_of(tree: Tree, step: Step) -> Decision[list[Item]]:
    """The items of a step's children (C1); raises `StepFailure`."""
    workflow = _workflow(tree, step)
    if workflow.mode is SubWorkflowMode.SINGLE or workflow.iterable is None:
        return [Item(0, None)]
    data = yield from expression_input(tree, step.execution_id)
    iterable = workflow.iterable
    if iterable.step_id is not None:
        output = data["__steps__"].get(iterable.step_id, {}).get("outputData")
        if iterable.expression is None:
            return [Item(index, value) for index, value in enumerate(as_items(output))]
        # The selection reads the output itself; the usual names are there as well.
        data = {**(output if isinstance(output, dict) else {}), **data}
    assert iterable.expression is not None
    answers: list[Evaluated] = yield Evaluate(((iterable.expression.src, data),))
    require_evaluated("The iterable", iterable.expression.src, answers)
    return [Item(index, value) for index, value in enumerate(as_items(answers[0].value))]


def create_children(
    tree: Tree, step: Step, items: list[Item], ids: Ids, limits: Limits, started: int
) -> Decision[list[str]]:
    """Create a child for each item, linked to the attempt; all of them or, raising `StepFailure`, none.

    `started` is how many executions this command has started so far. Returns the children's ids in index order.
    """
    if not items:
        return []
    _require_room(tree, step, len(items), limits, started)
    workflow = _workflow(tree, step)
    version: ChildVersion | None = yield FindChildVersion(workflow.template_version_id, workflow.template_key)
    if version is None:
        named = workflow.template_key or workflow.template_version_id
        raise StepFailure(
            "CHILD_UNAVAILABLE", f"There is no version of {named!r} that can be run as a child."
        )
    tree.definitions[version.version_id] = version.definition
    contexts = yield from _contexts(tree, step, items, version, limits)
    names = yield from _names(tree, step, items, version)
    created = []
    for number, (item, context, name) in enumerate(zip(items, contexts, names, strict=True)):
        yield from pause_after(number)
        link = _create(tree, step, version, item, context, name, ids)
        yield from activation.read_first(tree, link.child_id)
        created.append(link.child_id)
    return created


def links_of(tree: Tree, step: Step) -> Decision[list[Link]]:
    """The children of an attempt in index order, as the tree stands now."""
    stored: list[Link] = [] if step.id in tree.created else (yield FindLinks(step.id))
    made = [link for step_id, link in tree.links if step_id == step.id]
    return [_as_now(tree, link) for link in sorted((*stored, *made), key=attrgetter("index"))]


def cancel_children(tree: Tree, step: Step) -> Decision[None]:
    """A sub-workflow step that is stopped takes its running children along, unless they are to be left (S5)."""
    workflow = tree.step_definition(step).sub_workflow
    if workflow is None or workflow.on_parent_close is OnParentClose.ABANDON:
        return
    yield LoadRunning(step.execution_id)
    below = _running_by_parent(tree)
    for child in below[step.execution_id]:
        if child.parent_step_id == step.id:
            _cancel(tree, child.id, f"Step {step.step_id!r} of the parent was disabled.", below)


def cancel_loaded(tree: Tree, execution_id: str, reason: str | None) -> None:
    """Cancel an execution and what runs below it, from the top down (C3, S6); all of it is in the tree."""
    _cancel(tree, execution_id, reason, _running_by_parent(tree))


def _running_by_parent(tree: Tree) -> dict[str | None, list[Execution]]:
    below: dict[str | None, list[Execution]] = defaultdict(list)
    for execution in tree.executions.values():
        if execution.runtime_status is ExecutionStatus.IN_PROGRESS:
            below[execution.parent_id].append(execution)
    return below


def _cancel(
    tree: Tree, execution_id: str, reason: str | None, below: dict[str | None, list[Execution]]
) -> None:
    tree.move_execution(
        execution_id, ExecutionStatus.CANCELLED, ChangeKind.EXECUTION_CANCELLED, reason=reason
    )
    for step in list(tree.steps[execution_id].values()):
        if step.status is StepStatus.IN_PROGRESS:
            tree.move_step(
                step,
                StepStatus.DISABLED,
                ChangeKind.STEP_DISABLED,
                disabled_by=DisabledBy.CANCEL,
                open_children=None,
            )
        elif step.is_scheduled:
            tree.change_step(step._replace(retry_at=None), ChangeKind.STEP_RETRY_SCHEDULED, step.status)
    for child in below[execution_id]:
        if _goes_along(tree, child):
            _cancel(tree, child.id, reason, below)


def result_of(tree: Tree, step: Step, limits: Limits) -> Decision[JSONObject]:
    """The output of a step all of whose children have ended; raises `StepFailure` if one did not complete (C2)."""
    links = yield from links_of(tree, step)
    unlucky = [link.child_id for link in links if link.status is not ExecutionStatus.COMPLETED]
    if unlucky:
        shown = ", ".join(unlucky[:SHOWN_IDS]) + (", …" if len(unlucky) > SHOWN_IDS else "")
        raise StepFailure(
            "CHILD_FAILED", f"{len(unlucky)} of {len(links)} children did not complete: {shown}."
        )
    stored = tuple(link.child_id for link in links if link.child_id not in tree.created)
    results: Results = yield FindResults(stored, limits.output_bytes)
    bare = [_shown(link, name) for link, name in zip(links, _child_names(tree, links, results), strict=True)]
    if results.complete:
        found = {child.id: child for child in results.children}
        whole = {"children": [{**each, **_data(tree, each["id"], found.get(each["id"]))} for each in bare]}
        if json_size(whole) <= limits.output_bytes:
            return whole
    return {"children": bare, "truncated": True}


def _workflow(tree: Tree, step: Step) -> SubWorkflow:
    workflow = tree.step_definition(step).sub_workflow
    assert workflow is not None, "only called for sys.sub_workflow"
    return workflow


def _require_room(tree: Tree, step: Step, wanted: int, limits: Limits, started: int) -> None:
    depth = tree.executions[step.execution_id].depth + 1
    for what, actual, maximum in (
        ("items of the batch", wanted, limits.batch_items),
        ("nesting depth", depth, limits.nesting_depth),
        ("executions of the tree", tree.size + wanted, limits.executions_per_tree),
        ("executions started by one command", started + wanted, limits.executions_per_command),
    ):
        if wanted and actual > maximum:
            raise StepFailure("LIMIT_EXCEEDED", f"{what}: {actual}; at most {maximum} are allowed.")


def _contexts(
    tree: Tree, step: Step, items: list[Item], version: ChildVersion, limits: Limits
) -> Decision[list[JSONObject]]:
    inputs = yield from _inputs(tree, step, items)
    contexts = yield from child_contexts(_workflow(tree, step).input_mapping, inputs)
    total = tree.created_bytes
    for context in contexts:
        total += _require_fit(context, version, limits)
        if total > limits.contexts_bytes_per_command:
            raise StepFailure(
                "LIMIT_EXCEEDED",
                "The contexts of the children that one command creates have more than "
                f"{limits.contexts_bytes_per_command} bytes together, which is not allowed.",
            )
    tree.created_bytes = total
    return contexts


def _inputs(tree: Tree, step: Step, items: list[Item]) -> Decision[list[JSONObject]]:
    """What the expressions of each child read: `__each__` is the item of a batch, and is not there without one."""
    data = yield from expression_input(tree, step.execution_id)
    if _workflow(tree, step).mode is SubWorkflowMode.SINGLE:
        return [data]
    return [with_item(data, item.value) for item in items]


def _require_fit(context: JSONObject, version: ChildVersion, limits: Limits) -> int:
    """The context's size in bytes; raises `StepFailure`."""
    size = json_size(context)
    if size > limits.context_bytes:
        raise StepFailure(
            "LIMIT_EXCEEDED",
            f"A child's context has {size} bytes; at most {limits.context_bytes} are allowed.",
        )
    try:
        require_valid(version.definition.context_schema, context, "The child's context")
    except ValidationFailed as error:
        first = error.issues[0]
        raise StepFailure(
            "CHILD_CONTEXT_INVALID", f"{error.message} {first.path or '/'}: {first.message}"
        ) from error
    return size


def _names(tree: Tree, step: Step, items: list[Item], version: ChildVersion) -> Decision[list[str]]:
    expression = _workflow(tree, step).child_name
    if expression is None:
        return [version.template_name] * len(items)
    inputs = yield from _inputs(tree, step, items)
    answers: list[Evaluated] = yield Evaluate(tuple((expression.src, data) for data in inputs))
    require_evaluated("childWorkflowName", expression.src, answers)
    return [_name(answer.value, version.template_name) for answer in answers]


def _name(value: Any, otherwise: str) -> str:
    if value is NOTHING or value is None or value == "":
        return otherwise
    # As JSONata's `$string` has it: a text is itself, everything else its JSON.
    return (value if isinstance(value, str) else orjson.dumps(value).decode())[:LONGEST_NAME]


def _create(
    tree: Tree, step: Step, version: ChildVersion, item: Item, context: JSONObject, name: str, ids: Ids
) -> Link:
    parent = tree.executions[step.execution_id]
    child_id = ids.new_execution_id()
    child = Execution(
        id=child_id,
        root_id=tree.root_id,
        path=f"{parent.path}{child_id}/",
        version_id=version.version_id,
        name=name,
        correlation_id=parent.correlation_id,
        runtime_status=ExecutionStatus.NOT_STARTED,
        created_at=tree.now,
        revision=0,
        parent_id=parent.id,
        parent_step_id=step.id,
        depth=parent.depth + 1,
        child_index=item.index,
    )
    steps = attempts.first_attempts(tree, child, version.definition, ids.new_step_id)
    tree.create(child, steps, context, item=item.value)
    link = Link(item.index, item.value, child_id, ExecutionStatus.NOT_STARTED)
    tree.links.append((step.id, link))
    return link


def _as_now(tree: Tree, link: Link) -> Link:
    child = tree.executions.get(link.child_id)
    return link if child is None else replace(link, status=child.runtime_status)


def _goes_along(tree: Tree, child: Execution) -> bool:
    """Whether a child is cancelled with its parent; the step that started it says so."""
    assert child.parent_id is not None
    starters = tree.steps[child.parent_id].values()
    starter = next((step for step in starters if step.id == child.parent_step_id), None)
    # One that runs though the attempt that started it has been replaced was abandoned by it (S5).
    return starter is not None and _workflow(tree, starter).on_parent_close is OnParentClose.CANCEL


def _child_names(tree: Tree, links: list[Link], results: Results) -> list[str]:
    names = {child.id: child.name for child in results.children}
    return [names.get(link.child_id) or tree.executions[link.child_id].name for link in links]


def _shown(link: Link, name: str) -> JSONObject:
    """A child in the output of the step that ran it, in the seed's spelling."""
    return {"id": link.child_id, "index": link.index, "name": name, "runtimeStatus": link.status.value}


def _data(tree: Tree, child_id: str, stored: ChildResult | None) -> JSONObject:
    """A child's context and outputs: what this command wrote, over what was stored."""
    context = tree.contexts.get(child_id, stored.context if stored else None)
    outputs = dict(stored.outputs) if stored else {}
    for step in tree.steps.get(child_id, {}).values():
        if step.id in tree.outputs:
            outputs[step.step_id] = tree.outputs[step.id]
        elif step.id in tree.created:
            outputs.pop(step.step_id, None)  # what is stored is an earlier attempt's
    return {"context": context, "outputs": outputs}


def items_to_repeat(links: Sequence[Link]) -> list[Item]:
    """The items whose child did not complete: each gets a new child (C5)."""
    return [Item(link.index, link.item) for link in links if link.status is not ExecutionStatus.COMPLETED]


def take_over(tree: Tree, step: Step, links: Sequence[Link]) -> None:
    """A new attempt lists the children of an earlier one; `parentStep` of each is then the new attempt (C5)."""
    for link in links:
        tree.links.append((step.id, link))
        tree.adopt(link.child_id, step.id)
