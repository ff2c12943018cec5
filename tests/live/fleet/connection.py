"""GraphQL over one keep-alive connection, with less to do for the machine than a client library has."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import orjson

from tests.live.fleet.notes import JSON


class Connection:
    """Asks one thing after another; connects when it is first asked."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, document: str, given: JSON) -> Any:
        """The result of a document with one root field and one variable, `input`; errors are failures."""
        answer = await self._exchange(orjson.dumps({"query": document, "variables": {"input": given}}))
        assert "errors" not in answer, answer
        (result,) = answer["data"].values()
        return result

    async def _exchange(self, body: bytes) -> JSON:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._address.hostname, self._address.port)
        reader, writer = self._streams
        head = (
            f"POST /graphql HTTP/1.1\r\nhost: {self._address.netloc}\r\ncontent-type: application/json\r\n"
            f"accept: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        (length,) = [line.partition(":")[2] for line in lines if line.startswith("content-length:")]
        answer: JSON = orjson.loads(await reader.readexactly(int(length)))
        return answer

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
