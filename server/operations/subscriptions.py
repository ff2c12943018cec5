"""Shared runs: subscribers of the same thing share one execution and one encoded payload (`live.md` H3, H4).

Where each of them stands at a place of its own, it is a stream (`streams.py`). What carries a payload to a client is
`server/transports/`; what makes a source yield is the schema's.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import orjson
from graphql import ExecutionResult, GraphQLError, Node, VariableDefinitionNode, VariableNode, Visitor, visit

from server.operations.operations import Operation, OperationContext, OperationRefused, Operations, outcome_of
from server.operations.payload import Payload, SubscriptionFailed
from server.operations.responses import (
    ErrorCode,
    FormattedError,
    encode_outcome,
    format_errors,
    internal_error,
)
from server.operations.streams import Crowds, Stream
from server.telemetry.metrics import DELIVERIES, PAYLOADS

REFRESH_INTERVAL: Final = 0.025  # seconds between two reads that only joiners ask for

AT_A_TIME: Final = 500
"""Subscribers who are given a payload before the event loop may go round: about 10 ms."""

OpenSource = Callable[[], Awaitable[AsyncGenerator[ExecutionResult, None]]]
ContextForRun = Callable[[Any, asyncio.Event], OperationContext]


def with_refresh(context: Any, refresh: asyncio.Event) -> OperationContext:
    """The context of a run: that of its first subscriber, a dataclass, with the run's own `refresh`."""
    shared: OperationContext = replace(context, refresh=refresh)
    return shared


class Refresh(asyncio.Event):
    """Asks the source of a run for a read that nothing but a joiner needs.

    A source waits for it beside its own news, and calls `clear` before the read that follows. So a payload is
    known to be read after everybody joined who had asked before the last `clear` (`live.md` H2).
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.answered = 0
        self._timer: asyncio.TimerHandle | None = None

    def ask(self) -> int:
        """Ask at once, or with everybody else who asks within the interval. Returns the number of the request."""
        self.asked += 1
        if self._timer is None:
            self.set()
            self._timer = asyncio.get_running_loop().call_later(REFRESH_INTERVAL, self._ask_again)
        return self.asked

    def clear(self) -> None:
        super().clear()
        self.answered = self.asked

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _ask_again(self) -> None:
        self._timer = None
        if self.answered < self.asked and not self.is_set():
            self.set()
            self._timer = asyncio.get_running_loop().call_later(REFRESH_INTERVAL, self._ask_again)


@dataclass(frozen=True, slots=True)
class RunKey:
    """What two subscribers must have in common to share a run."""

    text: str
    operation_name: str | None
    variables: str
    tenant: str
    scopes: frozenset[str]


class Subscription:
    """One subscriber's place in a run: an iterator of payloads that holds at most one, the newest.

    Iteration ends when the source has ended and raises `SubscriptionFailed` when it has failed. `aclose` frees
    the place; iterating is safe to cancel and to go on with. A payload that `send_now` takes, and says so, is not
    iterated over: to wake a task for each of a thousand subscribers takes longer than to send.
    """

    __slots__ = ("_errors", "_is_over", "_newest", "_pending", "_run", "_waiter", "joined", "send_now")

    def __init__(self, run: "Run", joined: int) -> None:
        self.joined = joined
        self.send_now: Callable[[Payload], bool] | None = None
        self._run = run
        self._pending: Payload | None = None
        self._newest: Payload | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_over = False
        self._errors: list[FormattedError] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Payload:
        while self._pending is None:
            if self._errors is not None:
                raise SubscriptionFailed(self._errors)
            if self._is_over:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        payload, self._pending = self._pending, None
        return payload

    async def aclose(self) -> None:
        """Leave the run; the last to leave ends it."""
        self._run.leave(self)

    def holds(self, payload: Payload) -> bool:
        """Whether `payload` is what this subscriber was given last."""
        return self._newest == payload

    def give(self, payload: Payload) -> None:
        """The newest state takes the place of one that was not taken yet."""
        self._newest = payload
        if self._pending is None and self.send_now is not None and self.send_now(payload):
            return
        self._pending = payload
        self._wake()

    def end(self, errors: list[FormattedError] | None) -> None:
        """Nothing follows what is pending; with errors, because the run has failed."""
        self._is_over, self._errors = True, errors
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Run:
    """One execution of a subscription, by its root field's name, and everybody who shares it."""

    def __init__(self, field: str, on_finish: Callable[["Run"], None]) -> None:
        self.field = field
        self.refresh = Refresh()
        self._on_finish = on_finish
        self._subscribers: dict[Subscription, None] = {}
        self._answered = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def size(self) -> int:
        """How many share it."""
        return len(self._subscribers)

    def start(self, open_source: OpenSource) -> asyncio.Task[None]:
        self._task = asyncio.create_task(self._pump(open_source))
        return self._task

    def join(self) -> Subscription:
        """Attach first, then ask for a read: the joiner gets no state that is older than its coming (H2)."""
        subscription = Subscription(self, joined=self.refresh.ask())
        self._subscribers[subscription] = None
        return subscription

    def leave(self, subscription: Subscription) -> None:
        if subscription not in self._subscribers:
            return
        del self._subscribers[subscription]
        if not self._subscribers:
            self._finish()
            if self._task is not None:
                self._task.cancel()

    async def _pump(self, open_source: OpenSource) -> None:
        try:
            while self._subscribers:
                # Who came before the source begins needs no further read.
                self.refresh.clear()
                async with contextlib.aclosing(await open_source()) as events:
                    async for result in events:
                        await self._deliver(Payload.of(encode_outcome(outcome_of(result))))
                self._end_for_who_was_answered()
        except OperationRefused as refusal:
            self._end(refusal.errors)
        except GraphQLError as failure:
            self._end(format_errors([failure], ErrorCode.BAD_USER_INPUT))
        except Exception as cause:  # the edge: nothing leaves unmasked
            self._end([internal_error(cause)])
        finally:
            self._end(None)

    async def _deliver(self, payload: Payload) -> None:
        answered = self.refresh.answered
        was_asked_for = answered > self._answered
        self._answered = answered
        given = 0
        for number, subscription in enumerate(tuple(self._subscribers), 1):
            if subscription.joined > answered or (was_asked_for and subscription.holds(payload)):
                continue
            subscription.give(payload)
            given += 1
            if number % AT_A_TIME == 0:
                await asyncio.sleep(0)
        PAYLOADS.labels(self.field).inc()
        DELIVERIES.labels(self.field).inc(given)

    def _end_for_who_was_answered(self) -> None:
        """The source has ended. Who joined during its last read stays, for a source that begins after that."""
        answered = self.refresh.answered
        for subscription in [each for each in self._subscribers if each.joined <= answered]:
            del self._subscribers[subscription]
            subscription.end(None)

    def _end(self, errors: list[FormattedError] | None) -> None:
        ended = list(self._subscribers)
        self._subscribers.clear()
        self._finish()
        for subscription in ended:
            subscription.end(errors)

    def _finish(self) -> None:
        """From now on nobody joins."""
        self.refresh.stop()
        self._on_finish(self)


