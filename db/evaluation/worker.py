"""A worker process: evaluates what it reads from its standard input, until that ends – with its parent at the latest.

Run by `pool.py` as `python -m db.evaluation.worker`. It holds no file or socket but its two pipes, its memory is bounded,
and an evaluation that does not come to an end by itself ends it, whatever the parent does.
"""

import os
import resource
import signal
import time
from typing import BinaryIO

from db.evaluation.wire import END, LENGTH, Batch, decode_batch, encode_outcome, framed
from db.runtime.expressions import EvaluationRequest, ExpressionFailed, Outcome, evaluate
from db.runtime.limits import ExpressionLimits

MEMORY_BYTES = 512 << 20
KILLED_AFTER = 0.5
"""Seconds of processor time after which an evaluation ends its worker: it did not look at the clock for so long."""


def main() -> None:
    """Answer batches until the pipe closes."""
    _bound()
    requests, answers = _pipes()
    with requests, answers:
        answers.write(END)
        answers.flush()
        while (batch := _next_batch(requests)) is not None:
            _answer(batch, answers)


def _bound() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # Control-C is for the parent, which closes the pipe; a closed pipe is no error to report.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """The two pipes; what anything prints goes nowhere."""
    requests, answers = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.close(nowhere)
    return os.fdopen(requests, "rb"), os.fdopen(answers, "wb")


def _next_batch(requests: BinaryIO) -> Batch | None:
    head = requests.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    text = requests.read(length)
    return decode_batch(text) if len(text) == length else None


def _answer(batch: Batch, answers: BinaryIO) -> None:
    """One frame for each request as soon as it is done: if the next one ends this process, it is known which."""
    until = time.monotonic() + batch.slice_seconds
    for request in batch.requests:
        answers.write(framed(encode_outcome(_outcome(request, batch.limits))))
        answers.flush()
        if time.monotonic() > until:
            break
    answers.write(END)
    answers.flush()


def _outcome(request: EvaluationRequest, limits: ExpressionLimits) -> Outcome:
    # Processor time, not time on the wall: that other processes are busy is no fault of the expression.
    until = time.process_time() + limits.seconds
    signal.setitimer(signal.ITIMER_PROF, KILLED_AFTER)
    try:
        return evaluate(
            request.src,
            request.input,
            now=request.now,
            limits=limits,
            is_over=lambda: time.process_time() > until,
            record_reads=request.record_reads,
        )
    except ExpressionFailed as failed:
        return failed
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


if __name__ == "__main__":
    main()
