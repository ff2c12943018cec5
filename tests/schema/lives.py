"""What happens to a tree: commands drawn at random, on whatever of it admits them."""

from random import Random
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select

from db import tables
from db.runtime.definition import StepType
from db.runtime.statuses import ExecutionStatus, StepStatus
from db.statements import Statement
from db.tables import table_of
from tests.api import Api
from tests.schema.random_values import WORDS, random_context, random_object

_STEPS = table_of(tables.StepExecution)
_EXECUTIONS = table_of(tables.WorkflowExecution)
_CURRENT = Statement(
    select(_STEPS.c.id, _STEPS.c.type, _STEPS.c.status)
    .where(_STEPS.c.root_id == bindparam("root_id"), _STEPS.c.is_current)
    .order_by(_STEPS.c.id)
)
_TREE = Statement(
    select(_EXECUTIONS.c.id, _EXECUTIONS.c.runtime_status)
    .where(_EXECUTIONS.c.root_id == bindparam("root_id"))
    .order_by(_EXECUTIONS.c.path)
)
COMMANDS = {"complete": 14, "fail": 4, "retry": 3, "disable": 2, "enable": 1, "update": 1, "cancel": 1}
TYPES = {
    "complete": ("completeStep", "CompleteStepInput"),
    "fail": ("failStep", "FailStepInput"),
    "retry": ("retryStep", "StepInput"),
    "disable": ("disableStep", "StepInput"),
    "enable": ("enableStep", "StepInput"),
    "update": ("updateWorkflowContext", "UpdateWorkflowContextInput"),
    "cancel": ("cancelWorkflowExecution", "CancelWorkflowExecutionInput"),
}


class Attempt(NamedTuple):
    """A current attempt somewhere in the tree."""

    id: str
    type: StepType
    status: StepStatus

    def admits(self, command: str) -> bool:
        """Whether a command is likely to do something here (S7)."""
        match command:
            case "complete" | "fail":
                return self.status is StepStatus.IN_PROGRESS and self.type.is_task
            case "retry":
                return self.status is StepStatus.FAILED
            case "disable":
                return self.type.waits and self.status in (StepStatus.NOT_STARTED, StepStatus.FAILED)
        return self.status is StepStatus.DISABLED


class Life:
    """The life of one tree."""

    def __init__(self, api: Api, random: Random, root_id: str) -> None:
        self._api = api
        self._random = random
        self._root_id = root_id

    async def live(self, commands: int) -> None:
        """Give so many commands, or fewer where nothing admits any more."""
        for _ in range(commands):
            (command,) = self._random.choices(tuple(COMMANDS), tuple(COMMANDS.values()))
            if command in ("update", "cancel"):
                await self._on_execution(command)
            else:
                await self._on_step(command)

    async def cancel(self) -> None:
        """Cancel the whole tree."""
        await self._give("cancel", self._root_id, reason=self._random.choice((None, *WORDS)))

    async def _on_step(self, command: str) -> None:
        rows = await self._api.store.database.rows(_CURRENT, {"root_id": self._root_id})
        fitting = [attempt for attempt in map(Attempt._make, rows) if attempt.admits(command)]
        if not fitting:
            return
        given: dict[str, Any] = {}
        if command == "complete":
            given["outputData"] = random_object(self._random, 3)
        elif command == "fail":
            given = {
                "message": self._random.choice(WORDS),
                "code": self._random.choice((None, "BROKEN")),
            }
        else:
            given["reason"] = self._random.choice((None, *WORDS))
        await self._give(command, self._random.choice(fitting).id, **given)

    async def _on_execution(self, command: str) -> None:
        """The context of any execution of the tree, or the end of one below the root."""
        rows = await self._api.store.database.rows(_TREE, {"root_id": self._root_id})
        running = [id_ for id_, status in rows if status is ExecutionStatus.IN_PROGRESS]
        if command == "cancel":
            running = [id_ for id_ in running if id_ != self._root_id]
        if not running:
            return
        given = {"patch": random_context(self._random)} if command == "update" else {}
        await self._give(command, self._random.choice(running), **given)

    async def _give(self, command: str, id_: str, **given: Any) -> None:
        name, input_type = TYPES[command]
        document = f"mutation ($input: {input_type}!) {{ {name}(input: $input) {{ __typename }} }}"
        await self._api.data(document, input={"id": id_, **given})
