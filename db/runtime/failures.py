"""What makes a step start and fail though nobody failed it (`runtime.md` X2)."""

from collections.abc import Iterable
from dataclasses import dataclass

from db.runtime.effects import Evaluated

SHOWN_CHARACTERS = 200


@dataclass(eq=False)
class StepFailure(Exception):
    """A step needed something and did not get it; the flow makes the step fail with this code and message."""

    code: str
    message: str

    def __str__(self) -> str:
        return self.message


def require_evaluated(subject: str, src: str, answers: Iterable[Evaluated]) -> None:
    """Raise `StepFailure` if one of the answers is a failure."""
    for answer in answers:
        if answer.error is not None:
            message = f"{subject} {src[:SHOWN_CHARACTERS]!r} cannot be evaluated: {answer.error}"
            raise StepFailure("LIMIT_EXCEEDED" if answer.is_bound else "EXPRESSION_FAILED", message)
