"""What only the end of a worker ends."""

from db.evaluation.driver import Evaluations
from db.runtime.limits import ExpressionLimits

ENDLESS = "($f := function($x) { $f($x) }; $f(1))"
BOUNDLESS = ExpressionLimits(
    work=10**15, seconds=10.0**6, depth=10**6, text_characters=10**12, items=10**9, result_bytes=1 << 20
)


def boundless() -> Evaluations:
    """One worker, and no bounds but the worker's own."""
    return Evaluations(BOUNDLESS, workers=1)
