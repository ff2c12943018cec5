"""`changes`: the journal without a gap, of all trees as they were committed or of one by revision (`live.md` J4, J5)."""

import asyncio
import random
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from db import tables
from db.epoch import begin_epoch
from db.requests import Write
from db.session import Database
from db.statements import Statement
from db.store import Store
from db.tables import table_of
from server.operations.operations import OperationRefused
from server.operations.payload import SubscriptionFailed
from tests.api import Api
from tests.live.streaming import SWEEPING, Reader, Streaming, streaming
from tests.live.trees import Tree, tree_of
from tests.schema.settling import settled

_EPOCH = table_of(tables.JournalEpoch)

FOLLOW = """
  subscription Follow($after: String, $root: ID, $kinds: [ChangeKind!]) {
    changes(after: $after, rootWorkflowExecutionId: $root, kinds: $kinds) {
      __typename
      ... on Change { cursor revision kind rootWorkflowExecutionId data }
      ... on ChangesResync { why: reason cursor }
    }
  }
"""
LISTED = """
  query ($root: ID, $after: String) {
    changes(first: 500, rootWorkflowExecutionId: $root, after: $after) {
      nodes { __typename cursor revision kind rootWorkflowExecutionId data }
    }
  }
"""


async def listed(api: Api, after: str | None = None, root: str | None = None) -> list[dict[str, Any]]:
    """What a client without a subscription reads, once all that was committed is settled."""
    await settled(api.context.store.database)
    found: list[dict[str, Any]] = (await api.data(LISTED, root=root, after=after))["changes"]["nodes"]
    return found


async def next_of(reader: Reader, number: int) -> list[dict[str, Any]]:
    return [await reader.next() for _ in range(number)]


async def test_from_now_on_every_change_of_all_trees(api: Api) -> None:
    async with streaming(api, SWEEPING) as live:
        one, two = await tree_of(api), await tree_of(api)
        before = (await listed(api, root=one.id))[-1]["cursor"]
        async with live.subscribe(FOLLOW, {"root": one.id}) as reader:
            waiting = asyncio.create_task(reader.next())
            # Nothing tells when its "now" is, only that it is after this.
            while not waiting.done():
                await one.update(a=1)
            assert (await waiting)["kind"] == "CONTEXT_UPDATED"
        async with live.subscribe(FOLLOW, {"after": before}) as reader:
            (first,) = await next_of(reader, 1)
            await two.update(a=2)
            await one.complete()
            expected = await listed(api, after=before)
            assert [first, *await next_of(reader, len(expected) - 1)] == expected
            assert [payload.id for payload in reader.payloads] == [each["cursor"] for each in expected]
        assert len(live.subscriptions) == 0


@pytest.mark.parametrize("of_one", [False, True])
async def test_from_a_cursor_it_is_what_the_query_lists(api: Api, of_one: bool) -> None:
    async with streaming(api, SWEEPING) as live:
        one, two = await tree_of(api), await tree_of(api)
        await one.complete()
        await two.fail()
        root = one.id if of_one else None
        everything = await listed(api, root=root)
        for number, change in enumerate(everything[:-1]):
            after = {"after": change["cursor"], "root": root}
            async with live.subscribe(FOLLOW, after) as reader:
                assert await next_of(reader, len(everything) - number - 1) == everything[number + 1 :]
            async with live.subscribe(FOLLOW, {"root": root}, last_event_id=change["cursor"]) as reader:
                assert await next_of(reader, 1) == [everything[number + 1]]


@pytest.mark.parametrize("of_one", [False, True])
async def test_only_of_some_kinds(api: Api, of_one: bool) -> None:
    async with streaming(api, SWEEPING) as live:
        tree = await tree_of(api)
        first = (await listed(api, root=tree.id))[0]["cursor"]
        given = {"after": first, "kinds": ["STEP_COMPLETED"], "root": tree.id if of_one else None}
        async with live.subscribe(FOLLOW, given) as reader:
            await next_of(reader, 1)
            await tree.update(a=1)
            last = await tree.complete()
            told = await next_of(reader, 2)
    assert [change["kind"] for change in told] == ["STEP_COMPLETED"] * 2
    assert told[-1]["revision"] == last - 1


async def prune(database: Database, api: Api, until: str) -> None:
    """Say that everything up to a cursor was pruned."""
    _, _, xid, position = orjson.loads(bytes.fromhex(until))

    def script() -> Any:
        yield Write(Statement(update(_EPOCH).values(pruned_xid=xid, pruned_position=position)), [{}])

    await database.transact(script())


