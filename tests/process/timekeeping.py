"""The server, telling what its timer does: `python -m tests.process.timekeeping serve …`.

A line for each transaction of the timer that changed something, once it has committed, and one for each time that something
seemed to be due and nothing was found.
"""

from collections.abc import Iterable
from typing import Any

import server.__main__ as program
from server.live import timers

DID = "timer did"
IN_VAIN = "timer in vain"

Deed = tuple[str, int, int]


def deeds(output: Iterable[str]) -> list[Deed]:
    """What a server's timer did: the tree, the revision before, and the one after."""
    told = [line.removeprefix(DID).split() for line in output if line.startswith(DID)]
    return [(root_id, int(since), int(revision)) for root_id, since, revision in told]


def in_vain(output: Iterable[str]) -> int:
    """How often it looked although nothing was due."""
    return sum(line == IN_VAIN for line in output)


def other_words(output: Iterable[str]) -> list[str]:
    """What a server has said that is not of its timer."""
    return [line for line in output if not line.startswith((DID, IN_VAIN))]


def tell() -> None:
    """Have the timer of this process tell. At once, for the process may be killed."""
    handle, find = timers.handle_due, timers.due_trees

    async def handle_due(*given: Any, **more: Any) -> Any:
        committed = await handle(*given, **more)
        if committed is not None and committed.revision > committed.since:
            print(DID, committed.root_id, committed.since, committed.revision, flush=True)
        return committed

    async def due_trees(*given: Any, **more: Any) -> Any:
        trees = await find(*given, **more)
        if not trees:
            print(IN_VAIN, flush=True)
        return trees

    timers.handle_due, timers.due_trees = handle_due, due_trees


if __name__ == "__main__":
    tell()
    program.main()
