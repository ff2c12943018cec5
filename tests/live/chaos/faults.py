"""What happens to servers, broker, database and connections; each fault tells how many live clients it met."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM, SIGUSR1, SIGUSR2, Signals
from typing import Protocol

from tests.live.chaos.clients import Following
from tests.live.chaos.house import House, Setting
from tests.live.chaos.log import Log
from tests.live.chaos.writers import Writer
from tests.servers import ServerProcess

# Larger than all that lies between a server and a reader that takes nothing.
FILLING = ["x" * 40_000] * 10


def kinds_of(setting: Setting) -> list[str]:
    """Every kind of fault that there can be."""
    kinds = ["kill", "kill_between_commit_and_ring", "kill_after_ring", "drain", "pause"]
    kinds += ["cut", "stall", "partition"]
    if setting.broadcast != "memory":
        kinds += ["broker_dies", "broker_freezes"]
    if setting.database == "postgresql":
        kinds.append("sessions_end")
    return kinds


class Stage(Protocol):
    """What faults need of the scenario that they happen in."""

    def live(self) -> Sequence[Following]:
        """The clients that are there."""

    async def until(self, told: Callable[[], object]) -> bool:
        """Return when this is so."""

    async def progress(self, events: int) -> None:
        """Return when clients saw so many more events."""

    async def watched_tree(self) -> tuple[str, Sequence[Following]]:
        """A new tree, and clients of it over each transport."""


class Faults:
    """`met` counts the live clients that each kind has met."""

    def __init__(self, house: House, stage: Stage, writer: Writer, chance: random.Random, log: Log) -> None:
        self.met: Counter[str] = Counter()
        self._house = house
        self._stage = stage
        self._writer = writer
        self._chance = chance
        self._log = log

    def deck(self, setting: Setting) -> list[str]:
        """Every kind once, in a random order."""
        kinds = kinds_of(setting)
        return self._chance.sample(kinds, len(kinds))

    async def happen(self, kind: str) -> None:
        """Do it, and undo it."""
        self._log.write(fault=kind)
        await getattr(self, f"_{kind}")()
        self._log.write(fault=kind, is_over=True)

    def _meets(self, kind: str, clients: int) -> None:
        self.met[kind] += clients
        self._log.write(fault=kind, clients=clients)

    def _of(self, server: ServerProcess) -> list[Following]:
        port = self._house.port(server)
        return [each for each in self._live() if any(link.port == port for link in each.wire.links)]

    def _live(self) -> list[Following]:
        return [each for each in self._stage.live() if each.is_live]

    async def _chosen(self) -> ServerProcess:
        """A server that somebody is connected to."""
        await self._stage.until(lambda: any(self._of(server) for server in self._house.servers))
        return self._chance.choice([server for server in self._house.servers if self._of(server)])

    async def _kill(self) -> None:
        await self._end("kill", SIGKILL)

    async def _kill_between_commit_and_ring(self) -> None:
        await self._end("kill_between_commit_and_ring", SIGUSR1)

    async def _kill_after_ring(self) -> None:
        await self._end("kill_after_ring", SIGUSR2)

    async def _drain(self) -> None:
        await self._end("drain", SIGTERM)

    async def _end(self, kind: str, number: Signals) -> None:
        server = await self._chosen()
        met = self._of(server)
        server.tell(number)
        await self._house.has_ended(server)
        self._meets(kind, len(met))
        await asyncio.sleep(self._chance.uniform(0, 1))  # a server may be away for any time
        await self._house.start(server)

    async def _pause(self) -> None:
        """Stopped and continued: to others it hangs."""
        server = await self._chosen()
        self._meets("pause", len(self._of(server)))
        server.tell(SIGSTOP)
        await asyncio.sleep(self._chance.uniform(0.3, 4))  # it lasts for any time
        server.tell(SIGCONT)

    async def _broker_dies(self) -> None:
        assert self._house.broker is not None
        self._meets("broker_dies", len(self._live()))
        self._house.broker.kill()
        await self._stage.progress(20)
        self._house.broker.start()

    async def _broker_freezes(self) -> None:
        assert self._house.broker is not None
        self._meets("broker_freezes", len(self._live()))
        self._house.broker.freeze()
        await self._stage.progress(20)
        await asyncio.sleep(self._chance.uniform(0, 6))  # it lasts for any time
        self._house.broker.thaw()

    async def _sessions_end(self) -> None:
        self._meets("sessions_end", len(self._live()))
        self._log.write(sessions=await self._house.end_database_sessions())

    async def _cut(self) -> None:
        """Many connections end in the midst of what they carry."""
        await self._stage.until(lambda: len(self._live()) > 1)
        live = self._live()
        chosen = self._chance.sample(live, len(live) // 2)
        self._meets("cut", sum(each.wire.cut(self._chance.randint(0, 4_000)) for each in chosen))

    async def _stall(self) -> None:
        """Clients take nothing while much is sent to them, until the server has enough of it."""
        root_id, clients = await self._stage.watched_tree()
        await self._stage.until(lambda: all(each.is_live for each in clients))
        noted = self._house.deeds()["stalled"]
        for each in clients:
            each.wire.stall()
        self._meets("stall", len(clients))
        for filling in FILLING:
            await self._writer.update(root_id, {"filling": filling})
        await self._writer.update(root_id, {"filling": None})
        await self._house.has_noted("stalled", noted + 1)
        for each in clients:
            each.wire.heal()

    async def _partition(self) -> None:
        """Every byte between clients and one server is swallowed, and nobody is told."""
        server = await self._chosen()
        port = self._house.port(server)
        chosen = self._of(server)
        self._meets("partition", sum(each.wire.swallow(port) for each in chosen))
        await asyncio.sleep(self._chance.uniform(1, 4))  # it lasts for any time
        for each in chosen:
            each.wire.heal()
