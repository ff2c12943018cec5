"""Brokers that tests may harm: a Redis server of their own, and a backend that fails as it is told."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from broadcaster import BroadcastBackend, Event
from redis import asyncio as redis

from server.live.ring import CHANNEL

Which = Literal["listening", "publishing"]

REDIS_URL = os.environ.get("STEPGRAPH_TEST_REDIS", "redis://127.0.0.1:6379")
INSTALL_REDIS = "needs a Redis server: apt-get install redis-server"


class RedisServer:
    """A `redis-server` process on a free port; keeps the port when it is started again."""

    def __init__(self, directory: Path) -> None:
        executable = shutil.which("redis-server")
        if executable is None:
            pytest.skip(INSTALL_REDIS)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._command = [executable, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when it answers."""
        self._process = subprocess.Popen(self._command, cwd=self._directory, stdout=subprocess.DEVNULL)
        for _ in range(2_000):
            if self._answers():
                return
            assert self._process.poll() is None, "redis-server has ended"
            time.sleep(0.01)
        raise AssertionError("redis-server does not answer")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop it without closing a connection: to a client the same as a network that swallows all."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def publish(self, *messages: bytes | str) -> None:
        """In this order."""
        async with redis.Redis.from_url(self.url, protocol=2) as client, client.pipeline() as pipeline:
            for message in messages:
                pipeline.publish(CHANNEL, message)
            await pipeline.execute()

    async def flood(self, messages: int, size: int) -> None:
        """Publish so many at once, no two the same, none of them ours."""
        script = "for n = 1, ARGV[1] do redis.call('PUBLISH', KEYS[1], n .. string.rep('x', ARGV[2])) end"
        await self.command("EVAL", script, 1, CHANNEL, messages, size)

    async def cut(self, which: Which) -> None:
        """End the doorbell's connections of one kind."""
        kind = "pubsub" if which == "listening" else "normal"
        assert await self.command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")

    async def connections(self) -> int:
        """How many the doorbell has."""
        return int((await self.command("CLIENT", "LIST")).count(b"name=stepgraph-doorbell"))

    async def command(self, *words: Any) -> Any:
        async with redis.Redis.from_url(self.url, protocol=2) as client:
            return await client.execute_command(*words)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(100).startswith(b"+PONG")
        except OSError:
            return False


class UnreliableBroker:
    """An in-memory broker for any number of processes that loses, repeats, hangs or fails as it is told."""

    def __init__(self) -> None:
        self.backends: set[UnreliableBackend] = set()
        self.failing: set[str] = set()
        self.hanging: set[str] = set()
        self.swallows = False
        self.flood: Iterator[Event] = iter(())
        self.calls: Counter[str] = Counter()
        self._called = asyncio.Event()

    def make_backend(self) -> BroadcastBackend:
        return UnreliableBackend(self)

    async def call(self, name: str) -> None:
        self.calls[name] += 1
        self._called.set()
        if name in self.failing:
            raise ConnectionResetError(f"{name} was told to fail")
        if name in self.hanging:
            await asyncio.get_running_loop().create_future()

    async def called(self, name: str, times: int) -> None:
        """Return when `name` was called `times` times in all."""
        async with asyncio.timeout(30):
            while self.calls[name] < times:
                self._called.clear()
                await self._called.wait()

    def deliver(self, channel: str, message: str) -> None:
        for backend in self.backends:
            backend.events.put_nowait(Event(channel, message))

    def cut(self) -> None:
        """Every connection fails while it listens."""
        for backend in self.backends:
            backend.events.put_nowait(None)


class UnreliableBackend(BroadcastBackend):
    def __init__(self, broker: UnreliableBroker) -> None:
        self.events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._broker = broker

    async def connect(self) -> None:
        await self._broker.call("connect")

    async def subscribe(self, group: str) -> None:
        await self._broker.call("subscribe")
        self._broker.backends.add(self)

    async def unsubscribe(self, group: str) -> None:
        await self._broker.call("unsubscribe")

    async def disconnect(self) -> None:
        self._broker.backends.discard(self)
        await self._broker.call("disconnect")

    async def publish(self, channel: str, message: str) -> None:
        await self._broker.call("publish")
        if not self._broker.swallows:
            self._broker.deliver(channel, message)

    async def next_published(self) -> Event:
        await self._broker.call("next_published")
        for event in self._broker.flood:
            return event
        received = await self.events.get()
        if received is None:
            raise ConnectionResetError("cut")
        return received
