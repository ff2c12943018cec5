"""HAProxy as `docs/deployment/haproxy.cfg` has it, before two servers."""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Sequence
from typing import Self

import pytest

from tests.servers import ROOT

CONFIGURATION = ROOT / "docs" / "deployment" / "haproxy.cfg"
INSTALL_HAPROXY = "needs HAProxy: apt-get install haproxy"
NAMES = ("one", "two")  # of the servers


class HAProxy:
    """A process on a free port. `said` is all that it ever wrote: each line tells of a server that came or went."""

    def __init__(self, ports: Sequence[int]) -> None:
        # Debian has it where only root looks.
        program = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if program is None:
            pytest.skip(INSTALL_HAPROXY)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.said: list[str] = []
        self._news = threading.Condition()
        self._command = [program, "-db", "-f", str(CONFIGURATION)]
        self._variables = {
            f"STEPGRAPH_{name.upper()}": f"127.0.0.1:{port}" for name, port in zip(NAMES, ports, strict=True)
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Returns when it takes connections."""
        self._process = subprocess.Popen(
            self._command,
            env={**os.environ, **self._variables, "STEPGRAPH_PUBLIC": f"127.0.0.1:{self.port}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        while not self._takes_connections():
            assert self._process.poll() is None, f"HAProxy has ended: {self.said}"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def wait_for(self, number: int, state: str, times: int) -> str:
        """Return what it said when that server was `UP` or `DOWN` for so many times."""
        beginning = f"Server stepgraph/{NAMES[number]} is {state}"
        with self._news:
            self._news.wait_for(lambda: len(self._lines(beginning)) >= times, 60)
            lines = self._lines(beginning)
        assert len(lines) >= times, f"no server went {state}: {self.said}"
        return lines[times - 1]

    def _lines(self, beginning: str) -> list[str]:
        return [line for line in self.said if line.startswith(beginning)]

    def _takes_connections(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self.said.append(line.rstrip())
                self._news.notify_all()
