"""The example workers of `docs/workers.md` as processes, and the demo's executions that they work on."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGCONT, SIGKILL, Signals
from typing import Any

from tests.contract.graphs import graph
from tests.frontend_documents import document
from tests.node import installed, node
from tests.servers import ServerProcess

EXAMPLES = Path(__file__).parent
COMPILER = EXAMPLES / "node_modules" / "typescript" / "bin" / "tsc"
NAME = "accounts-1"
STATE = """
  query ($id: ID!) {
    workflowExecution(id: $id) {
      runtimeStatus
      step(stepId: "accounts") { id status attempt outputData claim { worker leaseExpiresAt } failure { message } }
    }
    changes(rootWorkflowExecutionId: $id, first: 100) { nodes { kind stepExecutionId } }
  }
"""

STEP = "query ($id: ID!, $step: String!) { workflowExecution(id: $id) { step(stepId: $step) { id } } }"
PAPERWORK = {"contract": {"documents": ["contract.pdf"]}, "details": {"iban": "DE02120300000000202051"}}


def compiled(directory: Path) -> Path:
    """The TypeScript example as JavaScript in a directory; fails with what the compiler says."""
    installed(EXAMPLES)
    done = subprocess.run(
        [node(), COMPILER, "--project", EXAMPLES, "--outDir", directory, "--pretty", "false"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    for name in ("worker.graphql", "package.json"):
        shutil.copy(EXAMPLES / name, directory)
    return directory / "worker.js"


class Worker:
    """A running example."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def told(self) -> tuple[str, str]:
        """Wait for what it says next: a step execution's id, and what came of completing or failing it."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, f"the worker has ended with {self._process.wait()}"
        id_, result = line.split()
        return id_, result

    def tell(self, signal: Signals) -> None:
        self._process.send_signal(signal)


@contextmanager
def working(
    command: list[str], server: ServerProcess, lease_seconds: int = 60, name: str = NAME
) -> Iterator[Worker]:
    """An example at work."""
    arguments = [f"{server.url}/graphql", name, str(lease_seconds)]
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        yield Worker(process)
    finally:
        process.send_signal(SIGCONT)
        process.send_signal(SIGKILL)
        process.communicate()


def python_command() -> list[str]:
    return [sys.executable, str(EXAMPLES / "worker.py")]


@dataclass(frozen=True, slots=True)
class Task:
    """The step `accounts` of an execution."""

    server: ServerProcess
    execution_id: str
    id: str

    def state(self) -> dict[str, Any]:
        """The step as it is now."""
        step: dict[str, Any] = self._ask()["workflowExecution"]["step"]
        return step

    def kinds(self) -> list[str]:
        """What the journal tells of the step since it waits, which begins with its start."""
        changes = self._ask()["changes"]["nodes"]
        return [each["kind"] for each in changes if each["stepExecutionId"] == self.id][1:]

    def is_claimed(self, worker: str = NAME) -> bool:
        """Whether this worker has it."""
        claim = self.state()["claim"]
        return claim is not None and claim["worker"] == worker

    def _ask(self) -> Any:
        return self.server.graphql(STATE, id=self.execution_id)


def start(server: ServerProcess, key: str, context: dict[str, Any]) -> Task:
    """A new execution with such a step."""
    given = {"workflowTemplateKey": key, "context": context}
    made = _done(server, "StartExecution", given)["workflowExecution"]
    (id_,) = [step["id"] for step in made["steps"] if step["stepId"] == "accounts"]
    return Task(server, made["id"], id_)


def onboard(server: ServerProcess, employee: str, **context: Any) -> Task:
    """An execution of the demo template, brought to where it waits for a worker; `seconds`: how long the work takes."""
    task = start(server, "onboarding", {"employee": employee, **context})
    for step, output in PAPERWORK.items():
        id_ = server.graphql(STEP, id=task.execution_id, step=step)["workflowExecution"]["step"]["id"]
        _done(server, "CompleteStep", {"id": id_, "outputData": output})
    return task


def publish_failing(server: ServerProcess) -> None:
    """A template `failing` whose context may lack what the examples need; its step has two attempts."""
    accounts = {"type": "sys.task", "retry": {"maxAttempts": 2}}
    definition = graph("failing", {"accounts": accounts}, "start accounts end")
    given = {"name": "Failing", "key": "failing", "definition": definition, "publish": True, "activate": True}
    _done(server, "CreateTemplate", given)


def take(task: Task, worker: str) -> str | None:
    """Claim the step for somebody else, if nobody has it; the token."""
    claimed = _done(task.server, "ClaimSteps", {"worker": worker, "ids": [task.id]})["claimed"]
    return claimed[0]["claimToken"] if claimed else None


def complete(task: Task, token: str, username: str) -> None:
    """Complete a step as somebody else."""
    given = {"id": task.id, "claimToken": token, "outputData": {"username": username}}
    _done(task.server, "CompleteStep", given)


def _done(server: ServerProcess, operation: str, given: dict[str, Any]) -> Any:
    (result,) = server.graphql(document(operation), input=given).values()
    assert result["__typename"] in ("TransitionSuccess", "ClaimSuccess", "TemplateSuccess"), result
    return result
