"""Clients that follow a stream over one transport, and come again from where they stood whatever happens to them."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from server.backoff import Backoff
from tests.live.chaos.log import Log
from tests.live.chaos.streams import JSON, POLL_CHANGES, ChangesStream, Stream
from tests.live.chaos.wire import Wire
from tests.servers import NO_TLS

PATIENCE = 2.5  # seconds without a byte after which a client takes its connection for dead
PING_EVERY = 0.5
FIRST_AGAIN, LATEST_AGAIN = 0.05, 0.5
PAGE = 20

# A payload's data, and the `id` of the event that brought it.
Payloads = AsyncIterator[tuple[JSON, str | None]]


class Disconnected(Exception):
    """The connection or the stream has ended in a way after which clients come again; the text says how."""


class Refused(Exception):
    """The server has answered with errors that a client does not come again after."""


class Following:
    """One client: its wire, its transport, its stream, and what it has seen."""

    def __init__(
        self,
        name: str,
        stream: Stream,
        transport: str,
        ports: Sequence[int],
        chance: random.Random,
        log: Log,
        news: asyncio.Event,
        patience: float = PATIENCE,
    ) -> None:
        self.name = name
        self.stream = stream
        self.transport = transport
        self.wire = Wire()
        self.seen: list[JSON] = []
        self.connections = 0
        self.resumes = 0
        self.is_live = False
        self.is_over = False
        self.fault: str | None = None
        self._ports = ports
        self._chance = chance
        self._log = log
        self._news = news
        self._patience = patience
        self._again = Backoff(FIRST_AGAIN, LATEST_AGAIN)

    async def run(self) -> None:
        """Follow until the stream completes; to be cancelled where it never does."""
        async with self.wire:
            while not self.is_over and self.fault is None:
                try:
                    await self._follow()
                    self.is_over = True
                except Disconnected as how:
                    self._note("disconnected", how=str(how))
                    await asyncio.sleep(self._again.next_delay())
                except Refused as refusal:
                    self.fault = str(refusal)
                finally:
                    self.is_live = False
        self._note("over")
        self._news.set()

    async def _follow(self) -> None:
        self.wire.target = self._chance.choice(self._ports)
        resumes = bool(self.seen)
        self.connections += 1
        self._note("connects", to=self.wire.target, variables=self.stream.variables())
        open_payloads = {
            "websocket": self._over_websocket,
            "events": self._over_events,
            "poll": self._by_polling,
        }
        async with aclosing(open_payloads[self.transport]()) as payloads:  # type: ignore[type-var]  # two kinds of generators
            async for data, event_id in payloads:
                self.is_live = True
                self._again.reset()
                self.resumes += resumes
                resumes = False
                polled = self.transport == "poll" and isinstance(self.stream, ChangesStream)
                take: Callable[..., list[JSON]] = self.stream.take_page if polled else self.stream.take  # type: ignore[attr-defined]  # only streams that are polled have it
                self._saw(take(data) if polled else take(data, event_id))

    def _saw(self, records: list[JSON]) -> None:
        self.seen += records
        for record in records:
            self._log.write(client=self.name, **record)
        self._news.set()

    def _note(self, what: str, **more: Any) -> None:
        self._log.write(client=self.name, did=what, **more)

    async def _over_websocket(self) -> Payloads:
        try:
            async with connect(
                self.wire.url.replace("http", "ws") + "/graphql",
                subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]  # it takes any text
                proxy=None,
                compression=None,
                ping_interval=None,
                open_timeout=self._patience,
                close_timeout=0.2,
                max_queue=1,
            ) as socket:
                await socket.send('{"type":"connection_init"}')
                payload = {"query": self.stream.document, "variables": self.stream.variables()}
                message = {"id": "1", "type": "subscribe", "payload": payload}
                pings = asyncio.create_task(_ping(socket))
                try:
                    while True:
                        async with asyncio.timeout(self._patience):
                            told = json.loads(await socket.recv())
                        match told["type"]:
                            case "connection_ack":
                                await socket.send(json.dumps(message))
                            case "next":
                                yield _data(told["payload"]), None
                            case "error":
                                raise refusal(told["payload"])
                            case "complete":
                                return
                finally:
                    pings.cancel()
        except ConnectionClosed as closed:
            if closed.rcvd is not None and closed.rcvd.code not in (1000, 1001, 1006, 1012, 1013):
                raise Refused(f"the socket was closed with {closed.rcvd.code} {closed.rcvd.reason}") from None
            raise Disconnected(f"closed with {closed.rcvd.code if closed.rcvd else 'nothing'}") from None
        except (OSError, TimeoutError, EOFError, InvalidHandshake, InvalidMessage) as error:
            raise Disconnected(f"{type(error).__name__}") from None

    async def _over_events(self) -> Payloads:
        headers = {"Accept": "text/event-stream"}
        variables = self.stream.variables()
        if (event_id := self.stream.event_id) is not None and self._chance.random() < 0.5:
            headers["Last-Event-ID"] = event_id
            variables = {name: value for name, value in variables.items() if name not in ("after", "epoch")}
        body = {"query": self.stream.document, "variables": variables}
        try:
            async with (
                _http_client(self.wire, self._patience) as client,
                client.stream("POST", "/graphql", json=body, headers=headers) as response,
            ):
                if response.status_code != 200:
                    raise Disconnected(f"HTTP {response.status_code}")
                async for name, data, identity in _events(response):
                    if name == "complete":
                        return
                    yield _data(json.loads(data)), identity
        except (httpx.TransportError, httpx.StreamError) as error:
            raise Disconnected(f"{type(error).__name__}") from None
        raise Disconnected("the stream ended without complete")

    async def _by_polling(self) -> Payloads:
        async with _http_client(self.wire, self._patience) as client:
            while True:
                body = {"query": POLL_CHANGES, "variables": {**self.stream.variables(), "first": PAGE}}
                try:
                    data = _data((await client.post("/graphql", json=body)).json())
                except (httpx.TransportError, json.JSONDecodeError) as error:
                    raise Disconnected(f"{type(error).__name__}") from None
                yield data, None
                if len(data["changes"]["nodes"]) < PAGE:
                    await asyncio.sleep(0.2)  # how often a client polls


def refusal(errors: Any) -> Exception:
    """Errors that are over by themselves are a reason to come again; others are not."""
    codes = {error.get("extensions", {}).get("code") for error in errors}
    return Disconnected("UNAVAILABLE") if codes == {"UNAVAILABLE"} else Refused(json.dumps(errors))


def _data(payload: JSON) -> JSON:
    if payload.get("errors"):
        raise refusal(payload["errors"])
    data: JSON = payload["data"]
    return data


async def _ping(socket: Any) -> None:
    try:
        while True:
            await asyncio.sleep(PING_EVERY)
            await socket.send('{"type":"ping"}')
    except (ConnectionClosed, OSError):
        pass


def _http_client(wire: Wire, patience: float) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=wire.url, trust_env=False, timeout=patience, verify=NO_TLS)


async def _events(response: httpx.Response) -> AsyncIterator[tuple[str, str, str | None]]:
    """Name, data and id of each event; one that was cut off in its midst is none."""
    name, data, identity = "", "", None
    async for line in response.aiter_lines():
        field, _, value = line.partition(":")
        if field == "event":
            name = value.strip()
        elif field == "data":
            data = value.strip()
        elif field == "id":
            identity = value.strip()
        elif not line and name:
            yield name, data, identity
            name, data, identity = "", "", None
