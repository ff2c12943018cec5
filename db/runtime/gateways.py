"""Which transitions a step takes (F2), and when a join may open (F5)."""

from db.runtime.definition import Transition
from db.runtime.effects import Decision, Evaluate, Evaluated
from db.runtime.expression_input import expression_input
from db.runtime.expressions import cast_to_boolean
from db.runtime.failures import require_evaluated
from db.runtime.statuses import StepStatus
from db.runtime.tree import Tree
from db.runtime.values import Step


def taken(tree: Tree, step: Step) -> Decision[tuple[Transition, ...]]:
    """The transitions that a step takes as it completes, in definition order; raises `StepFailure`."""
    outgoing = tree.definition_of(step.execution_id).outgoing(step.step_id)
    if not step.type.is_conditional_split:
        return outgoing
    conditional = [each for each in outgoing if not each.is_default]
    data = yield from expression_input(tree, step.execution_id)
    sources = [each.condition.src if each.condition else "" for each in conditional]
    answers: list[Evaluated] = yield Evaluate(tuple((source, data) for source in sources))
    for source, answer in zip(sources, answers, strict=True):
        require_evaluated("The condition", source, [answer])
    chosen = {
        each.id for each, answer in zip(conditional, answers, strict=True) if cast_to_boolean(answer.value)
    }
    return tuple(each for each in outgoing if each.id in chosen or (each.is_default and not chosen))


def may_open(tree: Tree, join: Step) -> bool:
    """A transition has arrived, and no live step can reach the join without passing through it."""
    if join.status is not StepStatus.NOT_STARTED or not join.entered_by:
        return False
    reaching = tree.definition_of(join.execution_id).reaching(join.step_id)
    return not any(
        step.is_live and step.step_id in reaching for step in tree.steps[join.execution_id].values()
    )
