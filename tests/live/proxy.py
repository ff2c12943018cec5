"""A TCP proxy before a broker that goes silent: a network that swallows all and closes nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit


class SilentProxy:
    """Passes bytes on until it is told to swallow those to the broker, those from it, or both."""

    def __init__(self, url: str) -> None:
        self._behind = urlsplit(url)
        self._writers: set[asyncio.StreamWriter] = set()
        self._swallows_to_broker = False
        self._swallows_from_broker = False
        self._swallowed = asyncio.Event()
        self._port = 0

    @property
    def url(self) -> str:
        user = f"{self._behind.username}@" if self._behind.username else ""
        return urlunsplit(self._behind._replace(netloc=f"{user}127.0.0.1:{self._port}"))

    def swallow(self, *, to_broker: bool, from_broker: bool) -> None:
        """Of the connections there are, and of those that will be opened."""
        self._swallows_to_broker, self._swallows_from_broker = to_broker, from_broker

    async def swallows_more(self) -> None:
        """Return when something has been swallowed from now on."""
        self._swallowed.clear()
        await self._swallowed.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", self._port)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        broker_reader, broker_writer = await asyncio.open_connection(self._behind.hostname, self._behind.port)
        writers = {writer, broker_writer}
        self._writers |= writers
        await asyncio.gather(
            self._pass_on(reader, broker_writer, to_broker=True),
            self._pass_on(broker_reader, writer, to_broker=False),
        )
        self._writers -= writers

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, to_broker: bool
    ) -> None:
        try:
            while data := await reader.read(1 << 16):
                swallows = self._swallows_to_broker if to_broker else self._swallows_from_broker
                if swallows:
                    self._swallowed.set()
                    continue
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
