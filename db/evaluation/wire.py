"""What goes between this process and its workers: frames of JSON, each with its length before it.

A batch carries every value once, however many of its requests see it. Each request is answered by a frame of its own, in
order; an empty frame ends the answer, maybe before the last request (`slice_seconds`).
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson

from db.runtime.expressions import (
    NOTHING,
    Evaluation,
    EvaluationRequest,
    ExpressionFailed,
    ExpressionInput,
    FailureCode,
    Outcome,
    Read,
)
from db.runtime.limits import ExpressionLimits

LENGTH = struct.Struct(">I")
END = LENGTH.pack(0)
ABSENT = -1


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests for one worker, which begins no more of them once `slice_seconds` are over."""

    requests: Sequence[EvaluationRequest]
    limits: ExpressionLimits
    slice_seconds: float


def framed(payload: bytes) -> bytes:
    """A payload with its length before it."""
    return LENGTH.pack(len(payload)) + payload


def encode_batch(batch: Batch) -> bytes:
    """A batch as JSON. Raises `TypeError` for an input that is not JSON."""
    values = _Values()
    requests = [
        {
            "src": request.src.encode(errors="surrogatepass").hex(),
            "now": request.now.isoformat(),
            "reads": request.record_reads,
            "input": [values.index(value) for value in _parts(request.input)],
        }
        for request in batch.requests
    ]
    limits = asdict(batch.limits)
    return orjson.dumps(
        {"limits": limits, "slice": batch.slice_seconds, "values": values.distinct, "requests": requests}
    )


def decode_batch(text: bytes) -> Batch:
    """The batch that `encode_batch` wrote."""
    raw = orjson.loads(text)
    values = raw["values"]
    requests = [
        EvaluationRequest(
            src=bytes.fromhex(each["src"]).decode(errors="surrogatepass"),
            input=_input([NOTHING if index == ABSENT else values[index] for index in each["input"]]),
            now=datetime.fromisoformat(each["now"]),
            record_reads=each["reads"],
        )
        for each in raw["requests"]
    ]
    return Batch(requests, ExpressionLimits(**raw["limits"]), raw["slice"])


def encode_outcome(outcome: Outcome) -> bytes:
    """An outcome as JSON."""
    if isinstance(outcome, ExpressionFailed):
        return orjson.dumps({"code": outcome.code, "message": outcome.message})
    return orjson.dumps(
        {
            **_optional(outcome.value),
            "reads": [{"path": read.path, **_optional(read.value)} for read in outcome.reads],
            "work": outcome.work,
        }
    )


def decode_outcome(text: bytes) -> Outcome:
    """The outcome that `encode_outcome` wrote."""
    raw = orjson.loads(text)
    if "code" in raw:
        return ExpressionFailed(FailureCode(raw["code"]), raw["message"])
    reads = tuple(Read(read["path"], read.get("value", NOTHING)) for read in raw["reads"])
    return Evaluation(raw.get("value", NOTHING), reads, raw["work"])


def _optional(value: Any) -> Mapping[str, Any]:
    return {} if value is NOTHING else {"value": value}


def _parts(given: ExpressionInput) -> tuple[Any, ...]:
    return given.context, given.steps, given.execution, given.each, given.selected


def _input(parts: Sequence[Any]) -> ExpressionInput:
    context, steps, execution, each, selected = parts
    return ExpressionInput(context, steps, execution, each, selected)


class _Values:
    """Values by identity: a batch shows the same context to thousands of requests."""

    def __init__(self) -> None:
        self.distinct: list[Any] = []
        self._indexes: dict[int, int] = {}

    def index(self, value: Any) -> int:
        if value is NOTHING:
            return ABSENT
        index = self._indexes.setdefault(id(value), len(self.distinct))
        if index == len(self.distinct):
            self.distinct.append(value)
        return index
