"""One execution of the demo, driven by the commands that the API gives."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from db.commands.candidates import Wanted
from db.commands.claiming import claim_steps
from db.commands.execution import NewExecution, cancel_workflow_execution, create_workflow_execution
from db.commands.guards import Guard, Once
from db.commands.outcome import Actor
from db.commands.step import complete_step, disable_step, fail_step, retry_step, set_step_due_date
from db.lookups import find_child, find_step
from db.runtime.claims import ClaimTerms
from db.runtime.errors import NotFound
from db.runtime.tree import JSONObject
from db.store import Store


@dataclass
class DemoExecution:
    """An execution, and how many commands it was given: each has its number in its idempotency key.

    So each is done once, whoever gives the same ones beside this process or did before it was ended. Steps are named by
    their ids in the definition. Every method refuses as its command does, and with `NotFound` for a step or a child that
    is not there.
    """

    store: Store
    actor: Actor
    id: str
    key: str
    commands: int = 0

    @classmethod
    async def create(cls, store: Store, actor: Actor, new: NewExecution) -> Self:
        """Create an execution, whose `correlation_id` is its key."""
        execution = cls(store, actor, "", f"demo/{new.correlation_id}")
        committed = await create_workflow_execution(store, actor, new, execution._next())
        execution.id = committed.execution_id
        return execution

    async def complete(self, step_id: str, output: JSONObject | None = None) -> None:
        """Complete a step that nobody has claimed."""
        await complete_step(self.store, self.actor, await self._step(step_id), output, self._next())

    async def fail(self, step_id: str, code: str, message: str) -> None:
        """Fail the current attempt at a step."""
        await fail_step(self.store, self.actor, await self._step(step_id), code, message, self._next())

    async def retry(self, step_id: str, reason: str) -> None:
        """Make another attempt at a step that has failed."""
        await retry_step(self.store, self.actor, await self._step(step_id), reason, self._next())

    async def disable(self, step_id: str, reason: str) -> None:
        """Take a step out."""
        await disable_step(self.store, self.actor, await self._step(step_id), reason, self._next())

    async def set_due_date(self, step_id: str, due_at: datetime) -> None:
        """Say when a step is due (UTC)."""
        await set_step_due_date(self.store, self.actor, await self._step(step_id), due_at, self._next())

    async def claim(self, step_id: str, worker: str, lease_seconds: int | None) -> None:
        """Hand a step to a worker for so long, or with None assign it to a person."""
        wanted = Wanted(ids=(await self._step(step_id),))
        terms = ClaimTerms(worker, lease_seconds)
        await claim_steps(self.store, self.actor, wanted, 1, terms, self._next().once)

    async def cancel(self, reason: str) -> None:
        """Cancel the execution with all that runs below it."""
        await cancel_workflow_execution(self.store, self.actor, self.id, reason, self._next())

    async def child(self, step_id: str, index: int) -> "DemoExecution":
        """The child that a sub-workflow step runs at an index, from 0."""
        found = await find_child(self.store.database, self.actor.tenant, self.id, step_id, index)
        if found is None:
            raise NotFound(f"{step_id}/{index}", "child")
        return DemoExecution(self.store, self.actor, found, f"{self.key}/{step_id}/{index}")

    async def _step(self, step_id: str) -> str:
        found = await find_step(self.store.database, self.actor.tenant, self.id, step_id)
        if found is None:
            raise NotFound(step_id, "step")
        return found

    def _next(self) -> Guard:
        """The guard of the next command. The number stands for the input: a date in it is another at each start."""
        self.commands += 1
        key = f"{self.key}/{self.commands}"
        return Guard(once=Once(key, "demo", key))
