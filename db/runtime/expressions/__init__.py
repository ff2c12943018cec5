"""JSONata expressions, evaluated within bounds (`runtime.md` section 3). Their syntax: `expression_syntax.py`."""

from db.runtime.expressions.compiled import is_light
from db.runtime.expressions.evaluation import (
    Evaluation,
    EvaluationRequest,
    ExpressionInput,
    Outcome,
    evaluate,
)
from db.runtime.expressions.failure import ExpressionFailed, FailureCode
from db.runtime.expressions.reads import Read
from db.runtime.expressions.values import NOTHING, as_items, cast_to_boolean

__all__ = [
    "NOTHING",
    "Evaluation",
    "EvaluationRequest",
    "ExpressionFailed",
    "ExpressionInput",
    "FailureCode",
    "Outcome",
    "Read",
    "as_items",
    "cast_to_boolean",
    "evaluate",
    "is_light",
]
