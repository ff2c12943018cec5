"""A tree told by the names of its steps: small definitions written as arrows, commands given by step id."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from db.runtime.claims import Claimed
from db.runtime.errors import Refusal
from db.runtime.limits import Limits
from db.runtime.statuses import ExecutionStatus, StepStatus
from db.runtime.values import Execution, Step
from tests.model import invariants
from tests.model.memory import JSON, Library, MemoryTree
from tests.model.random_definitions import errors_of
from tests.model.replay import Replay

PARALLEL = {"type": "gateway.parallel_split"}
EXCLUSIVE = {"type": "gateway.exclusive_split"}
INCLUSIVE = {"type": "gateway.inclusive_split"}
JOIN = {"type": "gateway.parallel_join"}
NOT_STARTED, IN_PROGRESS, COMPLETED, DISABLED, FAILED = StepStatus


def workflow(
    *ways: str,
    key: str = "root",
    when: dict[str, str] | None = None,
    arrive_disabled: tuple[str, ...] = (),
    context_schema: JSON | None = None,
    **steps: JSON,
) -> JSON:
    """A definition of ways such as `"start > a > end"`.

    A step is a `human.form` unless `steps` has other keys for it. `when` has conditions by arrow (`"split > a"`); the
    other arrow of a conditional split is its default. Transitions are named by their arrows: `start-a`.
    """
    arrows = list(dict.fromkeys(arrow for way in ways for arrow in _arrows(way)))
    ids = list(dict.fromkeys(step_id for way in ways for step_id in way.split(" > ")))
    types = {"start": {"type": "start"}, "end": {"type": "end"}, **steps}
    raw: JSON = {
        "id": key,
        "name": key.title(),
        "steps": [
            {"id": each, "name": each.title(), "type": "human.form", **types.get(each, {})} for each in ids
        ],
        "stepTransitions": [_transition(*arrow, types, when or {}, arrive_disabled) for arrow in arrows],
    }
    return raw if context_schema is None else {**raw, "contextSchema": context_schema}


def _arrows(way: str) -> list[tuple[str, str]]:
    ids = way.split(" > ")
    return list(pairwise(ids))


def _transition(origin: str, target: str, types: JSON, when: JSON, arrive_disabled: tuple[str, ...]) -> JSON:
    arrow = f"{origin} > {target}"
    transition: JSON = {"id": f"{origin}-{target}", "fromStepId": origin, "toStepId": target}
    if arrow in when:
        transition["condition"] = {"src": when[arrow]}
    elif types.get(origin, {}).get("type") in (EXCLUSIVE["type"], INCLUSIVE["type"]):
        transition["isDefault"] = True
    if arrow in arrive_disabled:
        transition["onArrival"] = {"status": "Disabled"}
    return transition


def enabled_when(src: str, **keys: Any) -> JSON:
    return {"activationPolicy": {"enabledWhen": {"src": src}, **keys}}


def child(key: str, **keys: Any) -> JSON:
    """A step that runs one child."""
    return {"type": "sys.sub_workflow", "mode": "SINGLE", "childWorkflowTemplateKey": key, **keys}


def batch(key: str, items: str = "__context__.items", **keys: Any) -> JSON:
    """A step that runs a child for each item."""
    return child(key, **{"mode": "BATCH", "iterable": {"type": "EXPRESSION", "expr": {"src": items}}, **keys})


def parent(kids: JSON, **keys: Any) -> JSON:
    """`kids`, then `after`."""
    return workflow("start > kids > after > end", kids=kids, **keys)


def constant(target: str, value: Any, **keys: Any) -> JSON:
    return {"targetPath": target, "value": {"type": "const", "value": value}, **keys}


def field(target: str, source: str, path: str, **keys: Any) -> JSON:
    step = {"stepId": keys.pop("step")} if "step" in keys else {}
    return {
        "targetPath": target,
        "value": {"type": "field", "ref": {"source": source, "path": path, **step}},
        **keys,
    }


def expression(target: str, src: str, **keys: Any) -> JSON:
    return {"targetPath": target, "value": {"type": "expr", "expr": {"src": src}}, **keys}


class Story:
    """One tree. Every command is followed by all that the model checks of rows and journal."""

    def __init__(
        self,
        *raws: JSON,
        context: JSON | None = None,
        start: bool = True,
        limits: Limits | None = None,
    ) -> None:
        for number, raw in enumerate(raws):
            assert not errors_of(raw, list(raws[:number])), errors_of(raw, list(raws[:number]))
        self.library = Library(*raws)
        self.tree = MemoryTree(self.library, limits or Limits())
        self._replay = Replay(self.tree)
        self.tree.create(raws[-1]["id"], context, start=start)
        self._check()

    @property
    def root(self) -> Execution:
        return self.tree.executions[self.tree.root_id]

    def status(self) -> ExecutionStatus:
        """Of the root."""
        return self.root.runtime_status

    def step(self, step_id: str, within: Execution | None = None) -> Step:
        """The current attempt."""
        return self.tree.step(step_id, within.id if within else None)

    def statuses(self, *step_ids: str, within: Execution | None = None) -> list[StepStatus]:
        """Of the current attempts."""
        return [self.step(step_id, within).status for step_id in step_ids]

    def attempts(self, step_id: str, within: Execution | None = None) -> list[Step]:
        """All attempts at a step, the first one first."""
        execution_id = (within or self.root).id
        return [each for each in self.tree.attempts(execution_id) if each.step_id == step_id]

    def children(self, step_id: str, within: Execution | None = None) -> list[Execution]:
        """The children of the current attempt, in index order."""
        return self.tree.children(self.step(step_id, within).id)

    def again(self, execution: Execution) -> Execution:
        """The execution as it is now."""
        return self.tree.executions[execution.id]

    def output(self, step_id: str, within: Execution | None = None) -> JSON:
        """Of the current attempt, which has one."""
        output = self.tree.output(self.step(step_id, within).id)
        assert output is not None
        return output

    def kinds(self) -> list[str]:
        """What the last command changed: kind and step id."""
        last = [change for change in self.tree.journal if change.at == self.tree.now]
        return [
            f"{each.kind} {self.tree.steps[each.step_execution_id].step_id}"
            if each.step_execution_id
            else each.kind
            for each in last
        ]

    def start(self) -> None:
        self.tree.start(self.root.id)
        self._check()

    def complete(self, *step_ids: str, output: JSON | None = None, within: Execution | None = None) -> None:
        for step_id in step_ids:
            self.tree.complete(self.step(step_id, within).id, output)
            self._check()

    def fail(self, *step_ids: str, within: Execution | None = None) -> None:
        for step_id in step_ids:
            self.tree.fail(self.step(step_id, within).id)
            self._check()

    def claim(self, *step_ids: str, **given: Any) -> list[Claimed]:
        """Claim current attempts, with what `MemoryTree.claim` takes."""
        claimed = self.tree.claim(*(self.step(each).id for each in step_ids), **given)
        self._check()
        return claimed

    def retry(self, step_id: str, within: Execution | None = None) -> None:
        self.tree.retry(self.step(step_id, within).id)
        self._check()

    def wake(self, step_id: str) -> None:
        """`retryAt` has come: the next attempt is made and starts, which is no entry (S4)."""
        retry_at = self.step(step_id).retry_at
        assert retry_at is not None
        self.pass_until(retry_at)
        self.come_due()

    def come_due(self, within: Execution | None = None) -> None:
        """The timer looks at an execution."""
        self.tree.come_due((within or self.root).id)
        self._check()

    def set_due_date(self, step_id: str, due_at: datetime | None, within: Execution | None = None) -> None:
        self.tree.set_due_date(self.step(step_id, within).id, due_at)
        self._check()

    def pass_until(self, moment: datetime) -> None:
        """Time passes, so that this is the time of the next command."""
        self.tree.now = moment - timedelta(seconds=1)

    def disable(self, step_id: str, within: Execution | None = None) -> None:
        self.tree.disable(self.step(step_id, within).id)
        self._check()

    def enable(self, step_id: str, within: Execution | None = None) -> None:
        self.tree.enable(self.step(step_id, within).id)
        self._check()

    def cancel(self, execution: Execution | None = None) -> None:
        self.tree.cancel((execution or self.root).id)
        self._check()

    def patch(self, patch: JSON, execution: Execution | None = None) -> None:
        self.tree.update_context((execution or self.root).id, patch)
        self._check()

    def refused(self, command: str, *arguments: Any, **keys: Any) -> Refusal:
        """What a command is refused with; it has changed nothing (`MemoryTree.command`)."""
        revision = len(self.tree.journal)
        try:
            getattr(self, command)(*arguments, **keys)
        except Refusal as refusal:
            assert len(self.tree.journal) == revision
            return refusal
        raise AssertionError(f"{command} {arguments} was carried out")

    def _check(self) -> None:
        self._replay.follow()
        invariants.check(self.tree, self.tree.executions)
