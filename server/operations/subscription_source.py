"""A subscription that has begun."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

from graphql import ExecutionResult
from graphql.execution import Executor, execute_subscription_event

# What the selection makes of an event, for which the executor was built.
ExecuteEvent = Callable[[Executor[Any]], ExecutionResult | Awaitable[ExecutionResult]]


@dataclass(frozen=True, slots=True)
class Source:
    """A subscription that has begun: its events, which raise what their resolver raises, and what executes them."""

    executor: Executor[Any]
    events: AsyncGenerator[Any, None]
    execute: ExecuteEvent = execute_subscription_event

    async def result(self, event: Any) -> ExecutionResult:
        """What the selection makes of one event."""
        result = self.execute(self.executor.build_per_event_executor(event))
        if self.executor.is_awaitable(result):
            return await cast("Awaitable[ExecutionResult]", result)
        return cast("ExecutionResult", result)
