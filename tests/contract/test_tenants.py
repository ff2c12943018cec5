"""Not yours and never there are one answer: every field, by all that another tenant has (`security.md` A3)."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from server.live.live_pages import LivePages
from server.operations.operations import OperationRefused
from server.operations.payload import SubscriptionFailed
from tests.api import Api
from tests.contract.samples import ONE
from tests.contract.tables import everything
from tests.contract.two_tenants import (
    FIELDS,
    ROOTS,
    Belongings,
    Slot,
    anonymous,
    document,
    never,
    owned,
    slots,
    variables,
)
from tests.live.streaming import SWEEPING, Streaming, streaming

ASKED = [(keyword, name) for keyword, name in FIELDS if keyword != "subscription"]
STREAMED = [name for keyword, name in FIELDS if keyword == "subscription"]

Values = Mapping[Slot, str]


class Strangers:
    """Tenants who have nothing, a new one for every question: what one does changes no answer of another."""

    def __init__(self, api: Api, tenant: str) -> None:
        self._api = api
        self._tenant = tenant
        self._count = 0

    def next(self) -> Api:
        self._count += 1
        return self._api.as_tenant(f"{self._tenant}-stranger-{self._count}")


@pytest.fixture
def strangers(api: Api, tenant: str) -> Strangers:
    return Strangers(api, tenant)


def fillings(keyword: str, name: str, theirs: Belongings, nobodys: Belongings) -> list[tuple[Values, Values]]:
    """Every slot with everything that fits, once what is theirs and once what is nobody's.

    The ids that the field requires are theirs too: a token alone reaches nothing.
    """
    places = slots(ROOTS[keyword].fields[name])
    needed = [slot for slot in places if slot.is_id and slot.is_required]
    pairs: list[tuple[Values, Values]] = []
    for slot in places:
        others = [each for each in needed if each != slot]
        companions = list(zip(theirs.ids, nobodys.ids, strict=True)) if others else [("", "")]
        for id_, no_id in companions:
            for value, no_value in zip(theirs.of(slot), nobodys.of(slot), strict=True):
                pairs.append(
                    (
                        {**dict.fromkeys(others, id_), slot: value},
                        {**dict.fromkeys(others, no_id), slot: no_value},
                    )
                )
    return pairs


def assert_nothing_leaks(answer: str, theirs: Belongings, sent: Values) -> None:
    for value in theirs.all:
        assert value in sent.values() or value not in answer, (value, answer)


@pytest.mark.parametrize(("keyword", "name"), ASKED)
async def test_what_another_tenant_has_is_answered_like_what_never_was(
    api: Api, tenant: str, strangers: Strangers, keyword: str, name: str
) -> None:
    theirs = await owned(api)
    nobodys = never(theirs)
    field = ROOTS[keyword].fields[name]
    text = document(keyword, name, 2 if len(slots(field)) > 2 else 3)
    before = await everything(api.store.database, tenant)

    async def ask(asking: Api, values: Values) -> str:
        return json.dumps(await asking.run(text, variables(field, values)), ensure_ascii=False)

    assert_nothing_leaks(await ask(strangers.next(), {}), theirs, {})
    pairs = fillings(keyword, name, theirs, nobodys)
    for yours, none in pairs:
        answer = await ask(strangers.next(), yours)
        assert_nothing_leaks(answer, theirs, yours)
        unknown = await ask(strangers.next(), none)
        assert anonymous(answer, theirs) == anonymous(unknown, nobodys), (yours, answer, unknown)
    assert await everything(api.store.database, tenant) == before

    # Whoever has it is answered otherwise: what was asked does reach it.
    if pairs:
        assert await _is_told_apart(ask, api, pairs, theirs, nobodys)


async def _is_told_apart(
    ask: Any, api: Api, pairs: list[tuple[Values, Values]], theirs: Belongings, nobodys: Belongings
) -> bool:
    for yours, none in pairs:
        own, unknown = await ask(api, yours), await ask(api, none)
        if anonymous(own, theirs) != anonymous(unknown, nobodys):
            return True
    return False


# ---- Subscriptions


@pytest.fixture
async def live(api: Api) -> AsyncIterator[Streaming]:
    # Any writer of the cluster holds all trees' changes back; nobody rings when it has ended.
    async with streaming(api, SWEEPING) as opened:
        yield opened


def watcher(live: Streaming, asking: Api) -> Streaming:
    """The same feed for another tenant."""
    watching = Streaming(asking, live.feed, live.bell)
    asking.context = replace(asking.context, lists=LivePages(live.feed))
    return watching


async def first(live: Streaming, asking: Api, name: str, values: Values) -> str:
    """The first event, or why there is none; what never tells anything by itself is told of an execution of theirs."""
    watching = watcher(live, asking)
    given = variables(ROOTS["subscription"].fields[name], values)
    try:
        async with watching.subscribe(document("subscription", name, 2), given) as reader:
            event = asyncio.create_task(reader.next())
            if name == "changes":
                await asking.publish(ONE, key="own")
                await asking.start("own")
            return json.dumps(await event, ensure_ascii=False)
    except (SubscriptionFailed, OperationRefused) as failure:
        return json.dumps(failure.errors, ensure_ascii=False)
    except StopAsyncIteration:
        return "complete"


@pytest.mark.parametrize("name", STREAMED)
async def test_what_another_tenant_has_is_streamed_like_what_never_was(
    api: Api, live: Streaming, strangers: Strangers, name: str
) -> None:
    theirs = await owned(api)
    nobodys = never(theirs)
    assert_nothing_leaks(await first(live, strangers.next(), name, {}), theirs, {})
    pairs = fillings("subscription", name, theirs, nobodys)
    for yours, none in pairs:
        answer = await first(live, strangers.next(), name, yours)
        assert_nothing_leaks(answer, theirs, yours)
        unknown = await first(live, strangers.next(), name, none)
        assert anonymous(answer, theirs) == anonymous(unknown, nobodys), (yours, answer, unknown)


@pytest.mark.parametrize("name", ["changes", "workflowExecutions", "workflowStepExecutions"])
async def test_a_stream_of_everything_tells_of_nobody_elses_changes(
    api: Api, live: Streaming, strangers: Strangers, name: str
) -> None:
    stranger = strangers.next()
    await stranger.publish(ONE, key="own")
    watching = watcher(live, stranger)
    async with watching.subscribe(document("subscription", name, 2), {}) as reader:
        if name != "changes":
            assert (await reader.next())["entries"] == []
        event = asyncio.create_task(reader.next())
        theirs = await owned(api)
        execution = await stranger.start("own")
        told = json.dumps(await event)
        assert_nothing_leaks(told, theirs, {})
        own = [execution["id"], *(step["id"] for step in execution["steps"])]
        assert any(id_ in told for id_ in own)
