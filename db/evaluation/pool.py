"""A few worker processes, started when they are needed and replaced when they are lost."""

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from db.evaluation.wire import Batch, decode_outcome, encode_batch
from db.evaluation.worker_process import WorkerLost, WorkerProcess
from db.runtime.expressions import EvaluationRequest, ExpressionFailed, FailureCode, Outcome
from db.runtime.limits import ExpressionLimits

SLICE_SECONDS = 0.2
"""After so long a batch lets others have its worker."""


class WorkersUnavailable(RuntimeError):
    """No worker can be started: the command that asked must not commit, and may be tried again."""


class PoolClosed(WorkersUnavailable):
    """The process is stopping."""

    def __init__(self) -> None:
        super().__init__("The evaluation of expressions has been stopped.")


@dataclass(frozen=True, slots=True)
class Answer:
    """Outcomes of the first requests of a batch – none, if the worker was lost through no fault of theirs – and how
    long they took.
    """

    outcomes: list[Outcome]
    seconds: float


class WorkerPool:
    """At most `size` workers; callers beyond that wait in line. Safe to use from several threads."""

    def __init__(self, limits: ExpressionLimits, size: int) -> None:
        self._limits = limits
        self._slots: queue.LifoQueue[WorkerProcess | None] = queue.LifoQueue()
        for _ in range(size):
            self._slots.put(None)
        self._size = size
        self._lock = threading.Lock()
        self._running: set[WorkerProcess] = set()
        self._is_closed = False

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers that run."""
        with self._lock:
            return [worker.pid for worker in self._running]

    def run(self, requests: Sequence[EvaluationRequest], seconds: float) -> Answer:
        """Evaluate as many of the requests, in order, as a slice of time allows; blocks. Raises `WorkersUnavailable`."""
        batch = Batch(requests, self._limits, min(seconds, SLICE_SECONDS))
        outcomes: list[Outcome] = []
        with self._worker() as worker:
            started = time.monotonic()
            try:
                outcomes.extend(map(decode_outcome, worker.ask(encode_batch(batch))))
            except WorkerLost as lost:
                self._discard(worker)
                if lost.is_overrun:
                    outcomes.append(overrun(requests[len(outcomes)]))
            return Answer(outcomes, time.monotonic() - started)

    def close(self) -> None:
        """End all workers; calls that are running raise `PoolClosed`."""
        with self._lock:
            self._is_closed = True
            for worker in self._running:
                worker.kill()
        for _ in range(self._size):
            worker_or_none = self._slots.get()
            if worker_or_none is not None:
                self._discard(worker_or_none)
        for _ in range(self._size):
            self._slots.put(None)

    @contextmanager
    def _worker(self) -> Iterator[WorkerProcess]:
        """A worker for one thread."""
        worker = self._slots.get()
        try:
            worker = worker or self._started()
            yield worker
        finally:
            is_running = worker in self._running
            self._slots.put(worker if is_running else None)
            if self._is_closed:
                raise PoolClosed

    def _started(self) -> WorkerProcess:
        with self._lock:
            if self._is_closed:
                raise PoolClosed
            try:
                worker = WorkerProcess()
            except OSError as error:
                raise WorkersUnavailable(f"No worker process can be started: {error}.") from error
            self._running.add(worker)
        try:
            worker.wait_until_ready()
        except WorkerLost:
            self._discard(worker)
            raise WorkersUnavailable("A worker process ended while it was starting.") from None
        return worker

    def _discard(self, worker: WorkerProcess) -> None:
        with self._lock:
            self._running.discard(worker)
        worker.close()


def overrun(request: EvaluationRequest) -> ExpressionFailed:
    """What is said of an expression that its worker did not survive."""
    return ExpressionFailed(
        FailureCode.LIMIT_EXCEEDED,
        f"The expression {request.src[:80]!r} passes a bound: it takes too long, or too much memory.",
    )
