"""A broker that speaks as much of Kafka's protocol as aiokafka needs for one topic with one partition.

It stands in for a Kafka that cannot be installed here: what a real one does beyond this protocol is not tested. The
messages are encoded and decoded by aiokafka's own tables.
"""

import contextlib
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from aiokafka.protocol.admin import ApiVersionRequest_v0
from aiokafka.protocol.api import RequestHeader_v1, RequestStruct, ResponseHeader_v0
from aiokafka.protocol.fetch import FetchRequest_v4
from aiokafka.protocol.metadata import MetadataRequest_v1
from aiokafka.protocol.offset import OffsetRequest_v1
from aiokafka.protocol.produce import ProduceRequest_v3
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from server.live.backends.kafka import topic_of
from server.live.ring import CHANNEL

TOPIC = topic_of(CHANNEL)
NODE = 0
SPOKEN: dict[int, type[RequestStruct]] = {
    each.API_KEY: each
    for each in (
        ApiVersionRequest_v0,
        MetadataRequest_v1,
        ProduceRequest_v3,
        FetchRequest_v4,
        OffsetRequest_v1,
    )
}


class KafkaBroker:
    """On a free port, which it keeps when it is started again, like what was published."""

    def __init__(self) -> None:
        self._server: _Server | None = None
        self._port = 0
        self.advertised_port = 0
        self.log: list[tuple[int, bytes]] = []
        self.end = 0
        self.changed = threading.Condition()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.fetched: list[int] = []

    @property
    def url(self) -> str:
        return f"kafka://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._server = _Server(("127.0.0.1", self._port), _Connection)
        self._server.broker = self
        self._port = self._server.server_address[1]
        self.advertised_port = self.advertised_port or self._port
        threading.Thread(target=self._server.serve_forever, args=(0.01,)).start()

    def kill(self) -> None:
        """Cut all connections and take no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.cut()
            self.thaw()
            with self.changed:
                self.changed.notify_all()
            self._server.server_close()
            self._server = None

    def freeze(self) -> None:
        """Answer nothing, and close nothing."""
        self.may_answer.clear()

    def thaw(self) -> None:
        self.may_answer.set()

    def connections(self) -> int:
        assert self._server is not None
        return len(self._server.open)

    def publish(self, *messages: bytes | None) -> None:
        for message in messages:
            self.append(_batch(message))

    def append(self, batch: bytes) -> int:
        """Store a batch of records; returns the offset of its first."""
        (last,) = struct.unpack_from(">i", batch, 23)
        with self.changed:
            offset = self.end
            # A batch begins with its offset, which only the broker knows.
            self.log.append((offset + last, struct.pack(">q", offset) + batch[8:]))
            self.end += last + 1
            self.changed.notify_all()
        return offset

    def wait_for(self, offset: int, seconds: float) -> None:
        """Return when there is a record at `offset`, or time is up."""
        with self.changed:
            self.changed.wait_for(lambda: self.end > offset, seconds)

    def batches(self, offset: int, size: int) -> bytes:
        """From `offset` on, `size` bytes or one batch at least."""
        found = b""
        for last, batch in self.log:
            if last < offset:
                continue
            if found and len(found) + len(batch) > size:
                break
            found += batch
        return found


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 100
    broker: KafkaBroker

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.open: set[socket.socket] = set()

    def cut(self) -> None:
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Connection(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        self.server.open.add(self.request)
        try:
            for correlation, request in self._requests():
                answer = self._answer(request)
                self.server.broker.may_answer.wait()
                content = ResponseHeader_v0(correlation).encode() + answer.encode()
                self.request.sendall(struct.pack(">i", len(content)) + content)
        except OSError:
            pass
        finally:
            self.server.open.discard(self.request)

    def _requests(self) -> Iterator[tuple[int, RequestStruct]]:
        stream = self.request.makefile("rb")
        while len(head := stream.read(4)) == 4:
            content = BytesIO(stream.read(struct.unpack(">i", head)[0]))
            key, version, correlation, _ = RequestHeader_v1.SCHEMA.decode(content)
            kind = SPOKEN[key]
            assert version == kind.API_VERSION
            yield correlation, kind.decode(content)

    def _answer(self, request: Any) -> Any:
        broker, kind = self.server.broker, request.RESPONSE_TYPE
        match request:
            case ApiVersionRequest_v0():
                return kind(0, [(key, each.API_VERSION, each.API_VERSION) for key, each in SPOKEN.items()])
            case MetadataRequest_v1():
                partition = (0, 0, NODE, [NODE], [NODE])
                brokers = [(NODE, "127.0.0.1", broker.advertised_port, None)]
                return kind(brokers, NODE, [(0, TOPIC, False, [partition])])
            case OffsetRequest_v1():
                return kind([(TOPIC, [(0, 0, -1, broker.end)])])
            case ProduceRequest_v3():
                ((_, ((_, batch),)),) = request.topics
                return kind([(TOPIC, [(0, 0, broker.append(batch), -1)])], 0)
            case FetchRequest_v4():
                ((_, ((_, offset, size),)),) = request.topics
                broker.wait_for(offset, request.max_wait_time / 1000)
                found = broker.batches(offset, size)
                broker.fetched.append(len(found))
                return kind(0, [(TOPIC, [(0, 0, broker.end, broker.end, None, found)])])
        raise AssertionError(request)


def _batch(message: bytes | None) -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1 << 20,
    )
    builder.append(0, timestamp=int(time.time() * 1000), key=None, value=message, headers=[])
    return bytes(builder.build())
