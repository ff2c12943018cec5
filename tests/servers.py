"""Real server processes, started as a person would start them."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import httpx

ROOT = Path(__file__).parents[1]
READY_LINE = "Stop it with Ctrl+C."


class ServerProcess:
    """`python -m server serve` on a free port; ready once it says so."""

    def __init__(self, *options: str, cwd: Path, environment: dict[str, str] | None = None) -> None:
        self._options = options
        self._cwd = cwd
        self._environment = environment or {}
        self._process: subprocess.Popen[str] | None = None
        self.output: list[str] = []
        self.url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def process(self) -> "subprocess.Popen[str]":
        assert self._process is not None, "not started"
        return self._process

    @property
    def websocket_url(self) -> str:
        return self.url.replace("http://", "ws://") + "/graphql"

    def start(self) -> None:
        """Start it; returns when it serves, fails with its words when it ended instead."""
        port = self.url.rpartition(":")[2] or "0"
        command = [sys.executable, "-m", "server", "serve", "--port", port, *self._options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **self._environment}
        self._process = subprocess.Popen(
            command,
            cwd=self._cwd,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.output.append(line.rstrip())
            if "serves http" in line:
                self.url = line.split()[-1]
            if READY_LINE in line:
                return
        raise AssertionError(f"the server ended: {self.output}")

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> int:
        """End it; returns its exit code, with the rest of its output kept."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(with_signal)
        rest, _ = self._process.communicate(timeout=30)
        self.output += rest.splitlines()
        code, self._process = self._process.returncode, None
        return code

    def graphql(self, document: str, **variables: Any) -> Any:
        """The data of an operation that must not have errors."""
        response = httpx.post(f"{self.url}/graphql", json={"query": document, "variables": variables})
        answer = response.json()
        assert "errors" not in answer, answer
        return answer["data"]
