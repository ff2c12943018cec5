"""The wire between one client and the servers: it can be cut after any byte, stall, and swallow all silently."""

import asyncio
import contextlib
import socket
from collections.abc import Coroutine
from typing import Any, Self

CHUNK = 2 << 10
RECEIVE_BUFFER = 4 << 10  # bytes, so that what a stalled reader does not take soon fills the server's own


class Link:
    """One connection through a wire."""

    def __init__(self, port: int, client: asyncio.StreamWriter, upstream: asyncio.StreamWriter) -> None:
        self.port = port
        self.received = 0
        self.cut_at: int | None = None
        self.up = asyncio.Event()
        self.down = asyncio.Event()
        self.up.set()
        self.down.set()
        self._writers = (client, upstream)

    def cut(self) -> None:
        """Both sides see a connection that was reset."""
        for writer in self._writers:
            writer.transport.abort()

    async def carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event
    ) -> None:
        """Carry one direction while its gate is open; what is not carried stays in the buffers of who sends."""
        while True:
            await gate.wait()
            data = await reader.read(CHUNK)
            if not data:
                break
            await gate.wait()
            if gate is self.down:
                self.received += len(data)
                if self.cut_at is not None and self.received >= self.cut_at:
                    writer.write(data[: max(len(data) - (self.received - self.cut_at), 0)])
                    self.cut()
                    return
            writer.write(data)
            await writer.drain()


class Wire:
    """One client's; `port` is where the client connects, `target` the port of the server that it then gets."""

    def __init__(self) -> None:
        self.port = 0
        self.target = 0
        self.links: set[Link] = set()
        self.is_open = asyncio.Event()
        self.is_open.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self, after: int = 0) -> int:
        """Cut every connection after so many more bytes from the server; returns how many."""
        for link in list(self.links):
            if after:
                link.cut_at = link.received + after
            else:
                link.cut()
        return len(self.links)

    def stall(self) -> list[Link]:
        """From now on nothing is taken from the server."""
        for link in self.links:
            link.down.clear()
        return list(self.links)

    def swallow(self, port: int) -> int:
        """Carry nothing to and from that server, and say nothing of it; returns how many connections."""
        found = [link for link in self.links if link.port == port]
        for link in found:
            link.up.clear()
            link.down.clear()
        if self.target == port:
            self.is_open.clear()
        return len(found)

    def heal(self) -> None:
        """Carry everything again, what waited first."""
        self.is_open.set()
        for link in self.links:
            link.up.set()
            link.down.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # Also where it is cancelled before it begins.
        task.add_done_callback(lambda _: writer.transport.abort())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await self._connect(reader, writer)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.is_open.wait()
        port = self.target
        upstream = socket.socket()
        try:
            upstream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            upstream.setblocking(False)
            await asyncio.get_running_loop().sock_connect(upstream, ("127.0.0.1", port))
        except BaseException:
            upstream.close()
            raise
        server_reader, server_writer = await asyncio.open_connection(sock=upstream, limit=CHUNK)
        link = Link(port, writer, server_writer)
        self.links.add(link)
        try:
            await _until_first_ends(
                link.carry(reader, server_writer, link.up), link.carry(server_reader, writer, link.down)
            )
            await _flushed(writer)
        finally:
            self.links.discard(link)
            server_writer.transport.abort()


async def _until_first_ends(*coroutines: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.create_task(each) for each in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _flushed(writer: asyncio.StreamWriter) -> None:
    """What was read from the server before it closed still reaches the client."""
    if not writer.transport.is_closing():
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                writer.write_eof()
                await writer.drain()
