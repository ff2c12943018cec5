"""Fan-out: one change, a thousand subscribers to the same execution."""

import asyncio
import json
import resource
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from tests.benchmarks import node_live, samples
from tests.benchmarks.processes import Worker, cpu_seconds
from tests.benchmarks.rounds import ROUNDS, Sample, Target, measure, show
from tests.servers import ServerProcess

SUBSCRIBERS = 1_000
CHANGES = 4  # a round

SHARED = "shared runs (this server)"
OWN = "Strawberry's handler, one run each"
GRAPHQL_WS = "graphql-ws on Node.js"
WS = "ws on Node.js, one text for all"
TARGETS = (Target(SHARED, OWN, 15), Target(SHARED, GRAPHQL_WS, 3), Target(SHARED, WS, 0.85))

# No id and no moment: so both servers send the same text.
WATCH = """
  subscription Watch($id: ID!) {
    workflowExecution(id: $id) {
      name runtimeStatus revision context progress { total completed inProgress } steps { stepId type status }
    }
  }
"""
COMPLETE = "mutation Complete($input: CompleteStepInput!) { completeStep(input: $input) { __typename } }"


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let processes open a socket for every subscriber."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = SUBSCRIBERS * 2
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Watched:
    """A server, an execution on it, and its subscribers."""

    def __init__(self, url: str, pid: int, execution: samples.Execution, client: Worker) -> None:
        self._url = url
        self._pid = pid
        self._client = client
        # On Node.js any change is a change of its one state, so steps may be named twice there.
        self._steps = cycle(execution.steps[1:])
        subscribe = {"query": WATCH, "variables": {"id": execution.id}}
        asked = {"url": url, "count": SUBSCRIBERS, "payload": subscribe}
        self.first: str = client.ask({"open": asked})["last"]
        self.last = ""

    def sample(self) -> Sample:
        """One round: each change as soon as everybody has the one before."""
        bodies = [self._complete(next(self._steps)) for _ in range(CHANGES)]
        before = cpu_seconds(self._pid)
        told = self._client.ask({"trigger": {"url": self._url, "bodies": bodies}})
        assert told["events"] == CHANGES * SUBSCRIBERS
        self.last = told["last"]
        return Sample(told["events"], told["seconds"], cpu_seconds(self._pid) - before)

    @staticmethod
    def _complete(step: str) -> str:
        given = {"id": step, "outputData": samples.output(1)}
        return json.dumps({"query": COMPLETE, "variables": {"input": given}})


@pytest.mark.usefixtures("many_files")
def test_shared_runs_send_what_others_send(database_url: str, tmp_path: Path) -> None:
    executions = asyncio.run(two_executions(database_url))
    with ExitStack() as stack:
        clients = [stack.enter_context(Worker("subscribers")) for _ in range(4)]
        ours = stack.enter_context(ServerProcess("--database", database_url, cwd=tmp_path))
        other = stack.enter_context(Worker("serving", "own-handler", database_url))
        shared = Watched(ours.url, ours.process.pid, executions[0], clients[0])
        own = Watched(other.said, other.pid, executions[1], clients[1])
        state = data(shared.first)["workflowExecution"]
        peers = [stack.enter_context(node_live.server(kind, state)) for kind in ("graphql-ws", "ws")]
        executing, sending = (
            Watched(peer.said, peer.pid, executions[0], client)
            for peer, client in zip(peers, clients[2:], strict=True)
        )
        candidates = {SHARED: shared, OWN: own, GRAPHQL_WS: executing, WS: sending}
        for watched in candidates.values():
            watched.sample()  # once outside of the rounds: caches and plans are warm
        rounds = measure({name: watched.sample for name, watched in candidates.items()})
    kilobytes = len(shared.last) / 1000
    title = (
        f"{SUBSCRIBERS:,} subscribers, {kilobytes:.1f} kB each, {make_url(database_url).get_backend_name()}"
    )
    show(title, rounds, TARGETS)
    assert data(shared.first) == data(own.first) == data(executing.first) == data(sending.first)
    assert len(sending.last) == pytest.approx(len(shared.last), rel=0.1)
    assert data(shared.last) == data(own.last) != data(own.first)


async def two_executions(url: str) -> list[samples.Execution]:
    """Alike, with a step for every change that will be made and one more."""
    key = await samples.publish(url, samples.sequence("fan-out", CHANGES * (ROUNDS + 1) + 4))
    context = {"customer": {"name": "Ada", "notes": "x" * 600}}
    return [await samples.start(url, key, context) for _ in range(2)]


def data(frame: str) -> Any:
    """What an event says."""
    return json.loads(frame)["payload"]["data"]
