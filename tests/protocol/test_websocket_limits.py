"""What a socket may cost, and how it ends when it costs too much (`live.md` W3, H4, H5)."""

import asyncio
import socket

import pytest
from websockets.exceptions import WebSocketException

from server.transports.endpoint import TransportLimits
from server.transports.uvicorn_websocket import UvicornWebSocket
from server.transports.websocket_connection import WebSocketLimits
from tests.protocol.raw_client import RawClient, raw_client, ready_client
from tests.protocol.serving import Toy, served_toy
from tests.protocol.test_websocket import COUNTER, counted

PING, CLOSE = 0x89, 0x88


class DeafClient:
    """Speaks the handshake and `connection_init` by hand, and then reads only what it is told to."""

    def __init__(self, toy: Toy) -> None:
        self._port = toy.port

    async def connect(self, *messages: str) -> None:
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self._port))
        self.reader, self.writer = await asyncio.open_connection(sock=raw, limit=4096)
        head = (
            "GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
        )
        self.writer.write(head.encode())
        await self.reader.readuntil(b"\r\n\r\n")
        for message in messages:
            self.send(message)

    def send(self, text: str) -> None:
        """A masked text frame; the mask is zero."""
        data = text.encode()
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
        self.writer.write(b"\x81" + size + b"\0\0\0\0" + data)

    async def frame(self) -> tuple[int, bytes]:
        """First byte and payload of the next frame."""
        first, size = await self.reader.readexactly(2)
        if size == 126:
            size = int.from_bytes(await self.reader.readexactly(2), "big")
        elif size == 127:
            size = int.from_bytes(await self.reader.readexactly(8), "big")
        return first, await self.reader.readexactly(size)

    async def read_to_the_end(self) -> None:
        """Read until the connection breaks, which raises."""
        while True:
            await self.frame()


