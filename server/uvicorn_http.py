"""uvicorn's HTTP protocol, with a response's head and body sent at once, and a way to drop who takes none of it."""

import asyncio
from typing import Any, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

DROP = "stepgraph.drop"


def drop(scope: Scope) -> bool:
    """Break a request's connection, whatever is still to be written; false where another server than ours serves."""
    extension = scope.get("extensions", {}).get(DROP)
    if extension is not None:
        extension["call"]()
    return extension is not None


class GatheringTransport:
    """A transport that sends what is written in one turn of the event loop with one call to the system.

    uvicorn writes head and body apart, and uvloop sends each at once: two calls, and a client that is woken twice.
    """

    def __init__(self, plain: asyncio.Transport) -> None:
        self.plain = plain
        self._written: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)

    def write(self, data: bytes) -> None:
        if not self._written:
            asyncio.get_running_loop().call_soon(self._send)
        self._written.append(data)

    def close(self) -> None:
        self._send()
        self.plain.close()

    def _send(self) -> None:
        written, self._written = self._written, []
        if written and not self.plain.is_closing():
            self.plain.writelines(written)


class UvicornHTTP(HttpToolsProtocol):
    """Writes through a `GatheringTransport`, until it is a WebSocket; applications may `drop` the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn declares a transport of its own kind
        super().connection_made(cast("asyncio.Transport", GatheringTransport(transport)))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {DROP: {"call": self.transport.abort}}

    def handle_websocket_upgrade(self) -> None:
        self.transport = cast("GatheringTransport", self.transport).plain
        super().handle_websocket_upgrade()
