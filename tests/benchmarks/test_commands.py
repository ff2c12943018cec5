"""Commands over HTTP beside their floor: the same statements by hand on the driver's connections."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import samples
from tests.benchmarks.processes import Worker, cpu_seconds
from tests.benchmarks.raw_commands import CONNECTIONS
from tests.benchmarks.rounds import ROUNDS, Sample, Target, measure, show
from tests.servers import ServerProcess

FORMS = 8  # so ten steps
MIDDLE = FORMS - 1  # the last one's completion ends the execution, which is another command's cost
EXECUTIONS = 8  # for each connection and round
EXECUTIONS_ON_ONE = 4  # likewise, all of one root
CREATED = 25  # likewise

COMPLETE = """
  mutation Complete($input: CompleteStepInput!) {
    completeStep(input: $input) {
      __typename
      ... on TransitionSuccess { revision workflowExecution { id runtimeStatus } }
      ... on Error { message }
    }
  }
"""
CREATE = """
  mutation Create($input: CreateWorkflowExecutionInput!) {
    createWorkflowExecution(input: $input) {
      __typename
      ... on TransitionSuccess { revision workflowExecution { id runtimeStatus } }
      ... on Error { message }
    }
  }
"""

SERVER = "completeStep"
FLOOR = "its statements by hand"
SERVER_ON_ONE = "completeStep, all on one root"
FLOOR_ON_ONE = "its statements by hand, all on one root"
CREATES = "createWorkflowExecution, 10 steps"
CREATES_FLOOR = "its statements by hand"


COMMITS_NOT_AWAITED = "postgresql, commits not awaited"


@pytest.fixture(params=["sqlite", "postgresql", COMMITS_NOT_AWAITED])
def commanded(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A database's URL and how it is called; the last is PostgreSQL without the disk's part in either side."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgresql_url")
    if request.param != COMMITS_NOT_AWAITED:
        yield url, request.param
        return
    asyncio.run(samples.await_commits(url, False))
    yield url, request.param
    asyncio.run(samples.await_commits(url, True))


def targets_of(url: str, *targets: Target) -> list[Target]:
    """The targets are PostgreSQL's; on SQLite the ratios are shown for information."""
    if url.startswith("postgresql"):
        return list(targets)
    return [Target(target.candidate, target.baseline) for target in targets]


class Server:
    """Our server's process, and the load on it."""

    def __init__(self, url: str, cwd: Path, stack: ExitStack) -> None:
        self._load = stack.enter_context(Worker("load"))
        self._server = stack.enter_context(ServerProcess("--database", url, cwd=cwd))

    def complete(self, queues: Sequence[Sequence[str]]) -> Sample:
        inputs = [[{"id": step, "outputData": samples.output(1)} for step in queue] for queue in queues]
        return self._run(COMPLETE, inputs)[0]

    def create(self, key: str, each: int = CREATED) -> tuple[Sample, str]:
        """The sample and the id of an execution that was created."""
        sample, last = self._run(CREATE, [[{"workflowTemplateKey": key}] * each] * CONNECTIONS)
        return sample, last["createWorkflowExecution"]["workflowExecution"]["id"]

    def _run(self, document: str, inputs: Sequence[Sequence[Any]]) -> tuple[Sample, Any]:
        queues = [
            [{"method": "POST", "path": "/graphql", "body": body(document, given)} for given in queue]
            for queue in inputs
        ]
        pid = self._server.process.pid
        before = cpu_seconds(pid)
        told = self._load.ask(
            {"url": self._server.url, "queues": queues, "seconds": None, "mark": '"TransitionSuccess"'}
        )
        assert not told["refused"], told["refused"]
        cpu = cpu_seconds(pid) - before
        return Sample(told["done"], told["seconds"], cpu), json.loads(told["last"])["data"]


def body(document: str, given: Any) -> str:
    return json.dumps({"query": document, "variables": {"input": given}})


def floor_sample(told: dict[str, Any]) -> Sample:
    return Sample(told["done"], told["seconds"], told["cpu"])


class Queues:
    """Steps to complete, for each round and each candidate executions of their own."""

    def __init__(self, batches: Sequence[Sequence[samples.Execution]]) -> None:
        self.first = batches[0][0]
        self._batches = iter(batches)

    def __next__(self) -> list[list[str]]:
        executions = next(self._batches)
        return [
            [
                step
                for execution in executions[number::CONNECTIONS]
                for step in execution.steps[1 : MIDDLE + 1]
            ]
            for number in range(CONNECTIONS)
        ]

    def __iter__(self) -> Iterator[list[list[str]]]:
        return self


