"""The server with faults that only a test may have: `python -m tests.live.chaos.serve serve …`.

SIGUSR1: it dies at its next commit before the doorbell is rung; SIGUSR2: after that, before the client is answered. The
variable `CHAOS` is a `Harm` as JSON. What it did is appended to the log that `Harm` names, a line of JSON each.
"""

import asyncio
import os
import random
from dataclasses import dataclass
from functools import partial
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any

import orjson
from broadcaster import BroadcastBackend, Event

import server.__main__ as program
import server.app
from server.live import broadcast
from server.live.feed import Feed, FeedTiming
from server.live.watches import WatchedTree
from server.transports.endpoint import GraphQLEndpoint, TransportLimits
from server.transports.protocol import CloseCode
from server.transports.sse import EventStreamLimits
from server.transports.uvicorn_http import UvicornHTTP
from server.transports.websocket_connection import Connection, WebSocketLimits
from tests.live.chaos.deaths import Deaths, set_points
from tests.live.chaos.deeds import Deeds

VARIABLE = "CHAOS"
SEND_BUFFER = 4 << 10  # bytes, so that a reader that takes nothing is soon noticed


@dataclass(frozen=True)
class Harm:
    """Shares of the rings heard that are lost, doubled, or held back behind later ones; seconds; at which point of
    `deaths.py` it dies, after it has passed it so often."""

    log: str
    seed: int = 0
    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    sweep: float = 1.0
    stall: float = 1.5
    keepalive: float = 0.5
    dies_at: str = ""
    passes: int = 0


class HarmfulBackend(BroadcastBackend):
    """Loses, doubles and holds back rings. Heartbeats pass, so that the broker seems to be well."""

    def __init__(self, backend: BroadcastBackend, harm: Harm, chance: random.Random, deeds: Deeds) -> None:
        self._backend = backend
        self._harm = harm
        self._chance = chance
        self._deeds = deeds
        self._ready: list[Event] = []
        self._held: list[Event] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    async def connect(self) -> None:
        await self._backend.connect()

    async def disconnect(self) -> None:
        await self._backend.disconnect()

    async def subscribe(self, channel: str) -> None:
        await self._backend.subscribe(channel)

    async def unsubscribe(self, channel: str) -> None:
        await self._backend.unsubscribe(channel)

    async def publish(self, channel: str, message: str) -> None:
        await self._backend.publish(channel, message)

    async def next_published(self) -> Event:
        while not self._ready:
            event = await self._backend.next_published()
            if not event.message.startswith("ring "):
                self._ready = [event, *self._release()]
            elif (share := self._chance.random()) < self._harm.lost:
                self._deeds.note("ring lost")
            elif (share := share - self._harm.lost) < self._harm.doubled:
                self._deeds.note("ring doubled")
                self._ready = [event, event]
            elif share - self._harm.doubled < self._harm.late:
                self._held.append(event)
            else:
                self._ready = [event, *self._release()]
        return self._ready.pop(0)

    def _release(self) -> list[Event]:
        """What was held back, the newest first."""
        released, self._held = self._held[::-1], []
        if released:
            self._deeds.note("ring late", number=len(released))
        return released


def harm_the_doorbell(harm: Harm, deeds: Deeds) -> None:
    """What is heard of it."""
    make = broadcast.backend_maker
    chance = random.Random(harm.seed)  # noqa: S311 – repeatable

    def harmful(*arguments: Any) -> Any:
        make_backend = make(*arguments)
        return lambda: HarmfulBackend(make_backend(), harm, chance, deeds)

    broadcast.backend_maker = harmful


def note_what_the_sweep_finds(deeds: Deeds) -> None:
    """Revisions that no ring had told of."""
    place = Feed._place

    def noting(feed: Feed, tree: WatchedTree, before: int | None, revision: int) -> None:
        known = max(tree.position or 0, tree.wanted, tree.confirmed)
        if before is not None and revision > known:
            deeds.note("swept", root=tree.root_id, revision=revision)
        place(feed, tree, before, revision)

    Feed._place = noting  # type: ignore[method-assign]  # harmed on purpose


def note_who_stalls(deeds: Deeds) -> None:
    """Sockets that are closed because their reader takes nothing."""
    close = Connection.close

    async def noting(connection: Connection, code: CloseCode, reason: str) -> None:
        if code is CloseCode.TRY_AGAIN_LATER:
            deeds.note("stalled")
        await close(connection, code, reason)

    Connection.close = noting  # type: ignore[method-assign]  # harmed on purpose


def hasten(harm: Harm) -> None:
    """Shorter times, so that minutes hold many faults; a small buffer for what is sent."""
    limits = TransportLimits(
        events=EventStreamLimits(keepalive=harm.keepalive, stall_timeout=harm.stall),
        websocket=WebSocketLimits(stall_timeout=harm.stall, close_timeout=0.2),
    )
    server.app.GraphQLEndpoint = partial(GraphQLEndpoint, limits=limits)  # type: ignore[misc,assignment]  # harmed on purpose
    server.app.Feed = partial(Feed, timing=FeedTiming(sweep=harm.sweep, poll=0.3))  # type: ignore[misc,assignment]  # harmed on purpose
    connected = UvicornHTTP.connection_made

    def connected_narrowly(protocol: UvicornHTTP, transport: asyncio.Transport) -> None:
        transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)
        connected(protocol, transport)

    UvicornHTTP.connection_made = connected_narrowly  # type: ignore[method-assign,assignment]  # harmed on purpose


def main() -> None:
    harm = Harm(**orjson.loads(os.environ[VARIABLE]))
    deeds = Deeds(harm.log)
    set_points(Deaths(deeds, harm.dies_at, harm.passes))
    harm_the_doorbell(harm, deeds)
    note_what_the_sweep_finds(deeds)
    note_who_stalls(deeds)
    hasten(harm)
    deeds.note("started", pid=os.getpid())
    program.main()


if __name__ == "__main__":
    main()
