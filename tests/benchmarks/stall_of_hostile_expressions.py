"""How long the event loop stands still while hostile expressions run (`runtime.md` X3; the bound is 50 ms).

    python -m tests.benchmarks.stall_of_hostile_expressions

A heartbeat measures the longest gap between two turns of the loop: idle, with typical expressions, with 20 hostile ones
at once, and with those and typical ones together; the latency of the typical ones is printed too.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from db.evaluation.driver import Evaluations
from db.runtime.expressions import EvaluationRequest, ExpressionFailed, ExpressionInput
from tests.hostile_expressions import CONTEXT, HOSTILE

NOW = datetime(2024, 5, 6, tzinfo=UTC)
TYPICAL = "__context__.company.type = 'llp'"


def request(src: str) -> EvaluationRequest:
    return EvaluationRequest(src, ExpressionInput(context=CONTEXT), NOW)


class Heartbeat:
    """The longest gap between two turns of the loop, in milliseconds, beyond the pause itself."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def beat(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, (time.perf_counter() - before) * 1_000 - 1)


async def measured(name: str, work: Callable[[], Awaitable[object]]) -> None:
    heart = Heartbeat()
    beating = asyncio.create_task(heart.beat())
    await asyncio.sleep(0.05)
    begun = time.perf_counter()
    result = await work()
    seconds = time.perf_counter() - begun
    await asyncio.sleep(0.01)
    beating.cancel()
    print(f"{name:42} longest stall {heart.longest:6.1f} ms, {seconds:6.2f} s in all {result or ''}")


async def main() -> None:
    evaluations = Evaluations()
    hostile = [request(src) for src in HOSTILE]

    async def attack() -> str:
        outcomes = await asyncio.gather(
            *(evaluations.evaluate_many([hostile[number % len(hostile)]]) for number in range(20))
        )
        refused = sum(isinstance(outcome, ExpressionFailed) for (outcome,) in outcomes)
        return f"({refused} of 20 refused)"

    async def every() -> str:
        outcomes = await asyncio.gather(*(evaluations.evaluate_many([each]) for each in hostile))
        refused = sum(isinstance(outcome, ExpressionFailed) for (outcome,) in outcomes)
        return f"({refused} of {len(hostile)} refused)"

    async def serve() -> str:
        taken = []
        for _ in range(500):
            begun = time.perf_counter()
            await evaluations.evaluate_many([request(TYPICAL)])
            taken.append((time.perf_counter() - begun) * 1_000)
            await asyncio.sleep(0)
        taken.sort()
        return f"(p50 {taken[250]:.2f} ms, p99 {taken[495]:.2f} ms, max {taken[-1]:.2f} ms)"

    async def both() -> str:
        _, latency = await asyncio.gather(attack(), serve())
        return latency

    await measured("idle", lambda: asyncio.sleep(0.5))
    await measured("500 typical expressions", serve)
    await measured("20 hostile expressions, workers to start", attack)
    await measured("20 hostile expressions", attack)
    await measured(f"all {len(hostile)} hostile expressions", every)
    await measured("20 hostile beside 500 typical ones", both)
    evaluations.close()


if __name__ == "__main__":
    asyncio.run(main())
