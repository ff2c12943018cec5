"""Which rows of a tree are drawn, so that they fit: all, or the ones that matter most."""

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from server.watching.events import JSON
from server.watching.tree import Tree

# The more a status concerns who looks on, the earlier.
_URGENCY: Final = ("FAILED", "IN_PROGRESS", "NOT_STARTED", "CANCELLED", "COMPLETED")
_LIVE: Final = ("FAILED", "IN_PROGRESS")


@dataclass(slots=True)
class StepRow:
    """A step, with the executions that it started below it."""

    step: JSON
    below: "list[Row]" = field(default_factory=list)


@dataclass(slots=True)
class ExecutionRow:
    """An execution below the root, with its steps below it."""

    execution: JSON
    below: "list[Row]" = field(default_factory=list)


@dataclass(slots=True)
class OthersRow:
    """The executions that are left out here: how many in which status."""

    statuses: Counter[str]


Row = StepRow | ExecutionRow | OthersRow


@dataclass(frozen=True, slots=True)
class Detail:
    """What is left out. Without `quiet`, executions have no steps unless they run or have failed; without `all_steps`
    they have only those that run or have failed, and so has the root without `roots_steps`; `children`: of a step, at
    most so many.
    """

    quiet: bool = True
    all_steps: bool = True
    roots_steps: bool = True
    children: int | None = None


# From all there is to the least.
DETAILS: Final = (
    Detail(),
    Detail(quiet=False),
    Detail(quiet=False, all_steps=False),
    *(Detail(quiet=False, all_steps=False, children=most) for most in (30, 15, 8, 4)),
    *(Detail(quiet=False, all_steps=False, roots_steps=False, children=most) for most in (8, 4, 2, 1, 0)),
)


class _TooMany(Exception):
    """There are more rows than room."""


def outline(tree: Tree, room: int) -> list[Row]:
    """What stands below the root, in at most `room` rows where any detail allows it; otherwise in the fewest."""
    for detail in DETAILS[:-1]:
        try:
            return _Outliner(tree, detail, room).rows()
        except _TooMany:
            continue
    return _Outliner(tree, DETAILS[-1], None).rows()


class _Outliner:
    def __init__(self, tree: Tree, detail: Detail, room: int | None) -> None:
        self._tree = tree
        self._detail = detail
        self._room = room

    def rows(self) -> list[Row]:
        root = self._tree.root
        return list(self._steps(root, all_of_them=self._detail.roots_steps))

    def _take(self) -> None:
        if self._room is not None:
            if self._room == 0:
                raise _TooMany
            self._room -= 1

    def _steps(self, execution: JSON, *, all_of_them: bool) -> Iterator[Row]:
        for step in execution["steps"].values():
            children = self._tree.children(execution["id"], step["stepId"])
            if all_of_them or step["status"] in _LIVE or any(map(_is_live, children)):
                self._take()
                yield StepRow(step, self._executions(children))

    def _executions(self, children: Sequence[JSON]) -> list[Row]:
        shown, left_out = self._chosen(children)
        rows: list[Row] = []
        for child in shown:
            self._take()
            has_steps = self._detail.quiet or child["runtimeStatus"] in _LIVE
            steps = self._steps(child, all_of_them=self._detail.all_steps) if has_steps else ()
            rows.append(ExecutionRow(child, list(steps)))
        if left_out:
            self._take()
            rows.append(OthersRow(left_out))
        return rows

    def _chosen(self, children: Sequence[JSON]) -> tuple[Sequence[JSON], Counter[str]]:
        most = self._detail.children
        if most is None or len(children) <= most:
            return children, Counter()
        urgent = heapq.nsmallest(
            most, range(len(children)), key=lambda at: (_URGENCY.index(children[at]["runtimeStatus"]), at)
        )
        chosen = set(urgent)
        rest = (child["runtimeStatus"] for at, child in enumerate(children) if at not in chosen)
        return [children[at] for at in sorted(chosen)], Counter(rest)


def _is_live(execution: JSON) -> bool:
    return execution["runtimeStatus"] in _LIVE
