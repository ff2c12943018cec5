"""The parent's side of one worker process: starting it, asking it with a deadline, ending it."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import db
from db.evaluation.wire import LENGTH, framed

STARTING_SECONDS = 30.0
SILENT_SECONDS = 5.0
"""So long it may be silent, between two answers: evaluations are bounded by processor time long before."""

CHUNK = 1 << 16
PACKAGES = Path(db.__file__).parent.parent


class WorkerLost(Exception):
    """The worker has ended, or was silent for too long. `is_overrun`: because of what it was evaluating."""

    def __init__(self, *, is_overrun: bool) -> None:
        super().__init__()
        self.is_overrun = is_overrun


class WorkerProcess:
    """A running worker. It is asked by one thread at a time; `kill` may come from any."""

    def __init__(self) -> None:
        # Nothing of the environment, which holds secrets: only where the packages are.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "db.evaluation.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            env={"PYTHONPATH": str(PACKAGES), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        for pipe in (self._input, self._output):
            os.set_blocking(pipe.fileno(), False)
        self._received = bytearray()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Raises `WorkerLost` if it does not start."""
        for _ in self._frames(STARTING_SECONDS):
            pass

    def ask(self, payload: bytes) -> Iterator[bytes]:
        """The frames of an answer as they come. Raises `WorkerLost`."""
        self._send(framed(payload))
        return self._frames(SILENT_SECONDS)

    def kill(self) -> None:
        """End it now. Whoever is asking it gets `WorkerLost`."""
        self._process.kill()

    def close(self) -> None:
        """End it and give back what it holds."""
        self.kill()
        self._process.wait()
        self._input.close()
        self._output.close()

    def _send(self, data: bytes) -> None:
        rest = memoryview(data)
        with selectors.DefaultSelector() as selector:
            selector.register(self._input, selectors.EVENT_WRITE)
            while rest:
                self._wait(selector, time.monotonic() + SILENT_SECONDS)
                try:
                    rest = rest[os.write(self._input.fileno(), rest[:CHUNK]) :]
                except BrokenPipeError:
                    raise self._lost() from None

    def _frames(self, patience: float) -> Iterator[bytes]:
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            while frame := self._frame(selector, time.monotonic() + patience):
                yield frame

    def _frame(self, selector: selectors.BaseSelector, until: float) -> bytes:
        (length,) = LENGTH.unpack(self._taken(selector, LENGTH.size, until))
        return self._taken(selector, length, until)

    def _taken(self, selector: selectors.BaseSelector, count: int, until: float) -> bytes:
        while len(self._received) < count:
            self._wait(selector, until)
            data = os.read(self._output.fileno(), CHUNK)
            if not data:
                raise self._lost()
            self._received += data
        taken = bytes(self._received[:count])
        del self._received[:count]
        return taken

    def _wait(self, selector: selectors.BaseSelector, until: float) -> None:
        if not selector.select(max(until - time.monotonic(), 0)):
            self.kill()
            raise WorkerLost(is_overrun=True)

    def _lost(self) -> WorkerLost:
        """It has closed its pipes: it ends, or has ended. How, tells whose fault it was."""
        self._process.kill()
        return WorkerLost(
            is_overrun=self._process.wait() in {-signal.SIGPROF, -signal.SIGABRT, -signal.SIGSEGV}
        )
