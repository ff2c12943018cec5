"""Pruning beside subscribers: none misses a change, waits for ever or is told half of anything (`live.md` J5)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from db.connect import database_for
from db.journal import JournalReader
from db.migrate import migrate
from db.retention.history import trim_history
from db.retention.trees import delete_trees
from db.session import Database
from db.store import Store
from server.live.live_pages import LivePages
from server.operations.payload import SubscriptionFailed
from tests.api import Api
from tests.contract.old import moment_after
from tests.live import test_changes_stream, test_tree_stream
from tests.live.streaming import SWEEPING, Reader, streaming
from tests.live.trees import Tree, revisions, tree_of
from tests.schema.settling import settled

FOLLOW_TREE, FOLLOW_ALL = test_tree_stream.FOLLOW, test_changes_stream.FOLLOW
LIST = """
  subscription { workflowExecutions(first: 10) {
    entries { kind id index workflowExecution { id runtimeStatus } }
  } }
"""
ONE = "subscription ($id: ID!) { workflowExecution(id: $id) { id runtimeStatus } }"


@pytest.fixture
async def own(served_database_url: str) -> AsyncIterator[Database]:
    """A database of the test's own: pruning is for all tenants."""
    await migrate(served_database_url)
    async with database_for(served_database_url) as opened:
        yield opened


@pytest.fixture
def api(own: Database, tenant: str) -> Api:
    return Api(Store(own), tenant)


async def trim(database: Database, tree: Tree, until: int) -> None:
    await settled(database)
    assert await trim_history(database, await moment_after(database, tree.id, until), lambda _: None) > 0


async def delete(database: Database, tree: Tree, until: int) -> None:
    """Delete the trees that have ended up to a revision of this one."""
    assert await delete_trees(database, await moment_after(database, tree.id, until), lambda _: None) > 0


async def kinds_until(reader: Reader, revision: int) -> list[dict[str, Any]]:
    """The changes of all trees up to a revision of the only one that changes."""
    found: list[dict[str, Any]] = []
    while not found or found[-1].get("revision") != revision:
        found.append(await reader.next())
    return found


async def test_who_is_connected_misses_nothing(own: Database, api: Api) -> None:
    async with streaming(api, SWEEPING) as live:
        tree = await tree_of(api)
        start = (await test_changes_stream.listed(api))[0]["cursor"]
        async with (
            live.subscribe(FOLLOW_TREE, {"root": tree.id, "after": 1}) as follower,
            live.subscribe(FOLLOW_ALL, {"after": start}) as journal,
        ):
            seen = [await follower.next()]
            told = await kinds_until(journal, 5)
            for number in range(6):
                last = await tree.update(a=number)
                while revisions(seen)[-1] < last:
                    seen.append(await follower.next())
                told += await kinds_until(journal, last)
                await trim(own, tree, last)
            last = await tree.complete()
            while revisions(seen)[-1] < last:
                seen.append(await follower.next())
            told += await kinds_until(journal, last)
        assert revisions(seen) == [each["revision"] for each in told] == list(range(2, last + 1))


async def test_who_comes_back_from_before_the_cut_goes_on_from_the_state(own: Database, api: Api) -> None:
    async with streaming(api, SWEEPING) as live:
        tree = await tree_of(api)
        start = (await test_changes_stream.listed(api))[0]["cursor"]
        for number in range(4):
            last = await tree.update(a=number)
        await trim(own, tree, last - 1)
        for after in range(last + 1):
            async with live.subscribe(FOLLOW_TREE, {"root": tree.id, "after": after}) as reader:
                waiting = asyncio.create_task(reader.next())
                if after < last - 1:
                    snapshot = await waiting
                    assert (snapshot["reason"], snapshot["revision"]) == ("CURSOR_EXPIRED", last)
                elif after < last:
                    assert revisions([await waiting]) == [last]
                else:
                    last = await tree.update(a="next")
                    assert revisions([await waiting]) == [last]
        for root in (None, tree.id):
            async with live.subscribe(FOLLOW_ALL, {"after": start, "root": root}) as journal:
                resync = await journal.next()
                assert (resync["__typename"], resync["why"]) == ("ChangesResync", "CURSOR_EXPIRED")
                last = await tree.update(a=str(root))
                assert (await journal.next())["revision"] == last


