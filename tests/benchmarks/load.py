"""Load over HTTP from a process of its own: raw sockets, so that the client is not what is measured.

    python -m tests.benchmarks.load

Each line asked: `url`; `queues`, for each connection the requests (`method`, `path`, `body`) that it sends one after the
other; `seconds`, for which each queue is repeated, or null for once; `mark`, which each response must hold.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from tests.benchmarks.processes import tell


def http_request(request: dict[str, str], host: str) -> bytes:
    """The bytes of a request."""
    body = request.get("body", "").encode()
    head = (
        f"{request['method']} {request['path']} HTTP/1.1\r\nhost: {host}\r\naccept: application/json\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection(asyncio.Protocol):
    """One keep-alive connection: sends the next request when the response to the last one is there."""

    def __init__(self, requests: Iterator[bytes], mark: bytes, until: float) -> None:
        self._requests = requests
        self._mark = mark
        self._until = until
        self._buffer = bytearray()
        self._transport: asyncio.Transport
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.done = 0
        self.refused: list[str] = []
        self.last = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def begin(self) -> None:
        """Send the first request."""
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self._buffer.find(b"content-length: ", 0, head) + 16
        length = int(self._buffer[at : self._buffer.find(b"\r", at)])
        if len(self._buffer) < head + 4 + length:
            return
        self._take(bytes(self._buffer[head + 4 :]))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(exc or ConnectionError("the server closed the connection"))

    def close(self) -> None:
        self._transport.close()

    def _take(self, body: bytes) -> None:
        self._buffer.clear()
        self.done += 1
        self.last = body
        if self._mark not in body:
            self.refused.append(body.decode()[:500])
        self._send()

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None or time.perf_counter() >= self._until:
            self.ended.set_result(None)
        else:
            self._transport.write(request)


async def run(asked: dict[str, Any]) -> dict[str, Any]:
    """All queues at once; returns how many responses came in how many seconds, and the last of them."""
    place = urlsplit(asked["url"])
    loop = asyncio.get_running_loop()
    queues = [[http_request(each, place.netloc) for each in queue] for queue in asked["queues"]]
    seconds = asked["seconds"]
    until = time.perf_counter() + seconds if seconds else float("inf")
    connections = []
    for queue in queues:
        requests = cycle(queue) if seconds else iter(queue)
        _, connection = await loop.create_connection(
            lambda requests=requests: Connection(requests, asked["mark"].encode(), until),  # type: ignore[misc]
            place.hostname,
            place.port,
        )
        connections.append(connection)
    begun = time.perf_counter()
    for connection in connections:
        connection.begin()
    await asyncio.gather(*(connection.ended for connection in connections))
    elapsed = time.perf_counter() - begun
    for connection in connections:
        connection.close()
    return {
        "done": sum(connection.done for connection in connections),
        "seconds": elapsed,
        "refused": [text for connection in connections for text in connection.refused][:3],
        "last": connections[0].last.decode(),
    }


def main() -> None:
    """Answer questions until there are no more."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tell("ready")
        for line in sys.stdin:
            tell(runner.run(run(json.loads(line))))


if __name__ == "__main__":
    main()