@dataclass(frozen=True, slots=True)
class Placed:
    """The `fields` whose subscribers each stand at a place of their own, which these `arguments` tell."""

    fields: Collection[str] = ()
    arguments: Collection[str] = ()

    def variables(self, operation: Operation) -> Collection[str]:
        """The variables that tell the place and nothing else."""
        places: set[str] = set()
        others: set[str] = set()
        field = operation.root_field
        told = [each.value for each in field.arguments or () if each.name.value in self.arguments]

        class Sorting(Visitor):
            def enter_variable(self, node: VariableNode, _key: Any, parent: Node, *_: Any) -> None:
                if not isinstance(parent, VariableDefinitionNode):
                    (places if any(node is each for each in told) else others).add(node.name.value)

        visit(operation.document, Sorting())
        return places - others


class Subscriptions:
    """The runs and the crowds of one process."""

    def __init__(
        self,
        operations: Operations,
        context_for_run: ContextForRun = with_refresh,
        placed: Placed | None = None,
    ) -> None:
        self._operations = operations
        self._context_for_run = context_for_run
        self._placed = placed or Placed()
        self._crowds = Crowds()
        self._runs: dict[RunKey, Run] = {}
        self._running: set[Run] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many different subscriptions there are."""
        return len(self._runs) + len(self._crowds)

    def subscribers(self) -> dict[str, list[int]]:
        """How many subscribers each different subscription has, by root field."""
        numbers: dict[str, list[int]] = {}
        for shared in (*self._running, *self._crowds):
            numbers.setdefault(shared.field, []).append(shared.size)
        return numbers

    def count(self) -> None:
        """Tell `server/telemetry/metrics.py` of what was given."""
        for crowd in self._crowds:
            crowd.count()

    def open(self, operation: Operation, context: OperationContext) -> Subscription | Stream:
        """Join all who have subscribed to the same. Raises `OperationRefused`."""
        field = operation.root_field.name.value
        if field in self._placed.fields:
            key = self._key(operation, context, without=self._placed.variables(operation))
            return self._crowds.join(
                field, key or object(), lambda: self._operations.source(operation, context)
            )
        key = self._key(operation, context)
        run = self._runs.get(key) if key else None
        return run.join() if run else self._start(key, operation, context)

    async def close(self) -> None:
        """End every run and wait until its source has let go."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, key: RunKey | None, operation: Operation, context: OperationContext) -> Subscription:
        def forget(finished: Run) -> None:
            if key and self._runs.get(key) is finished:
                del self._runs[key]

        run = Run(operation.root_field.name.value, on_finish=forget)
        self._running.add(run)
        if key:
            self._runs[key] = run
        subscription = run.join()
        run_context = self._context_for_run(context, run.refresh)
        task = run.start(lambda: self._operations.subscribe(operation, run_context))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._running.discard(run))
        return subscription

    def _key(
        self, operation: Operation, context: OperationContext, without: Collection[str] = ()
    ) -> RunKey | None:
        """None where the variables hold what JSON cannot show: such a subscription runs alone."""
        coerced = self._operations.executor(operation, context).variable_values.coerced
        coerced = {name: value for name, value in coerced.items() if name not in without}
        try:
            variables = orjson.dumps(coerced, option=orjson.OPT_SORT_KEYS).decode()
        except TypeError:
            return None
        viewer = context.viewer
        return RunKey(operation.text, operation.name, variables, viewer.tenant, viewer.scopes)
