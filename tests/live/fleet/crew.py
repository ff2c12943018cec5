"""Some workers in one process, to be killed and frozen: `python -m tests.live.fleet.crew NOTES SEED COUNT URL…`.

They are ruder than `docs/workers.md` asks for: also after a heartbeat was refused they complete what they had claimed.
"""

import asyncio
import sys
from pathlib import Path
from random import Random
from typing import Any

from tests.live.fleet.connection import Connection
from tests.live.fleet.notes import JSON, Notebook

LEASE_SECONDS = 2
WAIT_SECONDS = 20
# The seconds of a step's work: most are short, some outlast their lease but for the heartbeats.
SHORT, LONG, LONG_ONES = 0.3, 1.5 * LEASE_SECONDS, 0.01
HEARTBEAT_SECONDS = LEASE_SECONDS / 4

CLAIM = """
  mutation ($input: ClaimStepsInput!) {
    claimSteps(input: $input) {
      __typename ... on ClaimSuccess { claimed { claimToken leaseExpiresAt step { id } } }
    }
  }
"""
HEARTBEAT = """
  mutation ($input: HeartbeatStepInput!) {
    heartbeatStep(input: $input) { __typename ... on ClaimSuccess { claimed { leaseExpiresAt } } }
  }
"""
COMPLETE = """
  mutation ($input: CompleteStepInput!) {
    completeStep(input: $input) {
      __typename ... on TransitionSuccess { next { claimToken leaseExpiresAt step { id } } }
    }
  }
"""


class Worker:
    """One worker of the crew: claims, works, completes, and notes each before and after."""

    def __init__(self, name: str, connection: Connection, notebook: Notebook, chance: Random) -> None:
        self._name = name
        self._connection = connection
        self._notebook = notebook
        self._chance = chance
        self._wanted = {"worker": name, "types": ["SYS_TASK"], "leaseSeconds": LEASE_SECONDS}

    async def run(self) -> None:
        """Work for ever."""
        claimed: JSON | None = None
        while True:
            while claimed is None:
                claimed = await self._claim()
            self._note(
                "claimed", claimed["claimToken"], step=claimed["step"]["id"], until=claimed["leaseExpiresAt"]
            )
            await self._work(claimed)
            claimed = await self._complete(claimed)

    async def _claim(self) -> JSON | None:
        self._notebook.note("asks", self._name)
        answer = await self._connection.ask(CLAIM, {**self._wanted, "waitSeconds": WAIT_SECONDS})
        return next(iter(answer["claimed"]), None)

    async def _work(self, claimed: JSON) -> None:
        is_long = self._chance.random() < LONG_ONES
        left = LONG if is_long else self._chance.uniform(0, SHORT)
        while left > HEARTBEAT_SECONDS:
            await asyncio.sleep(HEARTBEAT_SECONDS)  # the work
            left -= HEARTBEAT_SECONDS
            answer = await self._connection.ask(HEARTBEAT, {**_named(claimed), "leaseSeconds": LEASE_SECONDS})
            for kept in answer.get("claimed", ()):
                self._note("kept", claimed["claimToken"], until=kept["leaseExpiresAt"])
        await asyncio.sleep(left)  # the work

    async def _complete(self, claimed: JSON) -> JSON | None:
        token = claimed["claimToken"]
        output = {"worker": self._name, "token": token}
        given = {**_named(claimed), "outputData": output, "claimNext": self._wanted, "idempotencyKey": token}
        self._note("sends", token)
        answer = await self._connection.ask(COMPLETE, given)
        self._note("answered", token, result=answer["__typename"])
        following: JSON | None = answer.get("next")
        return following

    def _note(self, what: str, token: str, **more: Any) -> None:
        self._notebook.note(what, self._name, token=token, **more)


def _named(claimed: JSON) -> JSON:
    return {"id": claimed["step"]["id"], "claimToken": claimed["claimToken"]}


async def main(notes: str, seed: str, count: str, *urls: str) -> None:
    """All workers of the crew, spread over the servers."""
    notebook, name = Notebook(Path(notes)), Path(notes).stem
    async with asyncio.TaskGroup() as tasks:
        for number in range(int(count)):
            chance = Random(f"{seed} {name} {number}")  # noqa: S311 – repeatable
            connection = Connection(urls[number % len(urls)])
            tasks.create_task(Worker(f"{name}-{number}", connection, notebook, chance).run())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
