"""The client's side of `graphql-transport-ws`: one stream, and queries beside it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Final

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from server.transports.protocol import SUBPROTOCOL, CloseCode
from server.watching.address import Address
from server.watching.token import TokenRefused

JSON = dict[str, Any]

_STREAM: Final = "stream"
# In seconds, for the handshake and for the acknowledgement each.
_TIMEOUT: Final = 10.0
# The codes of the protocol begin here; all but one say that the same would happen again.
_FIRST_OF_PROTOCOL: Final = 4400
_OF_TOKENS: Final = (CloseCode.UNAUTHORIZED, CloseCode.FORBIDDEN)


class CannotConnect(Exception):
    """Nobody answers there, or not in this protocol."""


class ConnectionLost(Exception):
    """What worked has ended; it is worth connecting again."""


class Refused(Exception):
    """What the server answers to an operation that it does not carry out."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class Connection:
    """An acknowledged socket. One reader at a time. Whatever is sent or received may raise `TokenRefused`."""

    def __init__(self, socket: ClientConnection, token: str | None) -> None:
        self._socket = socket
        self._token = token
        # Of the stream, that came while a query was answered.
        self._kept: deque[JSON] = deque()
        self._queries = count(1)

    async def subscribe(self, document: str, variables: Mapping[str, Any]) -> None:
        """Begin the stream."""
        await self._begin(_STREAM, document, variables)

    async def next_data(self) -> JSON:
        """The next event's data. Raises `Refused`, and `ConnectionLost` where the stream ends."""
        message = self._kept.popleft() if self._kept else await self._receive()
        while message.get("id") != _STREAM:
            message = await self._receive()
        return _data(message)

    async def ask(self, document: str, variables: Mapping[str, Any]) -> JSON:
        """The answer of a query. Raises `Refused`."""
        query_id = f"query {next(self._queries)}"
        await self._begin(query_id, document, variables)
        answer: JSON | None = None
        while True:
            message = await self._receive()
            if message.get("id") == _STREAM:
                self._kept.append(message)
            elif message.get("id") == query_id:
                if message["type"] == "complete" and answer is not None:
                    return answer
                answer = _data(message)

    async def initialise(self) -> None:
        """Raises `CannotConnect` where it is not acknowledged."""
        shown = {} if self._token is None else {"payload": {"authorization": f"Bearer {self._token}"}}
        try:
            async with asyncio.timeout(_TIMEOUT):
                await self._send({"type": "connection_init", **shown})
                message = await self._receive()
        except TimeoutError:
            raise CannotConnect(f"no acknowledgement came within {_TIMEOUT:g} seconds") from None
        except ConnectionLost as lost:
            raise CannotConnect(f"it does not let anybody in now ({lost})") from None
        if message["type"] != "connection_ack":
            raise CannotConnect("it does not speak the protocol of Stepgraph")

    async def _begin(self, operation_id: str, document: str, variables: Mapping[str, Any]) -> None:
        payload = {"query": document, "variables": dict(variables)}
        await self._send({"id": operation_id, "type": "subscribe", "payload": payload})

    async def _send(self, message: JSON) -> None:
        try:
            await self._socket.send(orjson.dumps(message).decode())
        except ConnectionClosed as closed:
            raise self._ended(closed) from None

    async def _receive(self) -> JSON:
        while True:
            try:
                message = orjson.loads(await self._socket.recv())
            except ConnectionClosed as closed:
                raise self._ended(closed) from None
            except orjson.JSONDecodeError:
                raise ConnectionLost("what came is no JSON") from None
            if not isinstance(message, dict) or "type" not in message:
                raise ConnectionLost("what came is no message of the protocol")
            if message["type"] == "ping":
                await self._send({"type": "pong"})
            elif message["type"] != "pong":
                return message

    def _ended(self, closed: ConnectionClosed) -> Exception:
        code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (None, "")
        if code in _OF_TOKENS:
            return TokenRefused(reason, self._token)
        if code is None or code < _FIRST_OF_PROTOCOL or code == CloseCode.CONNECTION_INITIALISATION_TIMEOUT:
            return ConnectionLost(f"closed with {code}" if code else "cut off")
        return Refused(str(code), f"The server has closed the connection with {code}: {reason}")


@asynccontextmanager
async def connected(address: Address, token: str | None = None) -> AsyncIterator[Connection]:
    """A connection, closed at the end. Raises `CannotConnect`, `TokenRefused`."""
    try:
        socket = await connect(
            address.websocket_url,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            open_timeout=_TIMEOUT,
            close_timeout=1,
            max_size=None,  # a whole page of executions comes as one message
            proxy=None if address.is_here else True,
        )
    except (OSError, WebSocketException, ValueError, ImportError) as error:
        raise CannotConnect(_why(error)) from error
    async with socket:
        connection = Connection(socket, token)
        await connection.initialise()
        yield connection


def _data(message: JSON) -> JSON:
    if message["type"] == "complete":
        raise ConnectionLost("the stream has ended")
    payload = message.get("payload")
    errors = payload if message["type"] == "error" else (payload or {}).get("errors")
    if errors:
        first = errors[0]
        raise Refused(first.get("extensions", {}).get("code", ""), first["message"])
    data: JSON = (payload or {})["data"]
    return data


def _why(error: Exception) -> str:
    """In a few words, without the name of an exception."""
    if isinstance(error, TimeoutError):
        return f"no answer within {_TIMEOUT:g} seconds"
    if isinstance(error, InvalidStatus):
        return f"it answers with HTTP status {error.response.status_code}, and not as Stepgraph does"
    if isinstance(error, InvalidHandshake):
        return f"it does not answer as Stepgraph does ({error})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
