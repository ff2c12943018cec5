"""What lies between a client and the server: a network that is cut or goes silent, and a gateway that closes sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.servers import ServerProcess

PROTOCOL = Subprotocol("graphql-transport-ws")
HOST = "127.0.0.1"
CHUNK = 1 << 16


class Network:
    """A TCP proxy. A connection for which there is no server, or while it `is_down`, is reset."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._open: set[asyncio.StreamWriter] = set()
        self._silent: set[asyncio.StreamWriter] = set()
        self.is_down = False
        self.url = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        listener = await asyncio.start_server(self._connected, HOST)
        self.url = f"http://{HOST}:{listener.sockets[0].getsockname()[1]}/graphql"
        try:
            yield
        finally:
            listener.close()
            self.cut()

    def cut(self) -> None:
        """Reset every connection."""
        for writer in self._open:
            writer.transport.abort()

    def go_silent(self) -> None:
        """Swallow what comes over the connections that there are, and close none of them."""
        self._silent |= self._open

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.is_down:
                raise ConnectionRefusedError
            back, forth = await asyncio.open_connection(HOST, int(self._server.url.rpartition(":")[2]))
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, forth}
        self._open |= ends
        await asyncio.gather(self._pass_on(reader, forth), self._pass_on(back, writer))
        if not ends & self._silent:
            self._open -= ends

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(CHUNK):
                if writer not in self._silent:
                    writer.write(data)
                    await writer.drain()
        except OSError:
            writer.transport.abort()
        finally:
            if writer not in self._silent:
                writer.close()


class Gateway:
    """A WebSocket proxy that closes its clients' sockets with the code that it is told."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._clients: set[ServerConnection] = set()
        self.url = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with serve(self._connected, HOST, 0, subprotocols=[PROTOCOL]) as listener:
            port = next(iter(listener.sockets)).getsockname()[1]
            self.url = f"http://{HOST}:{port}/graphql"
            yield

    async def close_all(self, code: int) -> None:
        """Close every socket with this code."""
        for client in [*self._clients]:
            await client.close(code)

    async def _connected(self, client: ServerConnection) -> None:
        async with AsyncExitStack() as stack:
            behind = await stack.enter_async_context(
                connect(self._server.websocket_url, subprotocols=[PROTOCOL], proxy=None)
            )
            self._clients.add(client)
            stack.callback(self._clients.discard, client)
            back = asyncio.create_task(_relay(behind, client))
            stack.callback(back.cancel)
            await _relay(client, behind)


async def _relay(source: Connection, target: Connection) -> None:
    try:
        async for message in source:
            await target.send(message)
    except ConnectionClosed:
        pass
    await target.close()
