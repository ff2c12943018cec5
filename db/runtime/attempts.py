"""Making attempts (S3): the first of every step, and the next where flow or a command enters a step again."""

from collections.abc import Callable

from db.runtime.definition import WorkflowDefinition
from db.runtime.statuses import StepStatus
from db.runtime.tree import Tree
from db.runtime.values import Execution, Step

NewId = Callable[[], str]


def first_attempts(
    tree: Tree, execution: Execution, definition: WorkflowDefinition, new_id: NewId
) -> list[Step]:
    """Every step's first attempt, NotStarted (F1)."""
    return [
        Step(
            id=new_id(),
            execution_id=execution.id,
            version_id=execution.version_id,
            step_id=step.id,
            position=position,
            type=step.type,
            name=step.name,
            attempt=1,
            is_current=True,
            status=StepStatus.NOT_STARTED,
            created_at=tree.now,
            revision=0,
        )
        for position, step in enumerate(definition.steps)
    ]


def next_attempt(tree: Tree, step: Step, new_id: NewId, *, is_entry: bool, reason: str | None = None) -> Step:
    """A new attempt, NotStarted and current. An entry (by a transition or `retryStep`) counts retries anew (S4)."""
    attempt = step.attempt + 1
    return tree.replace_step(
        Step(
            id=new_id(),
            execution_id=step.execution_id,
            version_id=step.version_id,
            step_id=step.step_id,
            position=step.position,
            type=step.type,
            name=step.name,
            attempt=attempt,
            is_current=True,
            status=StepStatus.NOT_STARTED,
            created_at=tree.now,
            revision=0,
            entry_attempt=attempt if is_entry else step.entry_attempt,
        ),
        reason=reason,
    )