async def test_a_tree_whose_history_is_all_gone_is_shown_and_followed(own: Database, api: Api) -> None:
    async with streaming(api, SWEEPING) as live:
        tree = await tree_of(api)
        last = await tree.update(a=1)
        await trim(own, tree, last)
        async with (
            live.subscribe(FOLLOW_TREE, {"root": tree.id}) as follower,
            live.subscribe(FOLLOW_ALL, {"root": tree.id}) as journal,
            live.subscribe(FOLLOW_ALL) as everything,
        ):
            assert (await follower.next())["revision"] == last
            waiting = [asyncio.create_task(each.next()) for each in (journal, everything)]
            # Nothing tells when their "now" is, only that it is after this.
            while not all(each.done() for each in waiting):
                last = await tree.update(a=2)
            assert {(await each)["__typename"] for each in waiting} == {"Change"}
            assert revisions([await follower.next()])[0] == 7


@pytest.mark.parametrize("follow", ["tree", "changes of a tree", "changes of all"])
async def test_what_is_cut_between_two_reads_is_not_told_in_part(
    own: Database, api: Api, tenant: str, monkeypatch: pytest.MonkeyPatch, follow: str
) -> None:
    """The page says which changes are next; when they are read they are history."""
    async with streaming(api, SWEEPING) as live:
        tree = await tree_of(api)
        start = (await test_changes_stream.listed(api))[0]["cursor"]
        for number in range(4):
            last = await tree.update(a=number)
        name = "page" if follow == "changes of all" else "tree_page"
        read = getattr(JournalReader, name)
        places_read: list[Any] = []

        async def and_prune(self: JournalReader, of: str, after: Any) -> Any:
            page = await read(self, of, after)
            if not places_read and after != await JournalReader(own).settled(tenant):
                places_read.append(after)
                await trim(own, tree, last - 1)
            return page

        monkeypatch.setattr(JournalReader, name, and_prune)
        places = {
            "tree": (FOLLOW_TREE, {"root": tree.id, "after": 1}),
            "changes of a tree": (FOLLOW_ALL, {"root": tree.id, "after": start}),
            "changes of all": (FOLLOW_ALL, {"after": start}),
        }
        document, place = places[follow]
        async with live.subscribe(document, place) as reader:
            event = await reader.next()
            assert places_read
            assert event.get("reason", event.get("why")) == "CURSOR_EXPIRED"
            last = await tree.update(a="next")
            event = await reader.next()
            assert event.get("changes", [event])[-1]["revision"] == last


async def test_followers_of_what_is_deleted_are_told(own: Database, api: Api) -> None:
    """The lists by LEAVE, who follows the execution or its tree by NOT_FOUND."""
    async with streaming(api, SWEEPING) as live:
        api.context = replace(api.context, lists=LivePages(live.feed))
        kept, gone = await tree_of(api), await tree_of(api)
        last = await gone.fail()
        start = (await test_changes_stream.listed(api, root=gone.id))[0]["cursor"]
        async with (
            live.subscribe(LIST) as listed,
            live.subscribe(ONE, {"id": gone.id}) as one,
            live.subscribe(FOLLOW_TREE, {"root": gone.id}) as tree,
            live.subscribe(FOLLOW_ALL, {"root": gone.id, "after": start}) as changes,
        ):
            initial = (await listed.next())["entries"]
            assert [entry["id"] for entry in initial] == [gone.id, kept.id]
            assert (await one.next())["runtimeStatus"] == "FAILED"
            assert [(await tree.next())["__typename"] for _ in range(2)] == ["TreeSnapshot", "TreeEnded"]
            assert [(await changes.next())["revision"] for _ in range(last - 1)] == list(range(2, last + 1))
            await delete(own, gone, last)
            entries = (await listed.next())["entries"]
            assert [(entry["kind"], entry["id"]) for entry in entries] == [("LEAVE", gone.id)]
            for ending in (one.next(), tree.next(), changes.next()):
                with pytest.raises(SubscriptionFailed) as failed:
                    await ending
                assert failed.value.errors[0]["extensions"] == {"code": "NOT_FOUND"}
            await kept.update(a=1)
            assert (await listed.next())["entries"][0]["kind"] == "UPDATE"


async def test_a_cursor_from_before_a_deletion_goes_on_from_now(own: Database, api: Api) -> None:
    async with streaming(api, SWEEPING) as live:
        kept, gone = await tree_of(api), await tree_of(api)
        last = await gone.complete()
        everything = await test_changes_stream.listed(api)
        await delete(own, gone, last)
        async with live.subscribe(FOLLOW_ALL, {"after": everything[0]["cursor"]}) as before:
            assert (await before.next())["why"] == "CURSOR_EXPIRED"
            await kept.update(a=1)
            assert (await before.next())["revision"] == 6
        async with live.subscribe(FOLLOW_ALL, {"after": everything[-1]["cursor"]}) as after:
            assert (await after.next())["revision"] == 6
