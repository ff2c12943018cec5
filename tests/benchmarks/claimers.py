"""Workers in a process of their own: each claims a step, completes it and takes the next with the same request.

    python -m tests.benchmarks.claimers

Each line asked: `url`; `wanted`, the filter of `claimSteps`; `workers`; `cycles`, how many steps each completes.
Answers how many were completed in how many seconds, from the first completion on. With `release` each worker claims and
releases a step instead, which leaves the queue as it was.
"""

import asyncio
import json
import sys
import time
from collections.abc import Generator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import uvloop

from tests.benchmarks.load import Connection, http_request
from tests.benchmarks.processes import tell
from tests.benchmarks.samples import output

FOREVER = float("inf")

CLAIM = """
  mutation Claim($input: ClaimStepsInput!) {
    claimSteps(input: $input) { ... on ClaimSuccess { claimed { claimToken step { id } } } }
  }
"""
COMPLETE = """
  mutation Complete($input: CompleteStepInput!) {
    completeStep(input: $input) { ... on TransitionSuccess { next { claimToken step { id } } } }
  }
"""
RELEASE = """
  mutation Release($input: ReleaseStepInput!) { releaseStep(input: $input) { ... on TransitionSuccess { revision } } }
"""

# Requests are sent, and sent in are the answers' data.
Requests = Generator[bytes, Any, None]


class Dialogue:
    """The requests of a connection, each made of the answer to the one before."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._has_begun = False
        self.connection: Connection

    def __iter__(self) -> "Dialogue":
        return self

    def __next__(self) -> bytes:
        if self._has_begun:
            return self._requests.send(json.loads(self.connection.last)["data"])
        self._has_begun = True
        return next(self._requests)


class Worker:
    """One worker of a queue."""

    def __init__(self, host: str, number: int, wanted: dict[str, Any]) -> None:
        self._host = host
        self._wanted = {"worker": f"worker {number}", **wanted}
        self.held: Any = None

    def take(self) -> Requests:
        """Claim the first step."""
        data = yield self._request(CLAIM, self._wanted)
        (self.held,) = data["claimSteps"]["claimed"]

    def complete(self, cycles: int) -> Requests:
        """Complete what is held, and take the next with it."""
        for number in range(cycles):
            done = {**self._named(), "outputData": output(number), "claimNext": self._wanted}
            data = yield self._request(COMPLETE, done)
            self.held = data["completeStep"]["next"]

    def give_back(self, cycles: int) -> Requests:
        """Release what is held, and claim again."""
        for _ in range(cycles):
            yield self._request(RELEASE, self._named())
            yield from self.take()

    def _named(self) -> dict[str, Any]:
        return {"id": self.held["step"]["id"], "claimToken": self.held["claimToken"]}

    def _request(self, document: str, given: dict[str, Any]) -> bytes:
        body = json.dumps({"query": document, "variables": {"input": given}})
        return http_request({"method": "POST", "path": "/graphql", "body": body}, self._host)


async def converse(url: str, dialogues: list[Requests]) -> float:
    """All dialogues at once; returns the seconds."""
    place, loop = urlsplit(url), asyncio.get_running_loop()
    connections = []
    for requests in dialogues:
        dialogue = Dialogue(requests)
        make = partial(Connection, dialogue, b'"data"', FOREVER)
        _, dialogue.connection = await loop.create_connection(make, place.hostname, place.port)
        connections.append(dialogue.connection)
    begun = time.perf_counter()
    for connection in connections:
        connection.begin()
    await asyncio.gather(*(connection.ended for connection in connections))
    elapsed = time.perf_counter() - begun
    for connection in connections:
        connection.close()
    return elapsed


async def run(
    url: str, wanted: dict[str, Any], workers: int, cycles: int, *, release: bool
) -> dict[str, Any]:
    """Every worker its cycles."""
    host = urlsplit(url).netloc
    crew = [Worker(host, number, wanted) for number in range(workers)]
    await converse(url, [worker.take() for worker in crew])
    seconds = await converse(
        url, [(worker.give_back if release else worker.complete)(cycles) for worker in crew]
    )
    return {
        "done": workers * cycles,
        "seconds": seconds,
        "held": [worker.held["step"]["id"] for worker in crew],
    }


def main() -> None:
    """Answer questions until there are no more."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tell("ready")
        for line in sys.stdin:
            tell(runner.run(run(**json.loads(line))))


if __name__ == "__main__":
    main()
