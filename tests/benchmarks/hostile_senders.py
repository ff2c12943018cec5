"""Sends hostile input until it is ended: `python -m tests.benchmarks.hostile_senders URL KIND`."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from urllib.parse import urlsplit

from tests.benchmarks.processes import tell
from tests.process.hostile.bodies import body, request, variables
from tests.process.hostile.documents import BOMBS, LONG
from tests.process.hostile.mutations import http_request

AT_ONCE = 4
SLOW_AT_ONCE = 200

VALIDATION = "query ($v: JSONObject!) { validateWorkflowDefinition(definition: $v) { code message } }"


def spoilt() -> Iterator[bytes]:
    yield from map(http_request, count())


def bombs() -> Iterator[bytes]:
    documents = [*BOMBS.values(), *LONG.values()]
    for number in count():
        yield body(query=documents[number % len(documents)][0])


def large() -> Iterator[bytes]:
    """Bodies of 1 to 2 MiB of JSON, which is read, checked and refused or passed over."""
    definition = {"steps": [{"id": "a"}] * 50_000}
    texts = [
        json.dumps({"query": VALIDATION, "variables": {"v": definition}}).encode(),
        json.dumps({"query": VALIDATION, "variables": {"v": {f"k{n}": 1 for n in range(100_000)}}}).encode(),
    ]
    others = [variables(b"[" + b"1," * 900_000 + b"1]"), variables(b'"' + b"a" * 2_000_000 + b'"')]
    everything = [*map(request, texts), *others]
    for number in count():
        yield everything[number % len(everything)]


def unfinished() -> Iterator[bytes]:
    """Requests whose bodies never come."""
    while True:
        yield request(b"", Content_Length="1000")


KINDS: dict[str, Callable[[], Iterator[bytes]]] = {
    "spoilt requests": spoilt,
    "bombs": bombs,
    "bodies of 1 to 2 MiB": large,
    "bodies that never come": unfinished,
}


async def send(url: str, requests: Iterator[bytes]) -> None:
    """One request after the other, each over a connection of its own."""
    place = urlsplit(url)
    for each in requests:
        with suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection(place.hostname, place.port)
            writer.write(each)
            async with asyncio.timeout(60):
                await reader.readuntil(b"\r\n\r\n")
            writer.close()


async def main(url: str, kind: str) -> None:
    requests = KINDS[kind]()
    senders = SLOW_AT_ONCE if KINDS[kind] is unfinished else AT_ONCE
    tell("ready")
    await asyncio.gather(*(send(url, requests) for _ in range(senders)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
