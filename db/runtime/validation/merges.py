"""`PARALLEL_MERGE_WITHOUT_JOIN`: branches that run at once meet in a step that does not wait for all of them.

Every split gives each of its branches a number, written in binary at places of its own: one integer holds the
ones, another the zeros of all branches that may have come to a step. Where a place is both, two branches of
the same split meet. One walk in flow order finds them, however many the splits; arrows back are left out.
"""

from dataclasses import dataclass

from db.runtime.definition import StepType
from db.runtime.paths import postorder
from db.runtime.validation.graph import successors
from db.runtime.validation.issues import IssueCode, Report
from db.runtime.validation.outline import Edge, Outline

CONCURRENT = frozenset({StepType.GATEWAY_PARALLEL_SPLIT, StepType.GATEWAY_INCLUSIVE_SPLIT})


@dataclass(slots=True)
class Branches:
    """Which branches may have come to one step."""

    ones: int = 0
    zeros: int = 0

    def add(self, ones: int, zeros: int) -> None:
        self.ones |= ones
        self.zeros |= zeros

    def meet(self) -> bool:
        """Whether branches of one split have met; from here on they are one."""
        met = self.ones & self.zeros
        self.ones &= ~met
        self.zeros &= ~met
        return met != 0


def check_merges(report: Report, outline: Outline) -> None:
    """Warn of every step but joins and `end` where concurrent branches meet."""
    starts = [str(step.id) for step in outline.of_type(StepType.START)]
    order = list(postorder(starts, successors(outline)))[::-1]
    rank = {step_id: index for index, step_id in enumerate(order)}
    arrived = {step_id: Branches() for step_id in order}
    width = 0
    for step_id in order:
        step, branches = outline.by_id[step_id], arrived[step_id]
        if branches.meet() and not step.is_join and step.type is not StepType.END:
            message = (
                f"Branches that run at once meet at {step_id!r}, which does not wait for all: use a join."
            )
            report.warning(IssueCode.PARALLEL_MERGE_WITHOUT_JOIN, step.path, message)
        edges = outline.outgoing[step_id]
        concurrent = step.type in CONCURRENT and len(edges) > 1
        bits = (len(edges) - 1).bit_length() if concurrent else 0
        for number, edge in enumerate(edges):
            if _leads_on(edge, rank):
                digits = number << width if concurrent else 0
                inverse = (~number & ((1 << bits) - 1)) << width
                arrived[str(edge.target.id)].add(branches.ones | digits, branches.zeros | inverse)
        width += bits


def _leads_on(edge: Edge, rank: dict[str, int]) -> bool:
    return rank[str(edge.target.id)] > rank[str(edge.origin.id)]
