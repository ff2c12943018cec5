"""What scenarios of parents and children have in common."""

from db.runtime.values import Execution
from tests.model.story import FAILED, Story, workflow

LEAF = workflow("start > do > end", key="leaf")
EMPTY = workflow("start > end", key="empty")
THROWS = "__context__.bad ? $error('boom') : __context__.a"


def failure(story: Story, step_id: str = "kids", within: Execution | None = None) -> str | None:
    step = story.step(step_id, within)
    assert (step.status is FAILED) == (step.failure_code is not None)
    return step.failure_code