async def test_below_what_is_kept_it_goes_on_from_now(database: Database, tenant: str) -> None:
    api = Api(Store(database), tenant)
    async with streaming(api, SWEEPING) as live:
        tree = await tree_of(api)
        old, new, *_ = await listed(api, root=tree.id)
        await prune(database, api, new["cursor"])
        try:
            async with live.subscribe(FOLLOW, {"after": old["cursor"]}) as reader:
                resync = await reader.next()
                assert (resync["__typename"], resync["why"]) == ("ChangesResync", "CURSOR_EXPIRED")
                assert reader.payloads[-1].id == resync["cursor"]
                await tree.update(a=1)
                assert (await reader.next())["kind"] == "CONTEXT_UPDATED"
            async with live.subscribe(FOLLOW, {"after": new["cursor"]}) as reader:
                assert (await reader.next())["__typename"] == "Change"
        finally:
            await prune(database, api, bytes.hex(b'["journal","",0,0]'))


@pytest.mark.parametrize("of_one", [False, True])
async def test_after_a_restore_it_goes_on_from_now(database: Database, tenant: str, of_one: bool) -> None:
    """J5: who is connected is told, and so is who comes back with a cursor from before."""
    api = Api(Store(database), tenant)
    async with streaming(api, SWEEPING) as live:
        tree = await tree_of(api)
        root = tree.id if of_one else None
        old = (await listed(api, root=tree.id))[-1]["cursor"]
        async with live.subscribe(FOLLOW, {"root": root, "after": old}) as connected:
            await tree.update(a=0)
            await connected.next()
            epoch = await begin_epoch(database)
            assert (await connected.next())["why"] == "EPOCH_CHANGED"
            async with live.subscribe(FOLLOW, {"after": old, "root": root}) as returned:
                resync = await returned.next()
                assert resync["why"] == "EPOCH_CHANGED"
                assert epoch in bytes.fromhex(resync["cursor"]).decode()
                await tree.update(a=1)
                for reader in (connected, returned):
                    assert (await reader.next())["kind"] == "CONTEXT_UPDATED"


async def test_what_is_no_cursor_or_no_tree_is_refused_in_words(api: Api) -> None:
    async with streaming(api) as live:
        assert "after is not a cursor" in await refusal(live, after="zz")
        assert "Last-Event-ID is not a cursor" in await refusal(live, last_event_id="zz")
        assert "There is no execution" in await refusal(live, root="exec_00000000000000000000000000")


async def refusal(live: Streaming, last_event_id: str | None = None, **variables: Any) -> str:
    with pytest.raises((OperationRefused, SubscriptionFailed)) as failed:
        async with live.subscribe(FOLLOW, variables, last_event_id) as reader:
            await reader.next()
    (error,) = failed.value.errors
    message: str = error["message"]
    return message


async def test_tenants_hear_nothing_of_one_another(api: Api) -> None:
    other = api.as_tenant("somebody-else-" + api.context.tenant)
    async with streaming(api, SWEEPING) as live, streaming(other, SWEEPING):
        mine, theirs = await tree_of(api), await tree_of(other)
        start = (await listed(api, root=mine.id))[-1]["cursor"]
        async with live.subscribe(FOLLOW, {"after": start}) as reader:
            await theirs.update(a=1)
            await mine.update(a=2)
            change = await reader.next()
    assert change["rootWorkflowExecutionId"] == mine.id


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_missed_or_doubled_by_who_comes_and_goes(api: Api, seed: int) -> None:
    """Writers over several trees, rings lost at random, readers who resume by their last cursor at random."""
    chance = random.Random(seed)  # noqa: S311 – the same for the same seed
    async with streaming(api, SWEEPING) as live:
        trees = [await tree_of(api) for _ in range(4)]
        start = (await listed(api, root=trees[-1].id))[-1]["cursor"]
        wanted = 60

        async def write(tree: Tree) -> None:
            for number in range(wanted // len(trees)):
                live.announcer.is_lost = chance.random() < 0.3
                await tree.update(a=number)

        async def follow() -> list[tuple[str, int]]:
            seen: list[tuple[str, int]] = []
            after = start
            while len(seen) < wanted:
                async with live.subscribe(FOLLOW, {"after": after}) as reader:
                    for _ in range(min(chance.randrange(1, 9), wanted - len(seen))):
                        change = await reader.next()
                        seen.append((change["rootWorkflowExecutionId"], change["revision"]))
                        after = change["cursor"]
            return seen

        readers = [asyncio.create_task(follow()) for _ in range(4)]
        await asyncio.gather(*map(write, trees))
        for seen in await asyncio.gather(*readers):
            assert len(set(seen)) == wanted
            for tree in trees:
                of_tree = [revision for root_id, revision in seen if root_id == tree.id]
                assert of_tree == list(range(of_tree[0], of_tree[0] + len(of_tree)))
