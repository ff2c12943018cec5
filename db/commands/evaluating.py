"""Between the runtime's questions and the evaluator: expressions in, values or failures out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from db.runtime.effects import Evaluate, Evaluated
from db.runtime.expressions import (
    NOTHING,
    EvaluationRequest,
    ExpressionFailed,
    ExpressionInput,
    FailureCode,
    Outcome,
)

_VARIABLES = ("__context__", "__steps__", "__execution__", "__each__")


def requests_of(effect: Evaluate, now: datetime) -> list[EvaluationRequest]:
    """What the evaluator is to do for a decision, as of the command's time."""
    return [
        EvaluationRequest(src, _input(data), now, effect.record_reads) for src, data in effect.expressions
    ]


def evaluated(outcomes: Sequence[Outcome]) -> list[Evaluated]:
    """What the decision is told."""
    return [_evaluated(outcome) for outcome in outcomes]


def _input(data: Mapping[str, Any]) -> ExpressionInput:
    return ExpressionInput(
        context=data["__context__"],
        steps=data["__steps__"],
        execution=data["__execution__"],
        each=data.get("__each__", NOTHING),
        selected={name: value for name, value in data.items() if name not in _VARIABLES},
    )


def _evaluated(outcome: Outcome) -> Evaluated:
    if isinstance(outcome, ExpressionFailed):
        is_bound = outcome.code is FailureCode.LIMIT_EXCEEDED
        return Evaluated(error=outcome.message, is_bound=is_bound)
    return Evaluated(outcome.value, reads=tuple((read.path, read.value) for read in outcome.reads))
