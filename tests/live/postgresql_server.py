"""A PostgreSQL server that tests may harm."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from server.live.ring import CHANNEL
from tests.live.brokers import RedisServer, Which

INSTALL_POSTGRESQL = "needs PostgreSQL's own programs: apt-get install postgresql"

_DOORBELL = "application_name = 'stepgraph-doorbell'"
_LISTENS = "query ilike 'listen%'"


class PostgreSQLServer:
    """A `postgres` process on a free port, with a directory of its own; keeps both when it is started again."""

    def __init__(self) -> None:
        self._programs = _programs()
        # The server refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._directory = Path(tempfile.mkdtemp(prefix="stepgraph-postgresql-"))
        if self._user is not None:
            shutil.chown(self._directory, self._user)
        self._data = self._directory / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C")

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Returns when it answers; does nothing while it runs."""
        if self._process is not None:
            return
        options = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": ""}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [self._programs / "postgres", "-D", self._data, "-F", *settings],
            cwd=self._directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._user,
        )
        while self._answers("pg_isready") != 0:
            assert self._process.poll() is None, "postgres has ended"
            time.sleep(0.01)  # pg_isready answers at once, ready or not

    def kill(self) -> None:
        """All of its processes at once, as when the machine loses its power."""
        if self._process is not None:
            family = self._family()
            for each in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
            self._process.wait()
            psutil.wait_procs(family)
            self._process = None

    def stop_at_once(self) -> None:
        """`pg_ctl stop -m immediate`: sessions are told so and cut off, and the next start recovers."""
        if self._process is not None:
            subprocess.run(
                [self._programs / "pg_ctl", "stop", "-s", "-D", self._data, "-m", "immediate"],
                cwd=self._directory,
                user=self._user,
                check=True,
            )
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop it without closing a connection: to a client the same as a network that swallows all."""
        for each in self._family():
            each.suspend()

    def thaw(self) -> None:
        if self._process is not None:
            for each in self._family():
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.resume()

    def remove(self) -> None:
        """Kill it, with all that it has stored."""
        self.kill()
        shutil.rmtree(self._directory)

    async def publish(self, *messages: str) -> None:
        """In one transaction, so that they arrive together."""
        await self._fetch("select pg_notify($1, message) from unnest($2::text[]) message", CHANNEL, messages)

    async def flood(self, messages: int, size: int) -> None:
        """Publish so many at once, no two the same, none of them ours."""
        statement = "select pg_notify($1, n || repeat('x', $3)) from generate_series(1, $2) n"
        await self._fetch(statement, CHANNEL, messages, size)

    async def cut(self, which: Which) -> None:
        """End the doorbell's connections of one kind."""
        ended = await self._fetch(f"select pg_terminate_backend(pid) {_backends(which)}")
        assert ended, f"there is no {which} connection"

    async def stall(self, which: Which) -> None:
        """Stop what serves the doorbell's connections of one kind; to others the server goes on to answer."""
        found = await self._fetch(f"select pid {_backends(which)}")
        assert found, f"there is no {which} connection"
        for row in found:
            psutil.Process(row["pid"]).suspend()

    async def connections(self) -> int:
        """How many the doorbell has."""
        (row,) = await self._fetch(f"select count(*) from pg_stat_activity where {_DOORBELL}")
        return int(row["count"])

    async def _fetch(self, statement: str, *arguments: Any) -> list[Any]:
        connection = await asyncpg.connect(self.url, timeout=10)
        try:
            rows: list[Any] = await connection.fetch(statement, *arguments)
            return rows
        finally:
            await connection.close()

    def _family(self) -> list[psutil.Process]:
        assert self._process is not None
        postmaster = psutil.Process(self._process.pid)
        return [postmaster, *postmaster.children(recursive=True)]

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, "-D", self._data, *arguments],
            cwd=self._directory,
            stdout=subprocess.DEVNULL,
            user=self._user,
            check=True,
        )

    def _answers(self, program: str) -> int:
        command = [self._programs / program, "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode


HarmableBroker = RedisServer | PostgreSQLServer


def _backends(which: str) -> str:
    return f"from pg_stat_activity where {_DOORBELL} and {'' if which == 'listening' else 'not '}({_LISTENS})"


def _programs() -> Path:
    """Debian keeps them out of PATH."""
    on_path = shutil.which("postgres")
    if on_path is not None:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if not found:
        pytest.skip(INSTALL_POSTGRESQL)
    return found[-1].parent
