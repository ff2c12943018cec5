"""How executions move: what follows from a step that has ended, until nothing is left to move (`runtime.md` section 5).

A `Flow` is one command's walk over one tree. Its methods are generators without I/O (`effects.py`); they change the tree
alone. Which command does what is `decisions.py`.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence

from db.runtime import activation, attempts, children, gateways
from db.runtime.changes import ChangeKind
from db.runtime.definition import StepType, Transition
from db.runtime.durations import add, parse_duration
from db.runtime.effects import Decision, Link, Load, pause_after
from db.runtime.failures import StepFailure
from db.runtime.limits import Limits
from db.runtime.statuses import ExecutionStatus, StepStatus
from db.runtime.tree import Tree
from db.runtime.values import DisabledBy, Execution, Step

Agenda = deque[Transition]

_ENDED = (ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.CANCELLED)


class Flow:
    """One command's walk. What it counts, the bounds on loops and children, is per command (F7, C4)."""

    def __init__(self, tree: Tree, ids: children.Ids, limits: Limits) -> None:
        self.tree = tree
        self.ids = ids
        self.limits = limits
        self._passes: Counter[tuple[str, str]] = Counter()
        self._started = 0

    def loaded(self, execution_id: str) -> Decision[Execution]:
        """An execution, brought in where the tree does not hold it yet."""
        if execution_id not in self.tree.executions:
            yield Load(execution_id)
        return self.tree.executions[execution_id]

    def begin_root(self, execution_id: str) -> Decision[None]:
        """Start an execution that is nobody's child."""
        self._started += 1
        yield from self._begin_execution(execution_id)

    def continue_after(
        self, execution_id: str, ended: Iterable[Step], *, data_changed: bool
    ) -> Decision[None]:
        """All that follows from attempts that have ended, in this execution and in those above it.

        After a change of the context or of an output policies are read again, before flow moves on (S5).
        """
        agenda: Agenda = deque()
        yield from self._follow(execution_id, ended, agenda, data_changed=data_changed)
        yield from self.finish(execution_id, agenda)

    def enter(
        self, step: Step, transition: Transition | None, agenda: Agenda, *, kept: Sequence[Link] = ()
    ) -> Decision[None]:
        """Flow arrives at an attempt that has not begun: by a transition, or by a retry with none.

        `kept`: the children of the attempt that is retried (C5).
        """
        if step.type.is_gateway:
            yield from self._pass_through(_entered(step, transition), agenda)
            return
        if transition is not None and transition.on_arrival is StepStatus.DISABLED:
            yield from self._pass_disabled(step, transition, agenda, by=DisabledBy.ARRIVAL)
            return
        failure = yield from activation.read_on_arrival(self.tree, step)
        step = self.tree.current(step)
        if failure is not None:
            children.take_over(self.tree, step, kept)
            self._start_and_fail(_entered(step, transition), failure)
            return
        if step.status is StepStatus.DISABLED:
            yield from self._pass_disabled(step, transition, agenda)
            return
        begun = self.begin(_entered(step, transition))
        if step.type is StepType.SYS_SUB_WORKFLOW:
            yield from self._begin_children(begun, agenda, kept)

    def finish(self, execution_id: str, agenda: Agenda) -> Decision[None]:
        """Take what is on the agenda and all that follows, here and in the executions above."""
        if self.tree.executions[execution_id].runtime_status is not ExecutionStatus.IN_PROGRESS:
            # Not begun, or it has ended before, which the execution above has been told.
            return
        yield from self._come_to_rest(execution_id, agenda)
        yield from self.tell_parents(execution_id)

    def renew(self, step: Step, *, is_entry: bool, reason: str | None = None) -> Step:
        """Another attempt at a step, with its default read afresh; its policy is read as it is entered."""
        new_id = self.ids.new_step_id
        fresh = attempts.next_attempt(self.tree, step, new_id, is_entry=is_entry, reason=reason)
        activation.apply_defaults(self.tree, [fresh])
        return self.tree.current(fresh)

    def begin(self, step: Step) -> Step:
        """An attempt starts; its due date counts from now by the UTC calendar (F2, T1)."""
        due_in, due_at = self.tree.step_definition(step).due_in, step.due_at
        if due_at is None and due_in is not None:
            due_at = add(self.tree.now, parse_duration(due_in))
        return self.tree.move_step(step, StepStatus.IN_PROGRESS, ChangeKind.STEP_STARTED, due_at=due_at)

    def collect(self, step: Step, *transition_ids: str) -> None:
        """A join and `end` note what has arrived; a second time by the same transition changes nothing (F5)."""
        new = tuple(each for each in transition_ids if each not in step.entered_by)
        if new:
            arrived = step._replace(entered_by=(*step.entered_by, *new))
            self.tree.change_step(arrived, ChangeKind.STEP_ARRIVED, step.status)

    def leave(self, step: Step, agenda: Agenda) -> Decision[None]:
        """An attempt has ended: the transitions that it takes come next."""
        self._passes[step.execution_id, step.step_id] += 1
        agenda.extend((yield from gateways.taken(self.tree, step)))

    def fail_step(self, step: Step, code: str, message: str) -> Step:
        """An attempt in progress fails; nothing follows from it."""
        return self.tree.move_step(
            step,
            StepStatus.FAILED,
            ChangeKind.STEP_FAILED,
            failure_code=code,
            failure_message=message,
            open_children=None,
        )

    def tell_parents(self, execution_id: str) -> Decision[None]:
        """An execution that has ended may end the step that waits for it, and so upwards (C2)."""
        execution = self.tree.executions[execution_id]
        while execution.parent_id is not None and execution.runtime_status in _ENDED:
            parent = yield from self.loaded(execution.parent_id)
            step = self.waiting_for(execution)
            if step is None or step.open_children is None:
                return
            step = self.tree.count_children(step, step.open_children - 1)
            if step.open_children:
                return
            agenda: Agenda = deque()
            yield from self._end_children(step, agenda)
            yield from self._come_to_rest(parent.id, agenda)
            execution = self.tree.executions[parent.id]

    def waiting_for(self, child: Execution) -> Step | None:
        """The parent's attempt that is in progress and lists this child."""
        assert child.parent_id is not None
        steps = self.tree.steps[child.parent_id].values()
        linked = next((step for step in steps if step.id == child.parent_step_id), None)
        return linked if linked and linked.status is StepStatus.IN_PROGRESS else None

    def _begin_execution(self, execution_id: str) -> Decision[None]:
        """`start` completes by itself and its transition is taken (F1)."""
        self.tree.move_execution(execution_id, ExecutionStatus.IN_PROGRESS, ChangeKind.EXECUTION_STARTED)
        step = self.tree.steps[execution_id][self.tree.definition_of(execution_id).start.id]
        agenda: Agenda = deque()
        yield from self._pass_through(step, agenda)
        yield from self._come_to_rest(execution_id, agenda)

    def _follow(
        self, execution_id: str, ended: Iterable[Step], agenda: Agenda, *, data_changed: bool
    ) -> Decision[None]:
        stopped: list[Step] = []
        if data_changed:
            stopped = yield from activation.apply_policies(self.tree, self.tree.steps[execution_id].values())
        for step in ended:
            yield from self.leave(step, agenda)
        for step in stopped:
            yield from self._stop(step, agenda)

    def _stop(self, step: Step, agenda: Agenda) -> Decision[None]:
        """A policy disabled an attempt in progress: its children end, and flow goes on through it."""
        yield from children.cancel_children(self.tree, step)
        yield from self._pass_disabled(step, None, agenda)

    def _come_to_rest(self, execution_id: str, agenda: Agenda) -> Decision[None]:
        """Take transitions breadth first; at rest open the first join that may open, and begin again (F2, F5)."""
        while True:
            while agenda:
                yield from self._arrive(execution_id, agenda.popleft(), agenda)
            join = self._join_to_open(execution_id)
            if join is None:
                break
            yield from self._pass_through(join, agenda)
        self._rest(execution_id)

    def _join_to_open(self, execution_id: str) -> Step | None:
        steps = self.tree.steps[execution_id]
        joins = (steps[step_id] for step_id in self.tree.definition_of(execution_id).joins)
        return next((join for join in joins if gateways.may_open(self.tree, join)), None)

    def _rest(self, execution_id: str) -> None:
        """With nothing in progress or scheduled an execution has failed, or `end` completes it (F6)."""
        steps = self.tree.steps[execution_id]
        if any(step.is_waiting for step in steps.values()):
            return
        failed = [step.step_id for step in steps.values() if step.status is StepStatus.FAILED]
        if failed:
            self.tree.move_execution(
                execution_id,
                ExecutionStatus.FAILED,
                ChangeKind.EXECUTION_FAILED,
                failure_code="STEP_FAILED",
                failure_message=f"The workflow cannot continue: {', '.join(map(repr, failed))} failed.",
            )
            return
        self._complete_gateway(steps[self.tree.definition_of(execution_id).end.id])
        self.tree.move_execution(execution_id, ExecutionStatus.COMPLETED, ChangeKind.EXECUTION_COMPLETED)

    def _arrive(self, execution_id: str, transition: Transition, agenda: Agenda) -> Decision[None]:
        """A transition enters its step (F4)."""
        step = self.tree.steps[execution_id][transition.to_step_id]
        if step.is_waiting:
            return
        if step.has_ended:
            step = self.renew(step, is_entry=True)
            if self._passes[execution_id, step.step_id] >= self.limits.passes_per_command:
                self._start_and_fail(_entered(step, transition), self._loop_limit())
                return
        if step.type in (StepType.GATEWAY_PARALLEL_JOIN, StepType.END):
            self.collect(step, transition.id)
        else:
            yield from self.enter(step, transition, agenda)

    def _loop_limit(self) -> StepFailure:
        return StepFailure(
            "LOOP_LIMIT", f"One command passed the step {self.limits.passes_per_command} times."
        )

    def _start_and_fail(self, step: Step, failure: StepFailure) -> None:
        """An attempt starts, though it be Disabled, and fails at once (X2, F7)."""
        if step.status is StepStatus.DISABLED:
            step = activation.enable(self.tree, step)
        self.fail_step(self.begin(step), failure.code, failure.message)

    def _pass_through(self, step: Step, agenda: Agenda) -> Decision[None]:
        """A step that does nothing itself starts and completes in one breath; a split may fail at it (X2)."""
        begun = self.begin(step)
        try:
            following = yield from gateways.taken(self.tree, begun)
        except StepFailure as failure:
            self.fail_step(begun, failure.code, failure.message)
            return
        self.tree.move_step(begun, StepStatus.COMPLETED, ChangeKind.STEP_COMPLETED)
        self._passes[step.execution_id, step.step_id] += 1
        agenda.extend(following)

    def _complete_gateway(self, step: Step) -> None:
        begun = self.begin(step)
        self.tree.move_step(begun, StepStatus.COMPLETED, ChangeKind.STEP_COMPLETED)

    def _pass_disabled(
        self, step: Step, transition: Transition | None, agenda: Agenda, *, by: DisabledBy | None = None
    ) -> Decision[None]:
        """Flow goes through a Disabled step as if it had completed with no output (S5)."""
        passed = _entered(step, transition)._replace(passed_at=self.tree.now)
        if step.status is StepStatus.DISABLED:
            passed = self.tree.change_step(passed, ChangeKind.STEP_ARRIVED, step.status)
        else:
            assert by is not None
            passed = activation.disable(self.tree, passed, by)
        yield from self.leave(passed, agenda)

    def _begin_children(self, step: Step, agenda: Agenda, kept: Sequence[Link]) -> Decision[None]:
        """Start the children of an attempt: for its items, or for those whose child did not complete before (C1, C5)."""
        try:
            items = (
                children.items_to_repeat(kept) if kept else (yield from children.items_of(self.tree, step))
            )
            started = yield from children.create_children(
                self.tree, step, items, self.ids, self.limits, self._started
            )
        except StepFailure as failure:
            # The next retry is of the same items still (C5).
            children.take_over(self.tree, step, kept)
            self.fail_step(step, failure.code, failure.message)
            return
        completed = [link for link in kept if link.status is ExecutionStatus.COMPLETED]
        children.take_over(self.tree, step, completed)
        self._started += len(started)
        for number, child_id in enumerate(started):
            yield from pause_after(number)
            yield from self._begin_execution(child_id)
        links = yield from children.links_of(self.tree, step)
        step = self.tree.count_children(step, sum(link.status not in _ENDED for link in links))
        if not step.open_children:
            yield from self._end_children(step, agenda)

    def _end_children(self, step: Step, agenda: Agenda) -> Decision[None]:
        """All children have ended: the step completes with what they came to, or fails (C2)."""
        try:
            output = yield from children.result_of(self.tree, step, self.limits)
        except StepFailure as failure:
            self.fail_step(step, failure.code, failure.message)
            return
        done = self.tree.move_step(step, StepStatus.COMPLETED, ChangeKind.STEP_COMPLETED, open_children=None)
        self.tree.set_output(done, output)
        yield from self._follow(done.execution_id, [done], agenda, data_changed=True)


def _entered(step: Step, transition: Transition | None) -> Step:
    """The attempt with one more transition by which it was entered."""
    return step if transition is None else step._replace(entered_by=(*step.entered_by, transition.id))