async def test_a_message_beyond_64_kib_closes_with_1009(
    client: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    await client.send({"type": "ping", "payload": {"text": "x" * 64 * 1024}})
    assert (await client.closed())[0] == 1009
    assert not caplog.records


async def test_a_message_of_64_kib_is_read(client: RawClient) -> None:
    message = {"type": "ping", "payload": {"text": "x" * (64 * 1024 - 40)}}
    await client.send(message)
    assert await client.receive() == {**message, "type": "pong"}


async def test_a_socket_has_100_operations_at_a_time(toy: Toy, client: RawClient) -> None:
    for number in range(100):
        await client.subscribe(str(number), "{ slow }")
    await client.subscribe("one more", "{ hello }")
    message = await client.receive()
    assert (message["id"], message["type"]) == ("one more", "error")
    assert message["payload"][0]["message"] == "A socket has at most 100 operations at a time."
    toy.world.may_finish.set()


async def test_a_client_that_offers_compression_gets_none(toy: Toy) -> None:
    async with raw_client(toy, compression="deflate") as client:
        await client.init()
        assert client.connection.protocol.extensions == []


async def test_operations_beyond_the_limit_are_refused_and_the_others_live_on() -> None:
    limits = TransportLimits(websocket=WebSocketLimits(operations=2))
    async with served_toy(limits) as toy, ready_client(toy) as client:
        for operation_id in "12":
            await client.subscribe(operation_id, COUNTER, variables={"size": int(operation_id)})
            assert await client.receive() == counted(0, operation_id)
        await client.subscribe("3", "{ hello }")
        message = await client.receive()
        assert (message["id"], message["type"]) == ("3", "error")
        assert message["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"
        await client.complete("1")
        await client.subscribe("3", "{ hello }")
        assert (await client.receive())["type"] == "next"


async def test_queries_that_were_completed_but_still_run_count_as_operations() -> None:
    limits = TransportLimits(websocket=WebSocketLimits(operations=1))
    async with served_toy(limits) as toy, ready_client(toy) as client:
        await client.subscribe("1", "{ slow }")
        await toy.world.until(sources=1)
        await client.complete("1")
        await client.subscribe("2", "{ hello }")
        assert (await client.receive())["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"
        toy.world.may_finish.set()


async def test_a_peer_that_does_not_answer_pings_is_closed_with_1013() -> None:
    async with served_toy(ping_interval=0.02, ping_timeout=0.02) as toy:
        deaf = DeafClient(toy)
        await deaf.connect()
        assert (await deaf.frame())[0] == PING
        kind, payload = await deaf.frame()
        assert (kind, int.from_bytes(payload[:2], "big")) == (CLOSE, 1013)
        assert await deaf.reader.read() == b""
        deaf.writer.close()


async def test_a_peer_that_answers_pings_stays() -> None:
    async with served_toy(ping_interval=0.01, ping_timeout=5) as toy, ready_client(toy) as client:
        for _ in range(5):
            await asyncio.wait_for(await client.connection.ping(), 5)
        await client.roundtrip()


async def stalled_reader(toy: Toy) -> DeafClient:
    """A client that took nothing until the server could write no more to it, and whose neighbour did."""
    deaf = DeafClient(toy)
    query = '{"query":"subscription { counter(size: 200000) { value text } }"}'
    await deaf.connect('{"type":"connection_init"}', f'{{"id":"1","type":"subscribe","payload":{query}}}')
    async with ready_client(toy) as neighbour:
        await neighbour.subscribe("1", "subscription { counter(size: 200000) { value text } }")
        for value in range(1, 60):
            toy.world.change(value)
            while (await neighbour.receive())["payload"]["data"]["counter"]["value"] < value:
                pass
    return deaf


async def test_a_reader_that_takes_nothing_is_dropped_and_others_are_served() -> None:
    limits = TransportLimits(websocket=WebSocketLimits(stall_timeout=0.2, close_timeout=0.05))
    async with served_toy(limits) as toy:
        deaf = await stalled_reader(toy)
        await toy.world.until(sources=0)
        with pytest.raises(asyncio.IncompleteReadError) as end:
            await deaf.read_to_the_end()
        # In the midst of a frame: what was not taken was dropped, not kept until it would be.
        assert end.value.expected > 2
        deaf.writer.close()


async def test_a_slow_reader_gets_the_newest_state_and_not_every_state_between(toy: Toy) -> None:
    deaf = await stalled_reader(toy)
    values = []
    while not values or b'"value":59,' not in values[-1]:
        kind, payload = await deaf.frame()
        assert kind == 0x81
        values.append(payload[:80])
    assert len(values) < 60
    deaf.writer.close()


async def test_a_server_that_drains_closes_with_1012(toy: Toy) -> None:
    async with ready_client(toy) as one, raw_client(toy) as two:
        await one.subscribe("1", COUNTER)
        await one.receive()
        await toy.endpoint.close(over=0.02)
        assert (await one.closed())[0] == 1012
        assert (await two.closed())[0] == 1012
        assert toy.world.sources == 0


async def test_a_socket_that_takes_nothing_holds_up_no_drain(toy: Toy) -> None:
    deaf = await stalled_reader(toy)
    await toy.endpoint.close()
    with pytest.raises(asyncio.IncompleteReadError):
        await deaf.read_to_the_end()
    assert toy.world.sources == 0
    deaf.writer.close()


async def test_a_socket_that_comes_while_the_server_drains_is_closed_with_1012(toy: Toy) -> None:
    await toy.endpoint.close()
    async with raw_client(toy) as late:
        assert (await late.closed())[0] == 1012


async def test_sockets_are_counted_until_they_are_gone(toy: Toy) -> None:
    async with ready_client(toy), ready_client(toy) as client:
        assert len(toy.endpoint.websocket) == 2
        await client.subscribe("1", COUNTER)
        await client.receive()
    await toy.world.until(sources=0)


async def test_a_handshake_that_meets_the_end_of_the_server_leaves_no_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = UvicornWebSocket.run_asgi

    async def ended_meanwhile(self: UvicornWebSocket) -> None:
        self.shutdown()  # what uvicorn does to each connection
        await run(self)

    async with served_toy() as toy:
        await toy.endpoint.close()
        monkeypatch.setattr(UvicornWebSocket, "run_asgi", ended_meanwhile)
        with pytest.raises((WebSocketException, OSError)):
            async with raw_client(toy):
                pass
    assert caplog.records == []
