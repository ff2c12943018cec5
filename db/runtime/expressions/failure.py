"""How an evaluation fails (`runtime.md` X2)."""

from dataclasses import dataclass
from enum import StrEnum


class FailureCode(StrEnum):
    """What is told of a failure besides its sentence."""

    EXPRESSION_SYNTAX = "EXPRESSION_SYNTAX"
    EXPRESSION_FAILED = "EXPRESSION_FAILED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"


@dataclass(eq=False)
class ExpressionFailed(Exception):
    """An expression that throws, yields what is not JSON, or passes a bound. `message` is one sentence for people."""

    code: FailureCode
    message: str

    def __str__(self) -> str:
        return self.message
