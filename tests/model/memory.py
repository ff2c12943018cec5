"""A tree in memory: answers what decisions ask and keeps what they write, as `db/commands` does over a database.

Time and ids are counted, so that the same commands make the same rows. What the database would silently get wrong –
a row that changed but is not marked as changed, an immutable column – fails here.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from operator import attrgetter
from typing import Any

import orjson

from db.runtime import claims, decisions, due
from db.runtime.changes import Change
from db.runtime.children import Ids
from db.runtime.claims import Claimed, ClaimTerms
from db.runtime.decisions import Place
from db.runtime.definition import WorkflowDefinition
from db.runtime.effects import (
    ChildResult,
    ChildVersion,
    Decision,
    Effect,
    Evaluate,
    Evaluated,
    FindChildVersion,
    FindLinks,
    FindResults,
    FindStatus,
    HoldLease,
    Link,
    Load,
    LoadData,
    LoadRunning,
    Results,
)
from db.runtime.errors import Refusal
from db.runtime.flow import Flow
from db.runtime.limits import Limits
from db.runtime.statuses import ExecutionStatus
from db.runtime.tree import Tree
from db.runtime.values import Execution, Step
from db.runtime.versions import VersionStatus
from tests.model.expressions import evaluate

JSON = dict[str, Any]
Evaluator = Callable[[str, Mapping[str, Any]], Evaluated]

BEGINNING = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
_IMMUTABLE_OF_EXECUTIONS = (
    "id", "root_id", "path", "version_id", "name", "correlation_id", "created_at", "parent_id", "depth", "child_index",
)  # fmt: skip
_IMMUTABLE_OF_STEPS = (
    "id", "execution_id", "version_id", "step_id", "position", "type", "name", "attempt", "created_at", "entry_attempt",
)  # fmt: skip


@dataclass(slots=True)
class Version:
    """A template's only version."""

    id: str
    name: str
    key: str
    raw: JSON
    definition: WorkflowDefinition
    status: VersionStatus = VersionStatus.PUBLISHED
    is_active: bool = True


class Library:
    """Published templates of one version each; a version's id is made from its template's key."""

    def __init__(self, *raws: JSON) -> None:
        self.versions: dict[str, Version] = {}
        for raw in raws:
            self.publish(raw)

    def publish(self, raw: JSON) -> Version:
        """The definition's own id is the template's key."""
        key = raw["id"]
        version = Version(f"tver_{key}", raw["name"], key, raw, WorkflowDefinition.parse(raw))
        self.versions[version.id] = version
        return version

    def find(self, version_id: str | None, key: str | None) -> Version | None:
        """As `db/commands/loading.py` has it: pinned, or the active version of a key."""
        if version_id is not None:
            found = self.versions.get(version_id)
        else:
            found = next(
                (each for each in self.versions.values() if each.key == key and each.is_active), None
            )
        return found if found and found.status is not VersionStatus.DRAFT else None


