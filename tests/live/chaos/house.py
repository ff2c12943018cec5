"""What is harmed: server processes, their broker and their database."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from signal import SIGKILL, SIGTERM

import orjson

from db.migrate import migrate
from tests.databases import connected, empty_postgresql, sqlite_url
from tests.live.brokers import RedisServer
from tests.live.chaos.serve import VARIABLE, Harm
from tests.live.postgresql_server import HarmableBroker, PostgreSQLServer
from tests.servers import ServerProcess

END_SESSIONS = """
  select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and application_name = 'stepgraph'
"""


@dataclass(frozen=True)
class Setting:
    """A way to run the program."""

    database: str
    broadcast: str
    processes: int = 1

    def __str__(self) -> str:
        return f"{self.database}-{self.broadcast}-{self.processes}"


SETTINGS = {
    str(setting): setting
    for setting in (
        Setting("sqlite", "memory"),
        Setting("postgresql", "redis"),
        Setting("postgresql", "redis", processes=2),
        Setting("postgresql", "postgresql", processes=2),
    )
}


@contextmanager
def database_of(setting: Setting, directory: Path) -> Iterator[str]:
    """A migrated database of the scenario's own."""
    with (
        empty_postgresql()
        if setting.database == "postgresql"
        else nullcontext(sqlite_url(directory / "chaos.db")) as url
    ):
        asyncio.run(migrate(url))
        yield url


class House:
    """A setting that runs. `ports` stay the servers' own when they are started again."""

    def __init__(
        self, database: str, broker: HarmableBroker | None, servers: list[ServerProcess], logs: list[Path]
    ) -> None:
        self.database = database
        self.broker = broker
        self.servers = servers
        self._logs = logs

    @property
    def ports(self) -> list[int]:
        return [int(server.url.rpartition(":")[2]) for server in self.servers]

    def port(self, server: ServerProcess) -> int:
        return self.ports[self.servers.index(server)]

    def deeds(self) -> Counter[str]:
        """What the servers did to themselves and noticed, counted."""
        return deeds_in(*self._logs)

    async def has_noted(self, what: str, times: int) -> None:
        """Return when the servers have noted this so often."""
        await has_noted(what, times, *self._logs)

    async def has_ended(self, server: ServerProcess) -> None:
        """Return when the process is gone."""
        await asyncio.to_thread(server.wait)

    async def start(self, server: ServerProcess) -> None:
        await asyncio.to_thread(server.start)

    async def end_database_sessions(self) -> int:
        """Cut every connection to the database; returns how many."""
        connection = await connected(self.database)
        try:
            return len(await connection.fetch(END_SESSIONS))
        finally:
            await connection.close()

    def said(self) -> list[str]:
        """What the servers said of things that nobody expected, each with its traceback."""
        told = ("ERROR", "Traceback", "Exception", "Task exception")
        blocks = [block for server in self.servers for block in _blocks(server.output)]
        return [block for block in blocks if any(word in block for word in told)]


def deeds_in(*logs: Path) -> Counter[str]:
    """What servers noted, counted."""
    lines = (line for log in logs if log.exists() for line in log.read_bytes().splitlines())
    return Counter(orjson.loads(line)["what"] for line in lines)


async def has_noted(what: str, times: int, *logs: Path) -> None:
    """Return when servers have noted this so often."""
    async with asyncio.timeout(60):
        while deeds_in(*logs)[what] < times:  # noqa: ASYNC110 – other processes write it
            await asyncio.sleep(0.05)  # another process writes it


def _blocks(lines: list[str]) -> list[str]:
    """A server's words: what the log tells of, each with the lines that belong to it."""
    begins = re.compile(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL|Task exception|Exception in|Stepgraph|Stop it)")
    blocks: list[list[str]] = [[]]
    for line in lines:
        if begins.match(line):
            blocks.append([])
        blocks[-1].append(line)
    return ["\n".join(block) for block in blocks]


def harmed_server(database: str, directory: Path, harm: Harm, broadcast: str = "memory://") -> ServerProcess:
    """A server that does harm to itself, not yet started."""
    return ServerProcess(
        *("--database", database, "--broadcast", broadcast),
        cwd=directory,
        variables={VARIABLE: orjson.dumps(asdict(harm)).decode()},
        program="tests.live.chaos.serve",
    )


@contextmanager
def _broker(kind: str, directory: Path) -> Iterator[HarmableBroker]:
    """A broker of the scenario's own, running. One of PostgreSQL is another server than the database's."""
    if kind == "redis":
        broker: HarmableBroker = RedisServer(directory)
        end = broker.kill
    else:
        broker = PostgreSQLServer()
        end = broker.remove
    try:
        broker.start()
        yield broker
    finally:
        end()


@asynccontextmanager
async def opened(setting: Setting, database: str, directory: Path, chance: Random) -> AsyncIterator[House]:
    """Start everything on a migrated database; at the end servers are told to end, and must."""
    async with AsyncExitStack() as stack:
        broker: HarmableBroker | None = None
        broadcast = "memory://"
        if setting.broadcast != "memory":
            broker = stack.enter_context(_broker(setting.broadcast, directory))
            broadcast = broker.url
        servers, logs = [], []
        for number in range(setting.processes):
            logs.append(directory / f"server-{number}.jsonl")
            harm = Harm(str(logs[-1]), chance.randrange(1 << 30), lost=0.15, doubled=0.15, late=0.15)
            server = harmed_server(database, directory, harm, broadcast)
            stack.callback(server.stop, SIGKILL)
            servers.append(server)
        house = House(database, broker, servers, logs)
        await asyncio.gather(*(house.start(server) for server in servers))
        yield house
        codes = [await asyncio.to_thread(server.stop, SIGTERM) for server in servers]
        assert codes == [0] * len(servers), f"servers ended with {codes}"
