"""The commands of `docs/configuration.md` do what it says, typed as they stand there."""

import re
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.main import get_command

from server.__main__ import cli
from tests.databases import sqlite_url
from tests.docs.owners import runs
from tests.docs.pages import in_section, prose
from tests.docs.terminal import PROGRAM, TypedServer, typed
from tests.live.brokers import REDIS_URL

PAGE = "docs/configuration.md"
WORKERS, ONE_BY_ONE = in_section(PAGE, "Several processes", "sh")
(RESTORED,) = in_section(PAGE, "After a restore", "sh")
READY = {"status": "ready", "database": "ok", "doorbell": "ok"}


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@runs(WORKERS, ONE_BY_ONE)
@pytest.mark.postgresql
@pytest.mark.redis
def test_several_processes_serve_one_database_and_one_broker(
    empty_postgresql_url: str, tmp_path: Path
) -> None:
    replaced = {
        "postgresql+asyncpg://stepgraph@127.0.0.1/stepgraph": empty_postgresql_url,
        "redis://127.0.0.1:6379": REDIS_URL,
        "--workers 4": "--workers 2",  # a process takes seconds to start
    }
    with TypedServer(WORKERS.text, cwd=tmp_path, replaced=replaced) as server:
        assert server.answer("/readyz").json() == READY
    variables = {"STEPGRAPH_DATABASE": empty_postgresql_url, "STEPGRAPH_BROADCAST": REDIS_URL}
    with ExitStack() as beside_each_other:
        for line, port in zip(ONE_BY_ONE.text.splitlines(), ("8001", "8002"), strict=True):
            one = TypedServer(line, cwd=tmp_path, replaced={port: free_port()}, variables=variables)
            assert beside_each_other.enter_context(one).answer("/readyz").json() == READY


def test_every_option_that_turns_something_off_is_told() -> None:
    options = get_command(cli).commands["serve"].params
    found = {name for option in options for name in option.secondary_opts}
    assert set(re.findall(r"`(--no-[a-z-]+)`", prose(PAGE))) == found


@runs(RESTORED)
def test_the_epoch_after_a_restore_is_another(tmp_path: Path) -> None:
    database = {"STEPGRAPH_DATABASE": sqlite_url(tmp_path / "restored.db")}
    typed(f"{PROGRAM} migrate", **database)
    (first,), (second,) = (typed(RESTORED.text, **database) for _ in range(2))
    assert first != second
