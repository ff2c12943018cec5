"""An idempotency key that has expired is for somebody who comes now, and for one of those alone (`runtime.md` I4)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from sqlalchemy import bindparam, select, update

from db.commands.execution import update_workflow_context
from db.commands.expired_keys import forget_expired_keys
from db.commands.guards import KEPT_FOR, Guard, Once
from db.commands.outcome import Actor
from db.requests import Write
from db.statements import Statement
from db.store import Store
from db.tables import Idempotency, table_of
from tests.contract.graphs import CHILD
from tests.contract.tables import written
from tests.contract.trees import create, publish, read
from tests.databases import connected

KEYS = table_of(Idempotency)
_SET_BACK = Statement(
    update(KEYS)
    .where(KEYS.c.key == bindparam("of"))
    .values(created_at=bindparam("at", type_=KEYS.c.created_at.type))
)
_KEPT = Statement(select(KEYS.c.key).order_by(KEYS.c.key))
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


async def set_back(store: Store, *keys: str) -> None:
    """Let it be a day since these keys were used."""
    at = datetime.now(UTC) - KEPT_FOR
    await store.database.transact(written(Write(_SET_BACK, [{"of": key, "at": at} for key in keys])))


async def kept_keys(store: Store) -> list[str]:
    return [row[0] for row in await store.database.rows(_KEPT, {})]


async def test_the_timer_forgets_what_is_older_than_a_day(
    lone_rivals: tuple[Store, Store], tenant: str
) -> None:
    store, other = lone_rivals
    await publish(store, tenant, CHILD)
    (root,) = await create(store, tenant, "child")
    for number in range(5):
        guard = Guard(None, Once(f"key-{number}", "updateWorkflowContext", "hash"))
        await update_workflow_context(store, Actor(tenant), root, {"n": number}, guard)
    await set_back(store, "key-1", "key-2", "key-4")
    forgotten = [await forget_expired_keys(each.database) for each in (store, other)]
    assert forgotten == [3, 0]
    assert await kept_keys(store) == ["key-0", "key-3"]


@pytest.mark.postgresql
@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
async def test_a_key_that_somebody_holds_is_forgotten_the_next_time(
    lone_rivals: tuple[Store, Store], empty_url: str, tenant: str
) -> None:
    store, _ = lone_rivals
    await publish(store, tenant, CHILD)
    (root,) = await create(store, tenant, "child")
    await update_workflow_context(store, Actor(tenant), root, {"n": 0}, GUARD)
    await set_back(store, "key")
    command = await connected(empty_url)
    transaction = command.transaction()
    await transaction.start()
    await command.execute("select from idempotency for update")
    assert await forget_expired_keys(store.database) == 0
    await transaction.rollback()
    await command.close()
    assert await forget_expired_keys(store.database) == 1
