"""Several server processes on one listening socket, kept running by this one (`serve --workers`).

Not uvicorn's `Multiprocess`: it knows no drain of ours, tries for ever and at once, says nothing of what keeps a worker
from starting, and exits with 0 whatever happened. The processes are started afresh, not forked: a fork shares what
libraries hold, such as the state of random numbers that ids are made of.

They accept from one queue, so whoever is idle takes the next connection, and one that is dead, hangs or starts again
keeps none waiting, as its share of a queue of its own (`SO_REUSEPORT`) would. Measured with four: of 300 connections at
once each took 65 to 87 (68 to 82 with `SO_REUSEPORT`), of 200 one by one 32 to 79 (43 to 56).
"""

import asyncio
import logging
import os
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

import server
from db.session import Unavailable
from server.backoff import Backoff
from server.settings import Settings
from server.telemetry.metrics import DIRECTORY_VARIABLE
from server.waiting import happens
from server.worker import READY

log = logging.getLogger(__name__)

MOST_FAILURES = 5
"""So many times in a row a worker may end right after its start until the parent gives up."""

SETTLED_SECONDS = 1.0
STOP_SECONDS = 12.0
"""A worker ends within 10 seconds by itself (`app.py`), and the delay before."""

_PACKAGES = Path(server.__file__).parent.parent


def require_shared_broker(settings: Settings) -> None:
    """Raises `ValueError` for several processes that could not hear each other."""
    if settings.workers > 1 and settings.broadcast.startswith("memory:"):
        raise ValueError(
            f"--workers {settings.workers} needs a broker that the processes share: "
            "set --broadcast (STEPGRAPH_BROADCAST) to redis://HOST:PORT or postgresql://USER@HOST/DATABASE."
        )


@dataclass(frozen=True, slots=True)
class Worker:
    """A process and its end of the control socket; that it is open tells the process that its parent lives."""

    process: Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def said(self) -> str:
        """`READY`'s word, what keeps it from serving, or nothing if it ended without a word."""
        try:
            return (await self.reader.readline()).decode().strip()
        except ConnectionError:  # it ended before it had read its settings
            return ""

    def tell(self, number: signal.Signals) -> None:
        if self.process.returncode is None:
            self.process.send_signal(number)


class Workers:
    """Starts the processes, starts again whichever ends, and ends them all when this process is told to."""

    def __init__(
        self, settings: Settings, listener: socket.socket, *, on_started: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._listener = listener
        self._on_started = on_started
        self._running: dict[int, Worker] = {}
        self._awaited = set(range(1, settings.workers + 1))
        self._stop = asyncio.Event()
        # Where the processes keep their numbers, so that each can tell those of all.
        self._numbers = tempfile.TemporaryDirectory(prefix="stepgraph-")

    async def run(self) -> None:
        """Returns once all have drained. Raises `Unavailable` when one cannot start or ends again and again."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._told, number)
        keepers = [
            asyncio.create_task(self._keep(number), name=f"worker {number}") for number in self._awaited
        ]
        stopped = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait([stopped, *keepers], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._end(keepers)
            stopped.cancel()
            self._numbers.cleanup()
        for failure in [keeper.exception() for keeper in keepers]:
            if failure is not None:
                raise failure

    def _told(self, number: signal.Signals) -> None:
        """A second Ctrl+C ends without waiting for anybody, like that of one process."""
        if self._stop.is_set() and number == signal.SIGINT:
            self._tell_all(signal.SIGINT)
        self._stop.set()

    def _tell_all(self, number: signal.Signals) -> None:
        for worker in self._running.values():
            worker.tell(number)

    async def _end(self, keepers: list[asyncio.Task[None]]) -> None:
        self._stop.set()
        # Each worker has its own descriptor: when the last of them stops to accept, nobody is let in to wait in vain.
        self._listener.close()
        self._tell_all(signal.SIGTERM)
        patience = self._settings.shutdown_delay + STOP_SECONDS
        _, late = await asyncio.wait(keepers, timeout=patience)
        if late:
            log.error("worker processes that did not end within %g s are killed", patience)
            self._tell_all(signal.SIGKILL)
            await asyncio.wait(late)

    async def _keep(self, number: int) -> None:
        """Keep one worker running until all are to end."""
        backoff = Backoff(0.1, 5.0)
        while not self._stop.is_set():
            failure = await self._run_once(number)
            if self._stop.is_set():
                return
            if failure is None:
                backoff.reset()
                continue
            if number in self._awaited:
                raise Unavailable(failure)
            if backoff.failures == MOST_FAILURES - 1:
                raise Unavailable(
                    f"A worker process ended {MOST_FAILURES} times in a row right after its start, the last time so: "
                    f"{failure}"
                )
            await happens(self._stop, within=backoff.next_delay())

    async def _run_once(self, number: int) -> str | None:
        """Start a worker and wait for its end: None if it had served, else what is known of why it had not."""
        clock = asyncio.get_running_loop().time
        try:
            worker = self._running[number] = await self._start()
        except OSError as error:
            return f"No worker process can be started: {error}."
        if self._stop.is_set():
            worker.tell(signal.SIGTERM)
        try:
            said = await worker.said()
            ready_at = clock()
            if said.encode() == READY.strip():
                self._started(number)
            code = await worker.process.wait()
            # What it had counted stays; how it stood is past.
            mark_process_dead(worker.process.pid, self._numbers.name)  # type: ignore[no-untyped-call]  # untyped there
        finally:
            worker.writer.close()
        if self._stop.is_set():
            return None
        ended = f"It ended with {_named(code)}."
        if said.encode() != READY.strip():
            return said or ended
        log.warning("worker process %d ended with %s and is started again", worker.process.pid, _named(code))
        return ended if clock() - ready_at < SETTLED_SECONDS else None

    def _started(self, number: int) -> None:
        """Announce, once all of the first have started."""
        if number in self._awaited:
            self._awaited.remove(number)
            if not self._awaited:
                self._on_started()

    async def _start(self) -> Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            descriptors = (self._listener.fileno(), theirs.fileno())
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "server.worker",
                *map(str, descriptors),
                stdin=DEVNULL,
                pass_fds=descriptors,
                # Ctrl+C in a terminal is for this process, which passes it on.
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": _search_path(), DIRECTORY_VARIABLE: self._numbers.name},
            )
        reader, writer = await asyncio.open_connection(sock=ours)
        writer.write(self._settings.model_dump_json().encode() + b"\n")
        return Worker(process, reader, writer)


def _search_path() -> str:
    given = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(_PACKAGES), *([given] if given else [])])


def _named(code: int) -> str:
    """`exit code 1`, or `SIGKILL`."""
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
