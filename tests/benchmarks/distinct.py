"""Subscribers that each watch an execution of their own, and changes of these made by hand, from a process of its own.

    python -m tests.benchmarks.distinct

Asked `{"open": …}` it opens a socket on `url` for each of the `roots`, and answers once each has its first event. Asked
`{"change": …}` it commits `per_second` changes for some `seconds`, one tree after the other, and rings for each after its
commit as a server would; it answers with the milliseconds from each commit to its event.
"""

import asyncio
import json
import sys
import time
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import uvloop
from redis import asyncio as redis

from server.live.ring import CHANNEL, Ring
from tests.benchmarks.processes import tell
from tests.benchmarks.subscribers import HANDSHAKE, Socket

_OPENING = 50  # at a time
_WRITERS = 4
_PATIENCE = 60  # seconds
WATCH = "subscription ($id: ID!) { workflowExecution(id: $id) { revision runtimeStatus steps { stepId status } } }"
# What a command does to the rows, as far as a subscriber can tell.
_CHANGE = """
  with changed as (
    update workflow_execution set revision = revision + 1, tree_revision = tree_revision + 1
    where id = $1 returning tenant, id, tree_revision
  )
  insert into journal (tenant, root_id, revision, execution_id, kind, at)
  select tenant, id, tree_revision, id, 'CONTEXT_UPDATED', now() from changed returning revision
"""


class Listener:
    """The events of one socket; with the members of `subscribers.Audience` that sockets use."""

    def __init__(self) -> None:
        self._had_one: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def take(self, _number: int, _payload: bytes) -> None:
        if not self._had_one.done():
            self._had_one.set_result(time.perf_counter())

    async def next(self) -> float:
        """When its next event came."""
        async with asyncio.timeout(_PATIENCE):
            return await self._had_one

    def await_one_more(self) -> None:
        self._had_one = asyncio.get_running_loop().create_future()


class Distinct:
    """The sockets, and who changes what they watch."""

    def __init__(self) -> None:
        self._listeners: dict[str, Listener] = {}

    async def open(self, url: str, roots: list[str]) -> int:
        """Returns how many sockets are open."""
        place = urlsplit(url)
        handshake = HANDSHAKE.format(path="/graphql", host=place.netloc).encode()
        opening = asyncio.Semaphore(_OPENING)

        async def open_one(root_id: str) -> None:
            payload = {"query": WATCH, "variables": {"id": root_id}}
            subscribe = json.dumps({"id": "1", "type": "subscribe", "payload": payload}).encode()
            listener = self._listeners[root_id] = Listener()
            async with opening:
                await asyncio.get_running_loop().create_connection(
                    lambda: Socket(listener, handshake, subscribe), place.hostname, place.port
                )
                await listener.next()

        await asyncio.gather(*map(open_one, roots))
        return len(self._listeners)

    async def change(self, database: str, broker: str, per_second: float, seconds: float) -> list[float]:
        """Milliseconds from the end of each commit to its event."""
        roots, number = list(self._listeners), int(per_second * seconds)
        due = asyncio.Queue[str]()
        took: list[float] = []
        bell = redis.Redis.from_url(broker)

        async def write() -> None:
            connection = await asyncpg.connect(database)
            while root_id := await due.get():
                listener = self._listeners[root_id]
                listener.await_one_more()
                revision = await connection.fetchval(_CHANGE, root_id)
                committed = time.perf_counter()
                await bell.publish(CHANNEL, Ring(root_id, revision - 1, revision).text)
                waiting.append(asyncio.create_task(until(listener, committed)))
            await connection.close()

        async def until(listener: Listener, committed: float) -> None:
            took.append((await listener.next() - committed) * 1000)

        waiting: list[asyncio.Task[None]] = []
        writers = [asyncio.create_task(write()) for _ in range(_WRITERS)]
        begun = time.perf_counter()
        for each in range(number):
            await asyncio.sleep(max(begun + each / per_second - time.perf_counter(), 0))
            due.put_nowait(roots[each % len(roots)])
        for _ in writers:
            due.put_nowait("")
        await asyncio.gather(*writers)
        await asyncio.gather(*waiting)
        await bell.aclose()
        return took


async def answer_questions() -> None:
    """Until there are no more."""
    distinct = Distinct()
    tell("ready")
    while line := await asyncio.to_thread(sys.stdin.readline):
        ((verb, asked),) = json.loads(line).items()
        work: Any = distinct.open if verb == "open" else distinct.change
        tell(await work(**asked))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(answer_questions())
