"""uvicorn's HTTP protocol, where it is not ours.

A response's head and body are sent at once, who takes none of it may be dropped, and a request's head has a bound and a
time: uvicorn keeps as many headers as a client likes to send, and waits for them for ever.
"""

import asyncio
from typing import Any, Final, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

DROP = "stepgraph.drop"
MAX_HEAD: Final = 64 * 1024  # bytes
_TOO_LARGE: Final = b"The head of a request has at most %d bytes." % MAX_HEAD
HEAD_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n\r\n%b" % (len(_TOO_LARGE), _TOO_LARGE)
)


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

    head_seconds = 20.0

    _head_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0  # of the address and the headers that have come whole
    _unread_bytes = 0  # of which the parser has made nothing yet

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn declares a transport of its own kind
        super().connection_made(cast("asyncio.Transport", GatheringTransport(transport)))
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._have_head()

    def data_received(self, data: bytes) -> None:
        """A head that is too large is refused before its end; so are trailers, and extensions of chunks."""
        self._unread_bytes += len(data)
        super().data_received(data)
        if self._unread_bytes > MAX_HEAD and not self.transport.is_closing():
            self._refuse_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_head()
        self.scope["extensions"] = {DROP: {"call": self.transport.abort}}

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._head_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._head_bytes += len(name) + len(value) + len(": \r\n")
        if self._head_bytes > MAX_HEAD:
            raise ValueError("the head is too large")  # the parser makes of it that this is no HTTP

    def on_headers_complete(self) -> None:
        self._unread_bytes = 0
        self._have_head()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unread_bytes = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        if self._head_bytes > MAX_HEAD:
            self._refuse_head()
        else:
            super().send_400_response(msg)

    def handle_websocket_upgrade(self) -> None:
        self.transport = cast("GatheringTransport", self.transport).plain
        super().handle_websocket_upgrade()

    def _await_head(self) -> None:
        self._head_bytes = 0
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_seconds, self.transport.close)

    def _have_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse_head(self) -> None:
        self.transport.write(HEAD_TOO_LARGE)
        self.transport.close()
