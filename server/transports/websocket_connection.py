"""One socket: its handshake of the protocol, its operations, and its end (`live.md` W2, W3, H4).

Messages and close codes are `server/transports/protocol.py`.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.types import Message, Send
from starlette.websockets import WebSocket

from server.operations.operations import (
    ContextFor,
    Operation,
    OperationContext,
    OperationRefused,
    Operations,
    Viewer,
)
from server.operations.payload import Payload, SubscriptionFailed
from server.operations.responses import ErrorCode, encode_outcome, error, internal_error
from server.operations.subscriptions import Subscription, Subscriptions
from server.transports.protocol import (
    CONNECTION_ACK,
    CloseCode,
    Complete,
    ConnectionInit,
    MalformedMessage,
    Ping,
    Subscribe,
    complete_message,
    error_message,
    next_prefix,
    parse_message,
    pong_message,
)
from server.transports.running_operations import RunningOperation, RunningOperations
from server.transports.uvicorn_websocket import SEND_TEXT_NOW
from server.trust.authentication import (
    Authenticate,
    TokenExpired,
    Unauthenticated,
    Undecided,
    authenticated,
    seconds_left,
    why_over,
)

INIT_TIMEOUT: Final = "Connection initialisation timeout"
MAX_REASON: Final = 123  # bytes, RFC 6455 5.5


@dataclass(frozen=True, slots=True)
class WebSocketLimits:
    """Times in seconds. The size of a message is uvicorn's `ws_max_size`."""

    operations: int = 100
    init_timeout: float = 10.0
    # A reader that takes nothing for so long is closed, and dropped where even that cannot be written.
    stall_timeout: float = 30.0
    close_timeout: float = 1.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all sockets share. `unfinished` are queries and mutations whose socket has gone: they may end."""

    operations: Operations
    subscriptions: Subscriptions
    context_for: ContextFor
    authenticate: Authenticate
    limits: WebSocketLimits
    unfinished: set[asyncio.Task[None]] = field(default_factory=set)


class CloseSocket(Exception):
    """Closes the socket whose message is being handled."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(reason)


class SocketGone(Exception):
    """Nothing can be sent any more."""


