"""Two server processes on one database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.servers import ServerProcess

Pair = tuple[ServerProcess, ServerProcess]


@contextmanager
def pair_of_servers(database: str, broadcast: str, directory: Path, *more: str) -> Iterator[Pair]:
    """Two processes, started side by side; `more` are options."""
    options = ("--demo", "--database", database, "--broadcast", broadcast, *more)
    servers = [ServerProcess(*options, cwd=directory) for _ in range(2)]
    with ExitStack() as stack:
        for server in servers:
            stack.callback(server.stop)
        with ThreadPoolExecutor() as threads:
            list(threads.map(ServerProcess.start, servers))
        yield servers[0], servers[1]
