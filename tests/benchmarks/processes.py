"""Processes of the benchmarks: each says when it is ready, is told what to do and is ended by its id."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Self

import psutil

from tests.servers import ROOT

_ENDING_SECONDS = 20


class Program:
    """A command that says one line of JSON when it is ready, then answers one with one."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.said = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.communicate(timeout=_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, question: Any) -> Any:
        """Returns the answer to a question."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"{self._process.args} ended"
        return json.loads(line)


class Worker(Program):
    """`python -m tests.benchmarks.<module> …`."""

    def __init__(self, module: str, *arguments: str) -> None:
        super().__init__([sys.executable, "-m", f"tests.benchmarks.{module}", *arguments])


def tell(value: Any) -> None:
    """In a worker: say it to who started it."""
    print(json.dumps(value), flush=True)


def cpu_seconds(pid: int) -> float:
    """What a process has used until now, in user and system mode."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
