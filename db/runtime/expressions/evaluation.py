"""Evaluating one expression over its input (`runtime.md` section 3). Which process does it: `db/evaluation`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jsonata.jexception import JException

from db.runtime.expressions.compiled import Compiled, compiled
from db.runtime.expressions.evaluator import Evaluator
from db.runtime.expressions.failure import ExpressionFailed, FailureCode
from db.runtime.expressions.meter import LimitPassed, Meter
from db.runtime.expressions.reads import Read, reads
from db.runtime.expressions.values import NOTHING, NotJSON, plain
from db.runtime.json_values import InvalidJSON, check_json
from db.runtime.limits import ExpressionLimits

SHOWN_SOURCE = 80
SHOWN_REASON = 300

REWORDED = {
    "D1002": "only a number can be negated",
    "T0411": "what a function takes from its context is not of the type it needs",
}
"""Sentences of the library that come out garbled."""


@dataclass(frozen=True, slots=True)
class ExpressionInput:
    """All that an expression sees (X5). Step statuses are in the seed's spelling; `each` is `NOTHING` outside a batch."""

    context: Mapping[str, Any] = field(default_factory=dict)
    steps: Mapping[str, Any] = field(default_factory=dict)
    execution: Mapping[str, Any] = field(default_factory=dict)
    each: Any = NOTHING
    # What a batch's `select` reads without a prefix: the output of the step that it selects from.
    selected: Mapping[str, Any] = field(default_factory=dict)

    def variables(self) -> dict[str, Any]:
        """The object that paths begin in."""
        variables = {
            **self.selected,
            "__context__": self.context,
            "__steps__": self.steps,
            "__execution__": self.execution,
        }
        return variables if self.each is NOTHING else {**variables, "__each__": self.each}


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """An expression to evaluate, at the command's time."""

    src: str
    input: ExpressionInput
    now: datetime
    record_reads: bool = False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an expression yielded: JSON, or `NOTHING`.

    Numbers are as JSONata has them: what it calculates is a whole number if it can be (`3 / 1.5` is 2), what it only
    reads stays as it is (1.0); one beyond 64 bits is a double. `work` is what it used of `ExpressionLimits.work`.
    """

    value: Any
    reads: tuple[Read, ...] = ()
    work: int = 0


Outcome = Evaluation | ExpressionFailed


def never() -> bool:
    """A clock that does not run out."""
    return False


def evaluate(
    src: str,
    data: ExpressionInput | Mapping[str, Any],
    *,
    now: datetime,
    limits: ExpressionLimits | None = None,
    is_over: Callable[[], bool] = never,
    record_reads: bool = False,
) -> Evaluation:
    """Evaluate a source. The input is not changed, and the value shares nothing with it that could be.

    `is_over` says that time is up; work, depth and sizes are counted without it. Raises `ExpressionFailed` and, whatever
    the source and the input, nothing else.
    """
    limits = limits or ExpressionLimits()
    meter = Meter(limits, is_over)
    variables = data.variables() if isinstance(data, ExpressionInput) else dict(data)
    parsed = compiled(src)
    value = _value(src, parsed, variables, now, meter, limits)
    return Evaluation(value, reads(parsed.paths, variables) if record_reads else (), meter.used)


def _value(
    src: str,
    parsed: Compiled,
    variables: dict[str, Any],
    now: datetime,
    meter: Meter,
    limits: ExpressionLimits,
) -> Any:
    try:
        raw = Evaluator(parsed, meter, int(now.timestamp() * 1000)).run(variables)
        value = plain(raw, meter, limits.json_depth)
        if value is not NOTHING:
            check_json(value, max_bytes=limits.result_bytes, max_depth=limits.json_depth)
    except InvalidJSON as error:
        code = FailureCode.LIMIT_EXCEEDED if error.is_limit else FailureCode.EXPRESSION_FAILED
        raise _failed(src, code, f"its result cannot be kept ({error})") from None
    except (LimitPassed, RecursionError, MemoryError) as error:
        raise _failed(src, FailureCode.LIMIT_EXCEEDED, _limit(error)) from None
    except Exception as error:  # the library raises whatever Python raises
        raise _failed(src, FailureCode.EXPRESSION_FAILED, _reason(error)) from None
    return value


def _limit(error: Exception) -> str:
    if isinstance(error, LimitPassed):
        return error.message
    return (
        "it is nested, or calls itself, too deeply"
        if isinstance(error, RecursionError)
        else "it needs too much memory"
    )


def _reason(error: Exception) -> str:
    match error:
        case NotJSON():
            return str(error)
        case JException(error="D3137" | "D3141"):
            return str(error)
        case JException():
            return _library_reason(error)
        case ZeroDivisionError():
            return "it divides by zero"
        case OverflowError():
            return "a number is too large"
        case _:
            return "an operator or a function was given a value that it does not take"


def _library_reason(error: JException) -> str:
    """The library's sentence. Its port from another language made every function an "Object"."""
    if error.error not in JException.error_codes:
        return "an operator or a function was given a value that it does not take"
    sentence = REWORDED.get(error.error) or re.sub(r"\bObject\b", "function", str(error)).rstrip(".")
    return f"{sentence} (near character {error.location})" if error.location > 0 else sentence


def _failed(src: str, code: FailureCode, reason: str) -> ExpressionFailed:
    """What fails may be stored and shown: no NUL, no lone surrogate, no more of source and reason than tells them apart."""
    shown = src if len(src) <= SHOWN_SOURCE else src[:SHOWN_SOURCE] + "…"
    cut = reason if len(reason) <= SHOWN_REASON else reason[:SHOWN_REASON] + "…"
    verb = "passes a bound" if code is FailureCode.LIMIT_EXCEEDED else "failed"
    message = f"The expression {shown} {verb}: {cut.rstrip('.')}."
    return ExpressionFailed(code, message.encode(errors="backslashreplace").decode().replace("\0", "\\0"))
