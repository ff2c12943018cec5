"""Worlds to read from, and plans that are counted."""

import logging
from dataclasses import replace
from random import Random
from uuid import uuid4

import pytest

from db.store import Store
from tests.api import Api
from tests.schema.comparison import View, views_of
from tests.schema.fabricated import CountingPlans
from tests.schema.worlds import make_world


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Hundreds of values are refused here on purpose; Strawberry would tell of each."""
    caplog.set_level(logging.CRITICAL, logger="strawberry.execution")


@pytest.fixture(params=[1, 2], ids=lambda seed: f"world{seed}")
async def views(request: pytest.FixtureRequest, store: Store) -> list[View]:
    """What each of a world's two tenants sees."""
    random = Random(request.param)  # noqa: S311  # the same world each time
    run = uuid4().hex[:12]
    tenants = (f"one-{run}", f"two-{run}")
    await make_world(store, random, tenants, stranger=f"stranger-{run}")
    return await views_of(store, random, tenants)


@pytest.fixture
def plans(api: Api) -> CountingPlans:
    """The plans of `api`, counted as they are compiled."""
    kept = api.context.plans
    counting = CountingPlans(kept.homes, kept.spelling)
    api.context = replace(api.context, plans=counting)
    return counting
