"""People take tasks as `docs/workers.md` says: the operations of the page, word for word."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from tests.docs.owners import runs
from tests.docs.pages import in_section
from tests.folding import folded
from tests.frontend_documents import document
from tests.process.clients import LIVE, post
from tests.servers import ServerProcess

SECTION = ("docs/workers.md", "People as workers")
TAKE, QUEUE, MINE = in_section(*SECTION, "graphql")
(VARIABLES,) = in_section(*SECTION, "json")


class List:
    """A list on somebody's screen."""

    def __init__(self, payloads: AsyncIterator[Any]) -> None:
        self._payloads = payloads
        self._page: list[Any] = []

    async def shows(self, *names: str) -> None:
        """Return when it does."""
        async with asyncio.timeout(60):
            while True:
                entries = (await anext(self._payloads))["data"]["workflowStepExecutions"]["entries"]
                self._page = folded(self._page, entries)
                if [entry["step"]["name"] for entry in self._page] == list(names):
                    return


async def take(server: ServerProcess, step: str, worker: str) -> list[Any]:
    """What somebody gets who takes a task."""
    given = {"input": {**json.loads(VARIABLES.text)["input"], "ids": [step], "worker": worker}}
    claimed: list[Any] = (await post(server, TAKE.text, **given))["data"]["claimSteps"]["claimed"]
    return claimed


async def give(server: ServerProcess, operation: str, **given: Any) -> str:
    """What comes of a frontend's operation."""
    (result,) = (await post(server, document(operation), input=given))["data"].values()
    kind: str = result["__typename"]
    return kind


@runs(TAKE, VARIABLES, QUEUE, MINE)
async def test_a_task_that_is_taken_goes_from_the_queue_to_whoever_took_it(server: ServerProcess) -> None:
    async with LIVE["websocket"](server, QUEUE.text) as queued, LIVE["websocket"](server, MINE.text) as taken:
        queue, mine = List(queued), List(taken)
        await queue.shows()
        await mine.shows()
        given = {"workflowTemplateKey": "onboarding", "context": {"employee": "Ann"}}
        (made,) = (await post(server, document("StartExecution"), input=given))["data"].values()
        (step,) = [each["id"] for each in made["workflowExecution"]["steps"] if each["stepId"] == "contract"]
        await queue.shows("Upload the signed contract")
        assert len(await take(server, step, "ann")) == 1
        assert await take(server, step, "bob") == []
        await queue.shows()
        await mine.shows("Upload the signed contract")
        assert await give(server, "ReleaseStep", id=step, reason="Ann is ill.") == "TransitionSuccess"
        await queue.shows("Upload the signed contract")
        await mine.shows()
        ((claimed),) = await take(server, step, "ann")
        await mine.shows("Upload the signed contract")
        done = {"id": step, "outputData": {"documents": ["contract.pdf"]}}
        assert await give(server, "CompleteStep", **done) == "ClaimLost"
        done["claimToken"] = claimed["claimToken"]
        assert await give(server, "CompleteStep", **done) == "TransitionSuccess"
        await mine.shows()
