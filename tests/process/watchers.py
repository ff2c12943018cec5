"""`stepgraph watch` as a process, and what it writes."""

import json
import os
import pty
import re
import subprocess
import sys
import termios
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import Queue
from signal import SIGKILL, Signals
from typing import IO, Any, Self

from tests.servers import environment


class _Lines:
    """The lines of a stream, as they come."""

    def __init__(self, stream: IO[str]) -> None:
        self.all: list[str] = []
        self._stream = stream
        self._queue: Queue[str | None] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def next(self) -> str:
        """The next one; fails where there is none."""
        line = self._queue.get(timeout=60)
        assert line is not None, f"no line came after {self.all}"
        return line

    def rest(self) -> list[str]:
        """Those that nobody took, to the end of the stream."""
        self._reader.join(60)
        self._stream.close()
        lines = [self._queue.get_nowait() for _ in range(self._queue.qsize())]
        return [line for line in lines if line is not None]

    def _read(self) -> None:
        for line in self._stream:
            self.all.append(line.rstrip("\n"))
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)


class Watcher:
    """A running watcher; ended at the end if it has not."""

    def __init__(self, *arguments: str, cwd: Path, variables: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "server", "watch", *arguments],
            cwd=cwd,
            env=environment(**(variables or {})),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        assert self._process.stderr
        self.output = _Lines(self._process.stdout)
        self.errors = _Lines(self._process.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(SIGKILL)
        self._process.wait(60)
        self.output.rest()
        self.errors.rest()

    def next_event(self) -> dict[str, Any]:
        """The next line of `--json`."""
        event: dict[str, Any] = json.loads(self.output.next())
        return event

    def tell(self, signal: Signals) -> None:
        """Send it a signal and go on."""
        self._process.send_signal(signal)

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        return self._process.wait(60)


_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class WatchingTerminal:
    """A watcher in a terminal of 80 × 24, which records what it is sent."""

    def __init__(self, *arguments: str, cwd: Path, variables: Mapping[str, str] | None = None) -> None:
        self._own, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        inherited = environment(**{"TERM": "xterm", **(variables or {})})
        del inherited["COLUMNS"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "server", "watch", *arguments],
            cwd=cwd,
            env=inherited,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.recorded = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(SIGKILL)
        self._process.wait(60)
        os.close(self._own)

    def read_until(self, pattern: str) -> str:
        """Wait for what this finds, after all that was read before, and return it; fails where it ends before."""
        begin = len(self.recorded)
        while not (found := re.search(pattern, _STYLE.sub("", self.recorded[begin:]))):
            assert self._read(), f"{pattern!r} did not come: {self.recorded}"
        return found[0]

    def tell(self, signal: Signals) -> None:
        """Send it a signal and go on."""
        self._process.send_signal(signal)

    def end(self) -> int:
        """Its exit code, once it has ended; everything is recorded then."""
        while self._read():
            pass
        return self._process.wait(60)

    def picture(self) -> list[str]:
        """What stands in the terminal: the lines since the last time that all was wiped."""
        last = self.recorded.rpartition("\x1b[1A\x1b[2K")[2]
        return [line.rstrip() for line in _CONTROL.sub("", last).strip().splitlines()]

    def _read(self) -> bool:
        try:
            read = os.read(self._own, 65536)
        except OSError:  # how Linux says that nobody has the other end any more
            return False
        self.recorded += read.decode()
        return bool(read)
