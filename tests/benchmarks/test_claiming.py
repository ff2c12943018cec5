"""Work in a circle: claim, complete, next – over HTTP, beside the same statements by hand."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks import samples
from tests.benchmarks.processes import Worker, cpu_seconds
from tests.benchmarks.raw_commands import CONNECTIONS
from tests.benchmarks.rounds import ROUNDS, Sample, Target, measure, show
from tests.benchmarks.test_commands import commanded, floor_sample, targets_of  # noqa: F401 – a fixture
from tests.servers import ServerProcess

FORMS = 8
EXECUTIONS = 64
CYCLES = 50  # of each worker, so that of each execution the last form waits or is worked on, never done

SERVER = "completeStep with claimNext"
FLOOR = "its statements by hand"


class Queues:
    """Templates with executions of their own, one for each round of a candidate."""

    def __init__(self, keys: list[str]) -> None:
        self._keys: Iterator[str] = iter(keys)
        self.last = ""

    def next(self) -> str:
        """The next one's key."""
        self.last = next(self._keys)
        return self.last


async def queues(url: str) -> tuple[Queues, Queues, list[str]]:
    """For server and floor, each with a warm-up and all rounds; and the images that the floor's journal shows."""
    made = []
    for _ in range(2):
        keys = [await samples.publish(url, samples.sequence("work", FORMS)) for _ in range(ROUNDS + 1)]
        for key in keys:
            await samples.copies(url, await samples.start(url, key), EXECUTIONS - 1)
        made.append(Queues(keys))
    pattern = await samples.publish(url, samples.sequence("pattern", FORMS))
    images = await samples.images(url, await samples.start(url, pattern, completed=1))
    await samples.settle(url)
    return made[0], made[1], images


def test_claim_complete_next_writes_what_its_floor_writes(
    commanded: tuple[str, str],  # noqa: F811 – the fixture
    tmp_path: Path,
) -> None:
    database_url, name = commanded
    ours, by_hand, images = asyncio.run(queues(database_url))
    with ExitStack() as stack:
        claimers = stack.enter_context(Worker("claimers"))
        server = stack.enter_context(ServerProcess("--database", database_url, cwd=tmp_path))
        floor = stack.enter_context(Worker("raw_claims", database_url))

        def work() -> Sample:
            pid = server.process.pid
            before = cpu_seconds(pid)
            wanted = {"workflowTemplateKeys": [ours.next()]}
            asked = {"url": server.url, "wanted": wanted, "workers": CONNECTIONS, "cycles": CYCLES}
            told = claimers.ask({**asked, "release": False})
            return Sample(told["done"], told["seconds"], cpu_seconds(pid) - before)

        def work_by_hand() -> Sample:
            return floor_sample(floor.ask({"key": by_hand.next(), "cycles": CYCLES, "images": images}))

        candidates: dict[str, Callable[[], Sample]] = {SERVER: work, FLOOR: work_by_hand}
        measure(candidates, rounds=1)  # caches, pools and plans are warm
        rounds = measure(candidates)
    targets = targets_of(database_url, Target(SERVER, FLOOR, 0.3))
    show(f"{CONNECTIONS} workers, {name}", rounds, targets)
    stands = [asyncio.run(samples.work_done(database_url, made.last)) for made in (ours, by_hand)]
    assert stands[0] == stands[1]
