"""An idempotency key that has expired is for somebody who comes now, and for one of those alone (`runtime.md` I4)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from db.commands.execution import update_workflow_context
from db.commands.guards import Guard, Once
from db.commands.outcome import Actor
from db.requests import Write
from db.store import Store
from tests.contract.graphs import CHILD
from tests.contract.trees import create, publish, read

GUARD = Guard(None, Once("key", "updateWorkflowContext", "hash"))


def pausing(store: Store, monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """Have a store stop before its first write to the keys: `there` tells that it does, `on` lets it go on."""
    there, on = asyncio.Event(), asyncio.Event()
    run: Callable[..., Awaitable[Any]] = store.database._run  # type: ignore[attr-defined]  # PostgreSQL's

    async def stopped(lease: Any, request: Any) -> Any:
        if isinstance(request, Write) and not there.is_set():
            there.set()
            await on.wait()
        return await run(lease, request)

    monkeypatch.setattr(store.database, "_run", stopped)
    return there, on


@pytest.mark.postgresql
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_of_two_that_find_it_expired_one_carries_the_command_out(
    rivals: tuple[Store, Store],
    raw_postgresql: asyncpg.Connection,
    tenant: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first has read that it is expired when the second forgets it and puts its own in its place."""
    first, second = rivals
    await publish(first, tenant, CHILD)
    (root,) = await create(first, tenant, "child")
    await update_workflow_context(first, Actor(tenant), root, {"n": 0}, GUARD)
    await raw_postgresql.execute(
        "update idempotency set created_at = created_at - interval '25 hours' where tenant = $1", tenant
    )
    there, on = pausing(first, monkeypatch)
    waiting = asyncio.create_task(update_workflow_context(first, Actor(tenant), root, {"n": 1}, GUARD))
    await there.wait()
    done = await update_workflow_context(second, Actor(tenant), root, {"n": 1}, GUARD)
    on.set()
    assert await waiting == done
    assert len((await read(first, tenant)).kinds(root, "CONTEXT_UPDATED")) == 2
