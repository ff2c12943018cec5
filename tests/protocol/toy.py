"""A schema small enough to show what the transports do: a counter that tests move, and faults of every kind."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import datetime

import orjson
import strawberry
from graphql import GraphQLError
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types import Info

from schema.allowance import Allowance
from schema.trust import Trust


@dataclass
class ToyViewer:
    """Tests may let it expire at any moment."""

    tenant: str = "default"
    actor: str | None = None
    scopes: frozenset[str] = frozenset()
    expires_at: datetime | None = None
    trust: Trust | None = None


class World:
    """The counter, who watches it, and signals of what its readers do."""

    def __init__(self) -> None:
        self.value = 0
        self.reads = 0
        self.sources = 0
        self.watches: set[asyncio.Event] = set()
        self.moved = asyncio.Condition()
        self.may_read = asyncio.Event()
        self.may_read.set()
        self.may_finish = asyncio.Event()
        self.is_over = False

    def change(self, value: int) -> None:
        self.value = value
        self.wake()

    def wake(self) -> None:
        for watch in self.watches:
            watch.set()

    def end(self) -> None:
        self.is_over = True
        self.wake()

    async def note(self) -> None:
        async with self.moved:
            self.moved.notify_all()

    async def until(self, *, sources: int | None = None, reads: int | None = None) -> None:
        """Wait until so many sources are open, or so many reads have begun."""
        async with self.moved:
            await self.moved.wait_for(
                lambda: (
                    (sources is None or self.sources == sources) and (reads is None or self.reads >= reads)
                )
            )


@dataclass(frozen=True)
class ToyContext:
    world: World
    viewer: ToyViewer = field(default_factory=ToyViewer)
    refresh: asyncio.Event = field(default_factory=asyncio.Event)
    allowance: Allowance = field(default_factory=Allowance)


ToyInfo = Info[ToyContext, None]


@strawberry.type
class Counter:
    value: int
    text: str


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "world"

    @strawberry.field
    def echo(self, text: str) -> str:
        return text

    @strawberry.field
    def counters(self, first: int = 10) -> list[Counter]:
        return [Counter(value=value, text="") for value in range(first)]

    @strawberry.field
    def viewer(self, info: ToyInfo) -> str:
        return info.context.viewer.tenant

    @strawberry.field
    def extensions(self, info: ToyInfo) -> str:
        return orjson.dumps(info.input_extensions).decode()

    @strawberry.field
    def projected(self) -> str:
        return orjson.Fragment(b'{"ready":"made"}')  # type: ignore[return-value]

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError("the password is swordfish")

    @strawberry.field
    def required_but_broken(self) -> str:
        raise RuntimeError("the password is swordfish")

    @strawberry.field
    def refused(self) -> str | None:
        raise GraphQLError("There is no such thing.", extensions={"code": "NOT_FOUND"})

    @strawberry.field
    def surrogate(self) -> str:
        return "\ud800"

    @strawberry.field
    async def slow(self, info: ToyInfo) -> str:
        info.context.world.sources += 1
        await info.context.world.note()
        await info.context.world.may_finish.wait()
        info.context.world.sources -= 1
        await info.context.world.note()
        return "done"

    @strawberry.field
    async def patient(self, info: ToyInfo) -> str:
        """Waits for somebody else's doing."""
        with info.context.allowance.uncounted():
            await info.context.world.may_finish.wait()
        return "done"

    @strawberry.field
    async def slow_after_waiting(self, info: ToyInfo) -> str:
        with info.context.allowance.uncounted():
            await info.context.world.may_finish.wait()
        await asyncio.Event().wait()
        return "never"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def change(self, info: ToyInfo, value: int) -> int:
        info.context.world.change(value)
        return value

    @strawberry.mutation
    async def change_slowly(self, info: ToyInfo, value: int) -> int:
        world = info.context.world
        await world.may_finish.wait()
        world.change(value)
        return value


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def counter(self, info: ToyInfo, size: int = 0) -> AsyncGenerator[Counter, None]:
        world, refresh = info.context.world, info.context.refresh
        watch = asyncio.Event()
        world.watches.add(watch)
        world.sources += 1
        await world.note()
        try:
            while True:
                is_last = world.is_over
                value = world.value
                world.reads += 1
                await world.note()
                await world.may_read.wait()
                yield Counter(value=value, text="x" * size)
                if is_last:
                    return
                await first_of(watch, refresh)
                watch.clear()
                refresh.clear()
        finally:
            world.watches.discard(watch)
            world.sources -= 1
            await world.note()

    @strawberry.subscription
    async def counters(self, first: int = 10) -> AsyncGenerator[list[Counter], None]:
        yield [Counter(value=value, text="") for value in range(first)]

    @strawberry.subscription
    async def broken(self) -> AsyncGenerator[int, None]:
        yield 1
        raise RuntimeError("the password is swordfish")

    @strawberry.subscription
    async def refused(self) -> AsyncGenerator[int, None]:
        raise GraphQLError("There is no such thing.", extensions={"code": "NOT_FOUND"})
        yield 1


class ToyExecutor(StrawberryGraphQLCoreExecutionContext):
    """Lets ready-made JSON through, as the projection does."""

    def complete_value(self, return_type, field_details_list, info, path, result, *rest):  # type: ignore[no-untyped-def]
        if isinstance(result, orjson.Fragment):
            return result
        return super().complete_value(return_type, field_details_list, info, path, result, *rest)


async def first_of(*events: asyncio.Event) -> None:
    """Return when one of the events is set."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for waiter in waiting:
            waiter.cancel()


def toy_schema() -> strawberry.Schema:
    return strawberry.Schema(
        query=Query, mutation=Mutation, subscription=Subscription, execution_context_class=ToyExecutor
    )
