"""Claiming as workers do, and leases that pass without waiting for them."""

from datetime import timedelta
from typing import Any

from db.commands.candidates import Wanted
from db.commands.claiming import Claiming, claim_steps
from db.commands.guards import Once
from db.commands.outcome import Actor, ClaimedStep
from db.runtime.claims import ClaimTerms
from db.store import Store
from tests.contract.graphs import FORM, JOIN, PARALLEL, TASK, graph
from tests.contract.tables import STEPS, row_by_id, set_columns
from tests.contract.trees import Rows, create, publish, read

ONE = graph("one", {"task": TASK}, "start task end")
TWO = graph(
    "two", {"both": PARALLEL, "a": TASK, "b": FORM, "join": JOIN}, "start both a join end", "both b join"
)


async def waiting(store: Store, tenant: str, key: str, count: int) -> list[str]:
    """The ids of the tasks of new executions, the oldest first."""
    await publish(store, tenant, ONE, TWO)
    for _ in range(count):
        await create(store, tenant, key)
    return await oldest(store, tenant)


async def oldest(store: Store, tenant: str) -> list[str]:
    """Every step in progress, the oldest first."""
    rows = await read(store, tenant, journal=False)
    steps = [step for step in rows.attempts.values() if step["status"] == "InProgress"]
    return [step["id"] for step in sorted(steps, key=lambda step: (step["started_at"], step["id"]))]


async def claiming(
    store: Store,
    tenant: str,
    worker: str = "ann",
    *,
    limit: int = 1,
    lease: int | None = 60,
    once: Once | None = None,
    **wanted: Any,
) -> Claiming:
    """One call, with all that it came to."""
    return await claim_steps(store, Actor(tenant), Wanted(**wanted), limit, ClaimTerms(worker, lease), once)


async def claimed(store: Store, tenant: str, worker: str = "ann", **given: Any) -> list[ClaimedStep]:
    """The steps that a worker is handed."""
    return (await claiming(store, tenant, worker, **given)).claimed


async def ids(store: Store, tenant: str, **given: Any) -> list[str]:
    """Their ids."""
    return [each["claimed_id"] for each in await claimed(store, tenant, **given)]


async def let_pass(store: Store, step: str, seconds: float = 3600) -> None:
    """Let so much of a lease pass at once."""
    ends = (await row_by_id(store.database, STEPS, step))["lease_expires_at"]
    await set_columns(store.database, STEPS, step, lease_expires_at=ends - timedelta(seconds=seconds))


async def kinds(store: Store, tenant: str) -> list[str]:
    """What the journal of a tenant with one tree tells since its first claim."""
    rows: Rows = await read(store, tenant)
    (journal,) = rows.journal.values()
    told = [str(change["kind"]) for change in journal]
    return told[told.index("STEP_CLAIMED") :]