class Connection:
    """One client and its operations."""

    def __init__(self, surroundings: Surroundings, websocket: WebSocket[Any], send: Send) -> None:
        self._surroundings = surroundings
        self._limits = surroundings.limits
        self._websocket = websocket
        # The server's own: Starlette's checks a state that `_is_closed` is.
        self._send_frame = send
        self._operations = RunningOperations()
        # Who connects; nobody before `connection_init`.
        self._viewer: Viewer | None = None
        self._trust = contextlib.ExitStack()
        self._is_closed = False
        self._is_dropped = False
        self._blocked_since: float | None = None
        self._loop = asyncio.get_running_loop()
        self._reader = asyncio.current_task()
        self._timer = self._loop.call_later(self._limits.init_timeout, self._init_is_overdue)
        self._closer: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve the socket until either side has closed it."""
        try:
            while (frame := await self._websocket.receive())["type"] != "websocket.disconnect":
                await self._answer(frame)
                del frame  # as large as it may be, until the next comes
        except SocketGone:
            pass
        except asyncio.CancelledError:
            if not self._is_dropped or (self._reader and self._reader.uncancel()):
                raise
        except Exception as cause:  # the edge: nothing leaves unmasked
            await self.close(CloseCode.INTERNAL_SERVER_ERROR, internal_error(cause)["message"])
        finally:
            self._release()

    async def close(self, code: CloseCode, reason: str) -> None:
        """Close from our side; drop the connection if the peer does not even take that."""
        if self._is_closed:
            return
        self._is_closed = True
        frame = {"type": "websocket.close", "code": code, "reason": _shortened(reason)}
        try:
            async with asyncio.timeout(self._limits.close_timeout):
                await self._send_frame(frame)
        except TimeoutError:
            self._drop()
        except OSError:
            pass  # gone already, and the reader hears of it

    async def _answer(self, frame: Message) -> None:
        if self._is_closed:
            return
        try:
            text = frame.get("text")
            if text is None:
                raise CloseSocket(CloseCode.BAD_REQUEST, "Binary frames are not of this protocol.")
            await self._handle(text)
        except MalformedMessage as malformed:
            await self.close(CloseCode.BAD_REQUEST, str(malformed))
        except CloseSocket as close:
            await self.close(close.code, close.reason)

    async def _handle(self, text: str) -> None:
        match parse_message(text):
            case ConnectionInit() as message:
                await self._handle_connection_init(message)
            case Ping(payload):
                await self._send(pong_message(payload))
            case Subscribe() as message:
                await self._handle_subscribe(message)
            case Complete(operation_id):
                self._operations.abandon(operation_id)

    async def _handle_connection_init(self, message: ConnectionInit) -> None:
        if self._viewer is not None:
            code = CloseCode.TOO_MANY_INITIALISATION_REQUESTS
            raise CloseSocket(code, "Too many initialisation requests")
        self._timer.cancel()
        self._viewer = await self._authenticate(message.payload)
        if self._viewer.trust is not None:
            self._trust.enter_context(self._viewer.trust.told(self._look_after))
        self._look_after()
        await self._send(CONNECTION_ACK)

    async def _authenticate(self, payload: Mapping[str, Any]) -> Viewer:
        """Raises `CloseSocket` with a code on which clients come again, or with 4401, on which they do not."""
        state = self._websocket.state
        state.connection_init = payload
        try:
            async with asyncio.timeout(self._limits.init_timeout):
                return await authenticated(self._surroundings.authenticate, self._websocket)
        except TokenExpired as expired:
            raise CloseSocket(CloseCode.FORBIDDEN, str(expired)) from None
        except Unauthenticated as cause:
            raise CloseSocket(CloseCode.UNAUTHORIZED, str(cause)) from None
        except Undecided as cause:
            raise CloseSocket(CloseCode.TRY_AGAIN_LATER, str(cause)) from None
        except TimeoutError:
            raise CloseSocket(CloseCode.CONNECTION_INITIALISATION_TIMEOUT, INIT_TIMEOUT) from None
        finally:
            del state.connection_init  # as large as a message may be, and a secret

    async def _handle_subscribe(self, message: Subscribe) -> None:
        if self._viewer is None:
            raise CloseSocket(CloseCode.UNAUTHORIZED, "Unauthorized")
        if self._has_expired():
            raise CloseSocket(CloseCode.FORBIDDEN, why_over(self._viewer))
        if message.id in self._operations:
            code = CloseCode.SUBSCRIBER_ALREADY_EXISTS
            raise CloseSocket(code, f"Subscriber for {message.id} already exists")
        try:
            operation = self._admit(message)
        except OperationRefused as refusal:
            await self._send(error_message(message.id, refusal.errors))
            return
        running = self._operations.add(message.id, is_subscription=operation.is_subscription)
        running.task = asyncio.create_task(self._serve(running, operation))

    def _admit(self, message: Subscribe) -> Operation:
        limit = self._limits.operations
        if len(self._operations) >= limit:
            text = f"A socket has at most {limit} operations at a time."
            raise OperationRefused([error(text, ErrorCode.TOO_MANY_OPERATIONS)])
        if message.fault:
            raise OperationRefused([error(message.fault, ErrorCode.BAD_REQUEST)])
        return self._surroundings.operations.prepare(message.request)

    async def _serve(self, running: RunningOperation, operation: Operation) -> None:
        try:
            await (self._stream if operation.is_subscription else self._execute)(running, operation)
            last = complete_message(running.id)
        except SocketGone:
            return
        except (OperationRefused, SubscriptionFailed) as failure:
            last = error_message(running.id, failure.errors)
        except Exception as cause:  # the edge: nothing leaves unmasked
            last = error_message(running.id, [internal_error(cause)])
        finally:
            self._operations.forget(running)
        await self._send_for(running, last)

    async def _stream(self, running: RunningOperation, operation: Operation) -> None:
        authorise, viewer = self._surroundings.operations.authorise, self._websocket.state.viewer
        authorise(operation, viewer)
        prefix = next_prefix(running.id)
        opened = self._surroundings.subscriptions.open(operation, self._context(running))
        if isinstance(opened, Subscription):
            opened.send_now = self._sender(prefix.encode(), operation)
        async with contextlib.aclosing(opened) as payloads:
            async for payload in payloads:
                authorise(operation, viewer)
                await self._send(f"{prefix}{payload.text}}}")

    def _sender(self, prefix: bytes, operation: Operation) -> Callable[[Payload], bool] | None:
        """What sends a payload at once, where the server can and nothing forbids it or is before it."""
        write: Callable[..., bool] | None
        write = self._websocket.scope.get("extensions", {}).get(SEND_TEXT_NOW)
        if write is None:
            return None
        authorise, viewer = self._surroundings.operations.authorise, self._websocket.state.viewer

        def send(payload: Payload) -> bool:  # a thousand times for each change: every call in it counts
            if self._is_closed or self._blocked_since is not None:
                return False
            if viewer.expires_at is not None and self._has_expired():
                return False
            try:
                authorise(operation, viewer)
            except OperationRefused:
                return False
            return write(b"%b%b}" % (prefix, payload.data))

        return send

    async def _execute(self, running: RunningOperation, operation: Operation) -> None:
        outcome = await self._surroundings.operations.execute(operation, self._context(running))
        if not outcome.was_executed:
            raise OperationRefused(outcome.errors)
        await self._send_for(running, f"{next_prefix(running.id)}{encode_outcome(outcome).decode()}}}")

    def _context(self, running: RunningOperation) -> OperationContext:
        return self._surroundings.context_for(self._websocket, running.unwanted)

    async def _send_for(self, running: RunningOperation, text: str) -> None:
        """Send what is still wanted, if it can be."""
        if running.is_wanted:
            with contextlib.suppress(SocketGone):
                await self._send(text)

    async def _send(self, text: str) -> None:
        if self._has_expired():
            await self.close(CloseCode.FORBIDDEN, why_over(self._viewer))
        if self._is_closed:
            raise SocketGone
        if self._blocked_since is None:
            self._blocked_since = self._loop.time()
        try:
            await self._send_frame({"type": "websocket.send", "text": text})
        except OSError:
            raise SocketGone from None
        finally:
            self._blocked_since = None

    def _init_is_overdue(self) -> None:
        self._close_soon(CloseCode.CONNECTION_INITIALISATION_TIMEOUT, INIT_TIMEOUT)

    def _look_after(self) -> None:
        """Close for a token that is good no more and for a reader that takes nothing, though nothing is sent."""
        patience = self._limits.stall_timeout
        since = self._blocked_since
        if self._has_expired():
            self._close_soon(CloseCode.FORBIDDEN, why_over(self._viewer))
        elif since is not None and self._loop.time() - since >= patience:
            self._close_soon(CloseCode.TRY_AGAIN_LATER, "The reader takes nothing.")
        else:
            self._timer = self._loop.call_later(min(patience / 4, self._seconds_left()), self._look_after)

    def _close_soon(self, code: CloseCode, reason: str) -> None:
        self._closer = asyncio.create_task(self.close(code, reason))

    def _has_expired(self) -> bool:
        return self._seconds_left() <= 0

    def _seconds_left(self) -> float:
        return seconds_left(self._viewer)

    def _drop(self) -> None:
        self._is_dropped = True
        if self._reader is not None:
            self._reader.cancel()

    def _release(self) -> None:
        self._is_closed = True
        self._timer.cancel()
        self._trust.close()
        self._operations.release(self._surroundings.unfinished)


def _shortened(reason: str) -> str:
    return reason.encode()[:MAX_REASON].decode(errors="ignore")
