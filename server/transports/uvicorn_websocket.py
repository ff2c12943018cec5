"""uvicorn's WebSocket connection, where its way to end one makes GraphQL clients give up (`live.md` W2, W3, H4).

Pings and their timing are uvicorn's own (`ws_ping_interval`, `ws_ping_timeout`).
"""

import asyncio
from functools import lru_cache
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from server.transports.protocol import CloseCode

UNREADABLE_HANDSHAKE: Final = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
SEND_TEXT_NOW: Final = "stepgraph.send_text_now"
ABORT_AFTER: Final = 1.0  # seconds that a peer has to take a close frame


@lru_cache(maxsize=64)
def text_frame_head(size: int) -> bytes:
    """What stands before an unmasked text of so many bytes in a frame of its own (RFC 6455 5.2)."""
    if size < 126:
        return bytes((0x81, size))
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")


class UvicornWebSocket(WebSocketsSansIOProtocol):
    """For `uvicorn.Config(ws=UvicornWebSocket)`."""

    def start_keepalive(self) -> None:
        """The handshake is over: its headers, which the scope has too, are a tenth of what an idle socket takes."""
        super().start_keepalive()
        self.request.headers.clear()  # the parser of websockets keeps the request
        del self.request, self.response

    def shutdown(self) -> None:
        """A handshake that meets it is answered here, and what the application says to it comes too late."""
        is_refused = not self.handshake_complete and not self.close_sent
        super().shutdown()
        self.disconnected = self.disconnected or is_refused

    def keepalive_timeout(self) -> None:
        """A peer that does not answer pings may come back: 1013, where uvicorn sends 1011."""
        self.pong_timer = None
        self.pending_ping_payload = None
        if not self.close_sent and not self.transport.is_closing():
            self._end(CloseCode.TRY_AGAIN_LATER, "The ping was not answered.")

    def data_received(self, data: bytes) -> None:
        """A handshake that cannot be read, for its headers are too many or too long, ends: uvicorn waits for ever."""
        super().data_received(data)
        if (
            self.conn.handshake_exc is not None
            and not self.handshake_initiated
            and not self.transport.is_closing()
        ):
            self.transport.write(UNREADABLE_HANDSHAKE)
            self.transport.close()

    def send_receive_event_to_app(self) -> None:
        """Text that is not UTF-8 is a malformed frame like any other: 4400, and no traceback in the log."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self._end(CloseCode.BAD_REQUEST, "The message is not UTF-8.")
                return
        super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        """As uvicorn's, but an event that the application sends before it hears of the end is not its mistake."""
        self.disconnected = True
        super().handle_parser_exception()

    async def send(self, message: Any) -> None:
        """As uvicorn's, which takes a handshake that is answered with an HTTP response for one without an answer."""
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True

    def send_text_now(self, text: bytes) -> bool:
        """Write a text frame, unless the peer is slow or gone; whether it was written. An extension of ASGI.

        Not by way of `websockets`, whose frame takes as long to make as all else together; there is no extension that it
        would have to go through, for compression is off.
        """
        transport = self.transport
        if self.close_sent or self.disconnected or not self.writable.is_set() or transport.is_closing():
            return False
        transport.write(text_frame_head(len(text)) + text)
        return True

    async def run_asgi(self) -> None:
        """Closing waits for a peer to take what was written: not for one that takes nothing."""
        extensions: dict[str, Any] = self.scope["extensions"]
        extensions[SEND_TEXT_NOW] = self.send_text_now
        await super().run_asgi()
        if not self.writable.is_set():
            self.transport.abort()

    def _end(self, code: CloseCode, reason: str) -> None:
        self.disconnected = True  # `send` says so to the application, which has not heard yet
        self.conn.fail(code, reason)
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()
        asyncio.get_running_loop().call_later(ABORT_AFTER, self.transport.abort)
