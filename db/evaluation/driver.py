"""Evaluates what commands ask for: what is light here and now, the rest in worker processes (`runtime.md` X3)."""

import asyncio
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from db.evaluation.pool import Answer, WorkerPool, overrun
from db.runtime.expressions import (
    EvaluationRequest,
    ExpressionFailed,
    FailureCode,
    Outcome,
    evaluate,
    is_light,
)
from db.runtime.limits import ExpressionLimits

COMMAND_SECONDS = 5.0
HERE_WORK = 8_000
"""Work that one call does in this process, about two milliseconds; what is more goes to a worker."""

PARSING = 12
"""Work of a character of a source that was not seen before."""

FAILING = 1_000
KNOWN_SOURCES = 1_000
STRIKES = 2
"""So many workers in a row may be lost over one request, by whatever hand, until it is held to be its fault."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Requests for a worker, and how long it may take over them."""

    requests: Sequence[EvaluationRequest]
    seconds: float


Plan = Generator[Turn, Answer, list[Outcome]]


class Evaluations:
    """Evaluates requests, in order, and outlives every expression. Close it: it may hold processes and threads.

    Both calls return one outcome for each request; what fails is an outcome too. Both raise `WorkersUnavailable` if no
    worker can be started. `deadline_seconds` bounds the time in which workers were busy for the call, not its time in line.
    """

    def __init__(self, limits: ExpressionLimits | None = None, workers: int = 2) -> None:
        self.limits = limits or ExpressionLimits()
        self.pool = WorkerPool(self.limits, workers)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="evaluation")
        self._known: dict[str, bool] = {}
        self._round = 0
        self._work_of_round = 0

    async def evaluate_many(
        self, requests: Sequence[EvaluationRequest], deadline_seconds: float = COMMAND_SECONDS
    ) -> list[Outcome]:
        """For the event loop, which all calls together hold for about `HERE_WORK` before it goes round."""
        await self._next_round()
        outcomes, used = self._done_here(requests)
        self._work_of_round += used
        plan = self._plan(requests, outcomes, deadline_seconds)
        loop = asyncio.get_running_loop()
        try:
            turn = next(plan)
            while True:
                answer = await loop.run_in_executor(self._threads, self.pool.run, turn.requests, turn.seconds)
                turn = plan.send(answer)
        except StopIteration as end:
            return list(end.value)

    def evaluate_many_blocking(
        self, requests: Sequence[EvaluationRequest], deadline_seconds: float = COMMAND_SECONDS
    ) -> list[Outcome]:
        """For a thread that may wait."""
        outcomes, _ = self._done_here(requests)
        plan = self._plan(requests, outcomes, deadline_seconds)
        try:
            turn = next(plan)
            while True:
                turn = plan.send(self.pool.run(turn.requests, turn.seconds))
        except StopIteration as end:
            return list(end.value)

    async def _next_round(self) -> None:
        """Let the loop go round if this round of it has worked enough; the first call of a new one counts afresh."""
        while self._work_of_round > HERE_WORK:
            seen = self._round
            await asyncio.sleep(0)
            if self._round == seen:
                self._round += 1
                self._work_of_round = 0

    def close(self) -> None:
        """End all workers and threads; blocks until they have ended."""
        self.pool.close()
        self._threads.shutdown()

    def _plan(
        self, requests: Sequence[EvaluationRequest], outcomes: list[Outcome | None], seconds: float
    ) -> Plan:
        """One turn after another for workers, until every request has its outcome or time is up."""
        waiting = [index for index, outcome in enumerate(outcomes) if outcome is None]
        strikes = 0
        while waiting and seconds > 0:
            answer = yield Turn([requests[index] for index in waiting], seconds)
            seconds -= answer.seconds
            done = answer.outcomes
            strikes = 0 if done else strikes + 1
            if strikes == STRIKES:
                done, strikes = [overrun(requests[waiting[0]])], 0
            for index, outcome in zip(waiting, done, strict=False):
                outcomes[index] = outcome
            waiting = waiting[len(done) :]
        return [outcome or _out_of_time() for outcome in outcomes]

    def _done_here(self, requests: Sequence[EvaluationRequest]) -> tuple[list[Outcome | None], int]:
        """Outcomes of what is light, as far as `HERE_WORK` goes, None for the rest; and the work that it took."""
        outcomes: list[Outcome | None] = [None] * len(requests)
        work = HERE_WORK
        for index, request in enumerate(requests):
            if request.src not in self._known:
                work -= PARSING * len(request.src)
            if work <= 0:
                break
            if self._is_light(request.src):
                outcomes[index], used = self._try_here(request, work)
                work -= used
        return outcomes, HERE_WORK - work

    def _is_light(self, src: str) -> bool:
        known = self._known.get(src)
        if known is None:
            if len(self._known) >= KNOWN_SOURCES:
                self._known.clear()
            known = self._known[src] = is_light(src)
        return known

    def _try_here(self, request: EvaluationRequest, work: int) -> tuple[Outcome | None, int]:
        """The outcome, or None if it takes more than so much work; and how much it took."""
        limits = replace(self.limits, work=min(work, self.limits.work))
        try:
            outcome = evaluate(
                request.src, request.input, now=request.now, limits=limits, record_reads=request.record_reads
            )
        except ExpressionFailed as failed:
            is_bound = failed.code is FailureCode.LIMIT_EXCEEDED
            return (None, work) if is_bound else (failed, FAILING)
        return outcome, outcome.work


def _out_of_time() -> ExpressionFailed:
    return ExpressionFailed(
        FailureCode.LIMIT_EXCEEDED, "The expressions of one command take longer than a command may take."
    )
