"""WebSocket subscribers in a process of their own, which count frames and decode none of them.

    python -m tests.benchmarks.subscribers

Asked `{"open": …}`, once in its life, it opens `count` sockets on `url`, and answers once each has its first event.
Asked `{"trigger": …}` it sends each of these bodies as a POST, the next once every socket has had one more event.
"""

import asyncio
import json
import sys
import time
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from tests.benchmarks.load import Connection, http_request
from tests.benchmarks.processes import tell

_OPENING = 50  # at a time
_OPENING_SECONDS = 600
_EVENT_SECONDS = 60
_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA
HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nhost: {host}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n"
    "sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
)


def client_frame(opcode: int, payload: bytes) -> bytes:
    """A frame as clients send it, masked (with zeros, which change nothing)."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126, *size.to_bytes(2, "big")])
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


class Audience:
    """All sockets together: whether each has had as many events as are awaited."""

    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self.events = 0
        self.last = b""
        self._awaited = 0
        self._missing = 0
        self._complete = asyncio.Event()

    async def opened(self, count: int) -> None:
        """Await the first event of so many sockets that are about to open."""
        self._await_one_more(count)
        async with asyncio.timeout(_OPENING_SECONDS):
            await self._complete.wait()

    def expect(self) -> None:
        """From now on one more event of each socket is awaited."""
        self._await_one_more(len(self.sockets))

    async def complete(self) -> None:
        """Returns when it is there."""
        async with asyncio.timeout(_EVENT_SECONDS):
            await self._complete.wait()

    def take(self, number: int, payload: bytes) -> None:
        """A socket's event, the `number`-th."""
        self.events += 1
        if number != self._awaited:
            return
        self._missing -= 1
        if not self._missing:
            self.last = payload
            self._complete.set()

    def _await_one_more(self, count: int) -> None:
        self._complete.clear()
        self._awaited += 1
        self._missing = count


class Socket(asyncio.Protocol):
    """One subscriber: handshake, `connection_init`, `subscribe`, then frames."""

    def __init__(self, audience: Audience, handshake: bytes, subscribe: bytes) -> None:
        self._audience = audience
        self._handshake = handshake
        self._subscribe = subscribe
        self._buffer = bytearray()
        self._is_open = False
        self._is_acknowledged = False
        self._transport: asyncio.Transport
        self.events = 0
        self.failure: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._handshake)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._is_open:
            self._open()
        while (frame := self._frame()) is not None:
            self._take(*frame)

    def _open(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end >= 0:
            assert self._buffer.startswith(b"HTTP/1.1 101"), bytes(self._buffer)
            del self._buffer[: end + 4]
            self._is_open = True
            self._transport.write(client_frame(_TEXT, b'{"type":"connection_init"}'))

    def _frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if not self._is_open or len(buffer) < 2:
            return None
        size, begin = buffer[1], 2
        if size == 126:
            size, begin = int.from_bytes(buffer[2:4], "big"), 4
        elif size == 127:
            size, begin = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < begin + size:
            return None
        opcode, payload = buffer[0] & 0x0F, bytes(buffer[begin : begin + size])
        del buffer[: begin + size]
        return opcode, payload

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == _PING:
            self._transport.write(client_frame(_PONG, payload))
        elif opcode == _CLOSE:
            self.failure = repr(payload)
        elif self._is_acknowledged:
            self.events += 1
            self._audience.take(self.events, payload)
        else:
            self._is_acknowledged = True
            self._transport.write(client_frame(_TEXT, self._subscribe))


class Subscribers:
    """The sockets on one server, and the connection for what triggers events."""

    def __init__(self) -> None:
        self._audience = Audience()

    async def open(
        self, url: str, count: int, payload: dict[str, Any], ids: list[str] | None = None
    ) -> dict[str, Any]:
        """Open the sockets, subscribe each to the same, or each to another id."""
        place = urlsplit(url)
        handshake = HANDSHAKE.format(path="/graphql", host=place.netloc).encode()
        opening = asyncio.Semaphore(_OPENING)

        async def open_one(number: int) -> None:
            variables = {"variables": {"id": ids[number]}} if ids else {}
            message = {"id": "1", "type": "subscribe", "payload": {**payload, **variables}}
            subscribe = json.dumps(message).encode()
            async with opening:
                loop = asyncio.get_running_loop()
                _, socket = await loop.create_connection(
                    lambda: Socket(self._audience, handshake, subscribe), place.hostname, place.port
                )
                self._audience.sockets.append(socket)

        await asyncio.gather(self._audience.opened(count), *(open_one(number) for number in range(count)))
        return self._told(0)

    async def trigger(self, url: str, bodies: list[str]) -> dict[str, Any]:
        """Send one body after the other; returns how long all events took."""
        begun, before = time.perf_counter(), self._audience.events
        for body in bodies:
            self._audience.expect()
            await asyncio.gather(_post(url, body), self._audience.complete())
        return {**self._told(before), "seconds": time.perf_counter() - begun}

    def _told(self, before: int) -> dict[str, Any]:
        failures = [socket.failure for socket in self._audience.sockets if socket.failure]
        assert not failures, failures[0]
        return {"events": self._audience.events - before, "last": self._audience.last.decode()}


async def _post(url: str, body: str) -> None:
    place = urlsplit(url)
    request = http_request({"method": "POST", "path": "/graphql", "body": body}, place.netloc)
    _, connection = await asyncio.get_running_loop().create_connection(
        lambda: Connection(iter([request]), b"TransitionSuccess", float("inf")), place.hostname, place.port
    )
    connection.begin()
    await connection.ended
    connection.close()
    assert not connection.refused, connection.refused


async def answer_questions() -> None:
    """Until there are no more. Reading them does not stop the loop, which answers the server's pings."""
    subscribers = Subscribers()
    tell("ready")
    while line := await asyncio.to_thread(sys.stdin.readline):
        ((verb, asked),) = json.loads(line).items()
        work = subscribers.open if verb == "open" else subscribers.trigger
        tell(await work(**asked))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(answer_questions())
