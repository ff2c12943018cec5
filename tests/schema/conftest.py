"""Worlds to read from, and plans that are counted."""

import logging
from dataclasses import replace
from random import Random
from uuid import uuid4

import pytest

from db.store import Store
from schema.projection.sqlite import SQLiteSpelling
from tests.api import Api
from tests.databases import connected
from tests.schema.comparison import View, views_of
from tests.schema.fabricated import CountingPlans
from tests.schema.settling import settled
from tests.schema.worlds import make_world


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Hundreds of values are refused here on purpose; Strawberry would tell of each."""
    caplog.set_level(logging.CRITICAL, logger="strawberry.execution")


@pytest.fixture(scope="session")
def made() -> dict[tuple[str, int], tuple[tuple[str, str], str]]:
    """The two tenants and the stranger of each world that is there already, by database and seed."""
    return {}


@pytest.fixture(params=[11, 14], ids=lambda seed: f"world{seed}")
async def views(
    request: pytest.FixtureRequest,
    store: Store,
    database_url: str,
    made: dict[tuple[str, int], tuple[tuple[str, str], str]],
) -> list[View]:
    """What each of a world's two tenants sees; the world is made once and only read."""
    world = (store.database.kind, request.param)
    random = Random(request.param)  # noqa: S311  # the same world each time
    if world not in made:
        run = uuid4().hex[:12]
        made[world] = (f"one-{run}", f"two-{run}"), f"stranger-{run}"
        await make_world(store, random, *made[world])
        await settled(store.database)
        if store.database.kind == "postgresql":
            # As autovacuum does within a minute; without statistics a tenant is planned for as if it had one row.
            await analyse(database_url)
    seen = await views_of(store, random, *made[world])
    if world == ("sqlite", 14):
        for view in seen:
            # As it is spelled for every SQLite that this machine's is not.
            view.context.plans.spelling = SQLiteSpelling(knows_json_from_below=False)
    return seen


@pytest.fixture
def plans(api: Api) -> CountingPlans:
    """The plans of `api`, counted as they are compiled."""
    kept = api.context.plans
    counting = CountingPlans(kept.homes, kept.spelling)
    api.context = replace(api.context, plans=counting)
    return counting


async def analyse(url: str) -> None:
    """Have PostgreSQL count what is in its tables."""
    connection = await connected(url)
    try:
        await connection.execute("analyze")
    finally:
        await connection.close()
