"""Real processes of the program, started as a person would start them."""

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from typing import Any, Self

import httpx

ROOT = Path(__file__).parents[1]
READY_LINE = "Stop it with Ctrl+C."
# For clients of plain HTTP: to load the machine's certificates takes longer than most tests.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without its own settings of the program, and with these."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STEPGRAPH_")}
    return {**inherited, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **variables}


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command of the program left."""

    code: int
    output: str
    errors: str


def run_command(*arguments: str, cwd: Path, variables: Mapping[str, str] | None = None) -> Ended:
    """Run `python -m server …` to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        cwd=cwd,
        env=environment(**(variables or {})),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


class ServerProcess:
    """`python -m server serve` on a free port; ready once it says so. `output` is all that it ever wrote.

    `program` is another module that serves.
    """

    def __init__(
        self,
        *options: str,
        cwd: Path,
        variables: Mapping[str, str] | None = None,
        program: str = "server",
    ) -> None:
        self._command = [sys.executable, "-m", program, "serve", *options]
        self._cwd = cwd
        self._variables = variables or {}
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._news = threading.Condition()
        self._has_ended = False
        self.output: list[str] = []
        self.url = ""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop(SIGKILL)
            raise
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
        """Start it, on the port that it had before; returns when it serves, fails with its words if it ends."""
        port = self.url.rpartition(":")[2] or self._variables.get("STEPGRAPH_PORT", "0")
        begin = len(self.output)
        self._has_ended = False
        self._process = subprocess.Popen(
            self._command,
            cwd=self._cwd,
            env=environment(**{**self._variables, "STEPGRAPH_PORT": port}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        self.wait_for(lambda lines: READY_LINE in lines[begin:])
        banner = next(line for line in self.output[begin:] if "serves http" in line)
        self.url = banner.split()[-1]

    def wait_for(self, told: Callable[[list[str]], bool]) -> None:
        """Return when the output fulfils this; fails when the process ends without."""
        with self._news:
            self._news.wait_for(lambda: self._has_ended or told(self.output), 60)
            assert told(self.output), f"the server has ended or hangs: {self.output}"

    def tell(self, signal: Signals) -> None:
        """Send it a signal and go on."""
        self.process.send_signal(signal)

    def wait(self) -> int:
        """Wait for its end; returns its exit code, negative for a signal's number."""
        code = self.process.wait(timeout=60)
        assert self._reader is not None
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._process = None
        return code

    def stop(self, with_signal: Signals = SIGTERM) -> int:
        """End it if it runs; returns its exit code, with all of its output kept."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(with_signal)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait()
            raise

    def graphql(self, document: str, **variables: Any) -> Any:
        """The data of an operation that must not have errors."""
        body = {"query": document, "variables": variables}
        response = httpx.post(f"{self.url}/graphql", json=body, timeout=60, trust_env=False, verify=NO_TLS)
        answer = response.json()
        assert "errors" not in answer, answer
        return answer["data"]

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with self._news:
                self.output.append(line.rstrip())
                self._news.notify_all()
        with self._news:
            self._has_ended = True
            self._news.notify_all()
