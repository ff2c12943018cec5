"""A walk: random commands on the tree of a random library, everything checked after each; at last to the end.

By hand, for as long as you like: `python -m tests.model.walk --seconds 600 --seed 1`.
"""

import argparse
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from db.runtime.changes import ChangeKind
from db.runtime.definition import StepType
from db.runtime.limits import Limits
from db.runtime.statuses import ExecutionStatus, StepStatus
from tests.model import invariants
from tests.model.commands import GOOD, KINDS, OVER, PATCHES, Command, is_allowed, random_command
from tests.model.expectations import expectation
from tests.model.memory import JSON, Library, MemoryTree
from tests.model.random_definitions import Choose, random_library
from tests.model.replay import Replay, leads_to

CONTEXTS: list[JSON] = [
    {},
    {"a": 1, "items": [{"id": 1}, {"id": 2}]},
    {"b": True, "items": [5]},
    {"items": [{"id": 1}, 2, 3]},
    {"bad": True, "items": [1, 2]},
]
# Low bounds are met often (C4, F7).
BOUNDS = [
    Limits(passes_per_command=5),
    Limits(passes_per_command=3, batch_items=2, executions_per_command=6, nesting_depth=2),
    Limits(passes_per_command=4, executions_per_tree=20, output_bytes=600, context_bytes=600),
]
MOST_EXECUTIONS = 150
MOST_TO_THE_END = 300


@dataclass
class Walk:
    """One tree, its commands so far, and what checks it."""

    choose: Choose
    raws: list[JSON]
    commands: list[Command] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.tree = MemoryTree(Library(*self.raws), BOUNDS[self.choose(len(BOUNDS))])
        self.replay = Replay(self.tree)
        # Some walks do much of one thing.
        self.kinds = KINDS + [KINDS[self.choose(len(KINDS))]] * 12
        self.context = CONTEXTS[self.choose(len(CONTEXTS))]
        self.is_started = self.choose(8) != 7
        self.tree.create("root", self.context, start=self.is_started)
        self.check()

    def check(self) -> None:
        """What the last command left."""
        since = self.replay.revision
        touched = self.replay.follow()
        started = [each for each in self.tree.journal[since:] if each.kind is ChangeKind.EXECUTION_STARTED]
        assert len(started) <= self.tree.limits.executions_per_command, (
            "C4: executions started by one command"
        )
        parents = {self.tree.executions[each].parent_id for each in touched} - {None}
        invariants.check(self.tree, touched | {each for each in parents if each})

    def run(self, length: int) -> None:
        """So many random commands, then to the end."""
        for _ in range(length):
            if len(self.tree.executions) > MOST_EXECUTIONS or not self.is_moving():
                break
            self.step()
        self.finish()
        for execution in self.tree.executions.values():
            self.counts[f"execution {execution.runtime_status}"] += 1

    def finish(self) -> None:
        """To the end, and everything once more."""
        self.to_the_end()
        self.check_all()

    def is_moving(self) -> bool:
        """Whether some command could still do something – or is tried although it cannot."""
        over = all(each.runtime_status in OVER for each in self.tree.executions.values())
        return not over or self.choose(4) > 0

    def check_all(self) -> None:
        """Everything once more, also what no command touched."""
        self.replay.compared = 0
        self.replay.compare(self.tree.executions)
        invariants.check(self.tree, self.tree.executions)

    def step(self) -> None:
        """One random command."""
        self.give(random_command(self.choose, self.tree, self.kinds))

    def give(self, command: Command) -> None:
        """A command is carried out exactly if S7 allows it; one that is refused changes nothing."""
        self.commands.append(command)
        allowed = is_allowed(self.tree, command)
        before = None if allowed else snapshot(self.tree)
        expected = expectation(self.tree, command) if allowed else None
        self.was_carried_out = carried_out = command.run(self.tree)
        assert carried_out == allowed, f"S7: {command} {'was carried out' if carried_out else 'was refused'}"
        self.counts[f"{command.kind} {'done' if carried_out else 'refused'}"] += 1
        if expected:
            expected()
            self.check()
        else:
            assert snapshot(self.tree) == before, "S1: a refused command changes nothing"

    def to_the_end(self) -> None:
        """With every command succeeding every execution ends, unless its definition does not let it."""
        root = self.tree.executions[self.tree.root_id]
        if root.runtime_status is ExecutionStatus.NOT_STARTED:
            self.give(Command("start", root.id))
        for number in range(MOST_TO_THE_END):
            command = self._onward(number)
            if command is None:
                return
            if len(self.tree.executions) > MOST_EXECUTIONS:
                return
            self.give(command)
        unended = [
            each for each in self.tree.executions.values() if each.runtime_status not in invariants.ENDED
        ]
        assert any(is_endless(self.tree, each.id) for each in unended), "the execution does not end"
        self.counts["endless"] += 1

    def _onward(self, number: int) -> Command | None:
        """Complete what waits, retry what is scheduled, and change the context now and then: it may close a loop."""
        waiting = [step for step in self.tree.steps.values() if step.is_current and step.is_waiting]
        if not waiting:
            return None
        turn, rest = divmod(number, 20)
        if rest == 19:
            execution_id = waiting[turn % len(waiting)].execution_id
            return Command("update_context", execution_id, {**PATCHES[turn // 2 % 3], "bad": None})
        output = GOOD if number % 7 else {**GOOD, "ok": False}
        commands = [
            Command("retry", step.id)
            if step.status is StepStatus.FAILED
            else Command("complete", step.id, output)
            for step in waiting
        ]
        # What is scheduled in a child that was abandoned is left to time: no command moves it (C5).
        allowed = [command for command in commands if is_allowed(self.tree, command)]
        return allowed[number % len(allowed)] if allowed else None


def is_endless(tree: MemoryTree, execution_id: str) -> bool:
    """Whether it may turn in circles for ever: what leaves a parallel split comes back to it, or an output that is not
    written again decides where to go on.
    """
    definition = tree.definition(execution_id)
    splits = [
        step for step in definition.steps if step.type.is_split and leads_to(definition, step.id, step.id)
    ]
    return any(
        step.type is not StepType.GATEWAY_EXCLUSIVE_SPLIT
        or any(each.condition and "__steps__" in each.condition.src for each in definition.outgoing(step.id))
        for step in splits
    )


def snapshot(tree: MemoryTree) -> list[Any]:
    """Every row, to compare."""
    rows = (tree.executions, tree.contexts, tree.steps, tree.outputs, tree.links)
    return [dict(each) for each in rows] + [len(tree.journal), tree.size]


def random_walk(seed: int, length: int = 40) -> Walk:
    """A whole walk; the same for the same seed."""
    choose = random.Random(seed).randrange  # noqa: S311 – the same for the same seed
    walk = Walk(choose, random_library(choose))
    walk.run(length)
    return walk


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Walk at random until the time is over or something is wrong."
    )
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1, help="the first seed; each walk takes the next")
    parser.add_argument(
        "--length", type=int, default=40, help="commands of a walk before it is led to its end"
    )
    given = parser.parse_args()
    until, seed, counts = time.monotonic() + given.seconds, given.seed, Counter[str]()
    while time.monotonic() < until:
        try:
            counts += random_walk(seed, given.length).counts
        except Exception:
            print(f"seed {seed}")
            raise
        seed += 1
    print(f"{seed - given.seed} walks, seeds {given.seed} to {seed - 1}")
    for name, number in sorted(counts.items()):
        print(f"{number:>10,} {name}")


if __name__ == "__main__":
    main()
