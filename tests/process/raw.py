"""Bytes over a connection of one's own, for what no client library would send."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.servers import ServerProcess

HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response; header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes


async def exchange(server: ServerProcess, request: bytes) -> Response:
    """Send a request, which may be none, and read one response."""
    async with connected(server) as (reader, writer):
        writer.write(request)
        async with asyncio.timeout(30):
            return await read_response(reader)


@asynccontextmanager
async def connected(
    server: ServerProcess,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the server."""
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield reader, writer
    finally:
        writer.close()


@asynccontextmanager
async def connection(
    server: ServerProcess, sent: bytes, after_head: bytes = b""
) -> AsyncIterator[asyncio.StreamReader]:
    """A connection on which these bytes were sent. What comes is taken only as far as it is read."""
    async with connected(server) as (reader, writer):
        writer.write(sent)
        if after_head:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(after_head)
        yield reader


async def ended(reader: asyncio.StreamReader) -> bytes:
    """Wait for the end of a connection; what came until then, as far as it did."""
    received = b""
    with suppress(ConnectionResetError):
        while chunk := await reader.read(1 << 16):
            received += chunk
    return received


async def close_frame(server: ServerProcess, *frames: bytes) -> tuple[int, str]:
    """Open a socket, send these bytes, and read to the server's close frame: its code and reason."""
    async with connected(server) as (reader, writer):
        writer.write(HANDSHAKE)
        async with asyncio.timeout(30):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"".join(frames))
            while (frame := await read_frame(reader))[0] != 0x88:
                pass
        return int.from_bytes(frame[1][:2], "big"), frame[1][2:].decode()


def text_frame(payload: bytes, *, opcode: int = 1, final: bool = True) -> bytes:
    """A frame as clients send it, masked with zeros."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = b"\xfe" + size.to_bytes(2, "big")
    else:
        length = b"\xff" + size.to_bytes(8, "big")
    return bytes([(0x80 if final else 0) | opcode]) + length + bytes(4) + payload


async def read_response(reader: asyncio.StreamReader) -> Response:
    """A response; of one that has no length only the head."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = headers.get("content-length")
    body = await reader.readexactly(int(length)) if length and "head" not in headers else b""
    return Response(int(first.split()[1]), headers, body)


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The first byte and the payload of a frame of a server, which is not masked."""
    first, size = await reader.readexactly(2)
    if size >= 126:
        size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
    return first, await reader.readexactly(size)