@dataclass
class MemoryTree:
    """The rows of one tree: all attempts, all executions, links by attempt, the journal."""

    library: Library
    limits: Limits = field(default_factory=Limits)
    evaluate: Evaluator = evaluate
    now: datetime = BEGINNING
    root_id: str = ""
    size: int = 0
    executions: dict[str, Execution] = field(default_factory=dict)
    contexts: dict[str, bytes] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    outputs: dict[str, bytes] = field(default_factory=dict)
    # Execution id → its attempts' ids, in the order of their making.
    attempt_ids: dict[str, list[str]] = field(default_factory=dict)
    links: dict[str, dict[int, tuple[Any, str]]] = field(default_factory=dict)
    journal: list[Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        execution_ids, step_ids = count(1), count(1)
        tokens = count(1)
        self._new_token = lambda: f"token_{next(tokens)}"
        self._ids = Ids(lambda: f"exec_{next(execution_ids)}", lambda: f"step_{next(step_ids)}")

    # Commands

    def create(self, key: str, context: JSON | None = None, *, start: bool = True) -> str:
        """Create the root of the tree, and start it."""
        version = self.library.find(None, key)
        assert version is not None
        self.root_id = self._ids.new_execution_id()
        root = Execution(
            id=self.root_id,
            root_id=self.root_id,
            path=f"{self.root_id}/",
            version_id=version.id,
            name=version.name,
            correlation_id="correlation",
            runtime_status=ExecutionStatus.NOT_STARTED,
            created_at=self.now,
            revision=0,
        )

        def decide(flow: Flow) -> Decision[None]:
            flow.tree.definitions[version.id] = version.definition
            yield from decisions.create(flow, root, context or {})
            if start:
                yield from decisions.start(flow, root.id)

        self.command(decide)
        return self.root_id

    def start(self, execution_id: str) -> None:
        self.command(lambda flow: decisions.start(flow, execution_id))

    def complete(self, step_id: str, output: JSON | None = None, token: str | None = None) -> None:
        self.command(lambda flow: decisions.complete(flow, self._place(step_id), output or {}, token))

    def fail(
        self,
        step_id: str,
        code: str = "BROKEN",
        message: str = "It broke.",
        token: str | None = None,
    ) -> None:
        self.command(lambda flow: decisions.fail(flow, self._place(step_id), code, message, token))

    def claim(
        self, *step_ids: str, worker: str = "worker", lease_seconds: int | None = 60, limit: int = 1
    ) -> list[Claimed]:
        """Claim as many of these attempts as `limit`, with tokens that are counted."""
        claimed: list[Claimed] = []

        def decide(flow: Flow) -> Decision[None]:
            places, terms = map(self._place, step_ids), ClaimTerms(worker, lease_seconds)
            claimed.extend((yield from claims.claim(flow, places, limit, terms, self._new_token)))

        self.command(decide)
        return claimed

    def release(self, step_id: str, token: str | None = None) -> None:
        self.command(lambda flow: decisions.release(flow, self._place(step_id), token, None))

    def expire(self, step_id: str) -> None:
        self.command(lambda flow: claims.expire(flow, self._place(step_id)))

    def set_due_date(self, step_id: str, due_at: datetime | None) -> None:
        self.command(lambda flow: due.set_due_date(flow, self._place(step_id), due_at))

    def pass_to_retries(self, execution_id: str) -> None:
        """Let it be the time for which the next attempts of an execution are scheduled."""
        scheduled = (step.retry_at for step in self.current(execution_id) if step.retry_at is not None)
        self.now = max((self.now, *scheduled))

    def come_due(self, execution_id: str) -> None:
        """What the timer does."""
        self.command(lambda flow: due.come_due(flow, execution_id))

    def retry(self, step_id: str) -> None:
        self.command(lambda flow: decisions.retry(flow, self._place(step_id), None))

    def disable(self, step_id: str) -> None:
        self.command(lambda flow: decisions.disable(flow, self._place(step_id), None))

    def enable(self, step_id: str) -> None:
        self.command(lambda flow: decisions.enable(flow, self._place(step_id), None))

    def cancel(self, execution_id: str) -> None:
        self.command(lambda flow: decisions.cancel(flow, execution_id, None))

    def update_context(self, execution_id: str, patch: JSON) -> None:
        self.command(lambda flow: decisions.update_context(flow, execution_id, patch))

    def command(self, decide: Callable[[Flow], Decision[None]]) -> None:
        """One transaction: decide over the rows, then keep what was decided. A `Refusal` changes nothing."""
        self.now += timedelta(seconds=1)
        tree = Tree(root_id=self.root_id, revision=len(self.journal), now=self.now, size=self.size)
        try:
            self._carry_out(decide(Flow(tree, self._ids, self.limits)), tree)
        except Refusal:
            assert not tree.changes, "a refusal is raised before anything of the tree has changed"
            raise
        self._keep(tree)

    # What the rows say

    def current(self, execution_id: str) -> list[Step]:
        """The current attempts of an execution, in definition order."""
        return sorted(
            (step for step in self.attempts(execution_id) if step.is_current), key=attrgetter("position")
        )

    def attempts(self, execution_id: str) -> list[Step]:
        """All attempts of an execution, in the order of their making."""
        return [self.steps[attempt_id] for attempt_id in self.attempt_ids[execution_id]]

    def step(self, step_id: str, execution_id: str | None = None) -> Step:
        """The current attempt at a step, of the root if no execution is named."""
        return next(each for each in self.current(execution_id or self.root_id) if each.step_id == step_id)

    def children(self, attempt_id: str) -> list[Execution]:
        """The children of an attempt, in index order."""
        return [self.executions[child] for _, (_, child) in sorted(self.links.get(attempt_id, {}).items())]

    def context(self, execution_id: str) -> JSON:
        loaded: JSON = orjson.loads(self.contexts[execution_id])
        return loaded

    def output(self, attempt_id: str) -> JSON | None:
        stored = self.outputs.get(attempt_id)
        return None if stored is None else orjson.loads(stored)

    def definition(self, execution_id: str) -> WorkflowDefinition:
        return self.library.versions[self.executions[execution_id].version_id].definition

    def below(self, execution_id: str) -> Iterator[Execution]:
        """Every execution below one, whatever its status."""
        path = self.executions[execution_id].path
        return (each for each in self.executions.values() if each.path.startswith(path) and each.path != path)

    # The driver

    def _place(self, step_id: str) -> Place:
        return Place(self.steps[step_id].execution_id, step_id)

    def _carry_out(self, decision: Decision[None], tree: Tree) -> None:
        try:
            effect = next(decision)
            while True:
                effect = decision.send(self._answer(effect, tree))
        except StopIteration:
            return

    def _answer(self, effect: Effect, tree: Tree) -> Any:  # noqa: C901  # a case for every effect there is
        match effect:
            case Load(execution_id):
                self._put(tree, execution_id)
            case LoadData(execution_id):
                outputs = {step.id: self.output(step.id) for step in self.current(execution_id)}
                present = {key: value for key, value in outputs.items() if value is not None}
                tree.put_data(execution_id, self.context(execution_id), present)
            case LoadRunning(execution_id):
                for each in list(self.below(execution_id)):
                    if each.runtime_status is ExecutionStatus.IN_PROGRESS and each.id not in tree.executions:
                        self._put(tree, each.id)
            case FindStatus(attempt_id):
                return self.steps[attempt_id].status
            case HoldLease(attempt_id):
                return self.steps[attempt_id].lease_expires_at
            case FindChildVersion(version_id, key):
                found = self.library.find(version_id, key)
                return found and ChildVersion(found.id, found.name, found.definition)
            case FindLinks(attempt_id):
                return [
                    Link(index, item, child, self.executions[child].runtime_status)
                    for index, (item, child) in sorted(self.links.get(attempt_id, {}).items())
                ]
            case FindResults():
                return self._results(effect)
            case Evaluate(expressions):
                return [self.evaluate(src, data) for src, data in expressions]
        return None

    def _put(self, tree: Tree, execution_id: str) -> None:
        tree.put(self.executions[execution_id], self.current(execution_id), self.definition(execution_id))

    def _results(self, effect: FindResults) -> Results:
        found = [self._result(execution_id) for execution_id in effect.execution_ids]
        size = sum(len(orjson.dumps([each.context, each.outputs])) for each in found)
        if size > 2 * effect.max_bytes:
            return Results([replace(each, context={}, outputs={}) for each in found], complete=False)
        return Results(found, complete=True)

    def _result(self, execution_id: str) -> ChildResult:
        outputs = {step.step_id: self.output(step.id) for step in self.current(execution_id)}
        present = {key: value for key, value in outputs.items() if value is not None}
        return ChildResult(
            execution_id, self.executions[execution_id].name, self.context(execution_id), present
        )

    def _keep(self, tree: Tree) -> None:
        self._keep_executions(tree)
        self._keep_steps(tree)
        for attempt_id, link in tree.links:
            links = self.links.setdefault(attempt_id, {})
            assert link.index not in links, "an attempt lists one child for each item"
            links[link.index] = (link.item, link.child_id)
        for key in tree.written:
            if key in tree.executions:
                self.contexts[key] = orjson.dumps(tree.contexts[key])
            else:
                assert key not in self.outputs, "an output is written once"
                self.outputs[key] = orjson.dumps(tree.outputs[key])
        self.journal += tree.changes
        self.size = tree.size

    def _keep_executions(self, tree: Tree) -> None:
        for execution in tree.executions.values():
            before = self.executions.get(execution.id)
            assert (before is None) == (execution.id in tree.created)
            if before is not None:
                before = before._replace(parent_step_id=tree.adoptions.get(before.id, before.parent_step_id))
                changed = execution.id in tree.changed
                assert changed or before == execution, "it changed but would not be written"
                assert all(
                    getattr(before, name) == getattr(execution, name) for name in _IMMUTABLE_OF_EXECUTIONS
                )
            self.executions[execution.id] = execution
        for child_id, attempt_id in tree.adoptions.items():
            self.executions[child_id] = self.executions[child_id]._replace(parent_step_id=attempt_id)

    def _keep_steps(self, tree: Tree) -> None:
        current = [step for steps in tree.steps.values() for step in steps.values()]
        assert tree.changes or not (tree.changed or tree.created), "without a change nothing would be written"
        for step in (*tree.replaced, *current):
            before = self.steps.get(step.id)
            assert (before is None) == (step.id in tree.created)
            if before is not None:
                assert step.id in tree.changed or before == step, "it changed but would not be written"
                assert all(getattr(before, name) == getattr(step, name) for name in _IMMUTABLE_OF_STEPS)
            else:
                self.attempt_ids.setdefault(step.execution_id, []).append(step.id)
            self.steps[step.id] = step