async def queues(url: str, pattern: samples.Execution, *, on_one_root: bool) -> Queues:
    """For a warm-up and every round."""
    batches = []
    for _ in range(ROUNDS + 1):
        root = (await samples.copies(url, pattern, 1))[0] if on_one_root else None
        each = EXECUTIONS_ON_ONE if on_one_root else EXECUTIONS
        batches.append(await samples.copies(url, pattern, each * CONNECTIONS, under=root))
    return Queues(batches)


async def executions_to_complete(url: str) -> tuple[list[Queues], list[str]]:
    """Queues for server and floor, each alone and on one root, and the images that the floor's journal shows."""
    key = await samples.publish(url, samples.sequence("to-complete", FORMS))
    pattern = await samples.start(url, key)
    images = await samples.images(url, await samples.start(url, key, completed=1))
    made = [await queues(url, pattern, on_one_root=on_one_root) for on_one_root in (False, False, True, True)]
    await samples.settle(url)
    return made, images


def test_complete_step_writes_what_its_floor_writes(commanded: tuple[str, str], tmp_path: Path) -> None:
    database_url, name = commanded
    (alone, alone_by_hand, on_one, on_one_by_hand), images = asyncio.run(executions_to_complete(database_url))
    with ExitStack() as stack:
        server = Server(database_url, tmp_path, stack)
        floor = stack.enter_context(Worker("raw_commands", database_url))

        def by_hand(steps: Queues) -> Sample:
            return floor_sample(floor.ask({"complete": {"queues": next(steps), "images": images}}))

        candidates: dict[str, Callable[[], Sample]] = {
            SERVER: lambda: server.complete(next(alone)),
            FLOOR: partial(by_hand, alone_by_hand),
            SERVER_ON_ONE: lambda: server.complete(next(on_one)),
            FLOOR_ON_ONE: partial(by_hand, on_one_by_hand),
        }
        measure(candidates, rounds=1)  # caches, pools and plans are warm
        rounds = measure(candidates)
    targets = targets_of(
        database_url,
        Target(SERVER, FLOOR, 0.5),
        Target(SERVER_ON_ONE, FLOOR, 0.3),
    )
    title = f"{CONNECTIONS} clients, {name}"
    show(title, rounds, [*targets, Target(SERVER_ON_ONE, FLOOR_ON_ONE)])
    made = (alone, alone_by_hand, on_one, on_one_by_hand)
    stands = [asyncio.run(samples.stand(database_url, steps.first.id)) for steps in made]
    assert stands[0] == stands[1]
    assert stands[2] == stands[3]


def test_create_workflow_execution_writes_what_its_floor_writes(
    commanded: tuple[str, str], tmp_path: Path
) -> None:
    database_url, name = commanded
    key, pattern = asyncio.run(template_to_run(database_url))
    created: dict[str, str] = {}
    with ExitStack() as stack:
        server = Server(database_url, tmp_path, stack)
        floor = stack.enter_context(Worker("raw_commands", database_url))

        def create() -> Sample:
            sample, created[CREATES] = server.create(key)
            return sample

        def by_hand() -> Sample:
            asked = {"key": key, "pattern": pattern.id, "each": CREATED}
            told = floor.ask({"create": asked})
            created[CREATES_FLOOR] = told["last"]
            return floor_sample(told)

        candidates: dict[str, Callable[[], Sample]] = {CREATES: create, CREATES_FLOOR: by_hand}
        measure(candidates, rounds=1)
        rounds = measure(candidates)
    title = f"{CONNECTIONS} clients, {name}"
    show(title, rounds, targets_of(database_url, Target(CREATES, CREATES_FLOOR, 0.3)))
    stands = [asyncio.run(samples.stand(database_url, id_)) for id_ in created.values()]
    assert stands[0] == stands[1]


async def template_to_run(url: str) -> tuple[str, samples.Execution]:
    """A template's key, and an execution of it."""
    key = await samples.publish(url, samples.sequence("to-create", FORMS))
    pattern = await samples.start(url, key)
    await samples.settle(url)
    return key, pattern
