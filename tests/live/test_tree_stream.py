"""`workflowExecutionTree`: the state, then every change once and in order, then the end (`live.md` J5, H2–H5)."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import delete

from db import tables
from db.epoch import begin_epoch
from db.requests import Write
from db.session import Database, Unavailable
from db.statements import Statement
from db.store import Store
from db.tables import table_of
from server.operations.payload import SubscriptionFailed
from tests.api import Api, definition
from tests.live.streaming import SWEEPING, Streaming, streaming
from tests.live.trees import FOLLOW, Tree, revisions, tree_of

pytestmark = pytest.mark.timeout(120)

_JOURNAL = table_of(tables.Journal)


async def trim(database: Database, root_id: str, until: int) -> None:
    """Remove the tree's changes up to a revision, as pruning would."""
    own = (_JOURNAL.c.root_id == root_id) & (_JOURNAL.c.revision <= until)

    def script() -> Any:
        yield Write(Statement(delete(_JOURNAL).where(own)), [{}])

    await database.transact(script())


async def refusal(live: Streaming, last_event_id: str | None = None, **variables: Any) -> dict[str, Any]:
    """The one error of a subscription that is refused."""
    with pytest.raises(SubscriptionFailed) as failed:
        async with live.subscribe(FOLLOW, variables, last_event_id) as reader:
            await reader.next()
    (error,) = failed.value.errors
    return error


async def test_the_state_then_every_change_then_the_end(api: Api) -> None:
    async with streaming(api) as live:
        tree = await tree_of(api)
        async with live.subscribe(FOLLOW, {"root": tree.id}) as reader:
            first = await reader.next()
            assert (first["__typename"], first["revision"], first["reason"]) == ("TreeSnapshot", 5, "START")
            assert (first["root"]["id"], first["root"]["treeRevision"]) == (tree.id, 5)
            await tree.update(a=1)
            changed = await reader.next()
            assert (changed["__typename"], changed["revision"]) == ("TreeChanged", 6)
            assert [change["kind"] for change in changed["changes"]] == ["CONTEXT_UPDATED"]
            last = await tree.complete()
            *events, ended = await reader.rest()
            assert revisions(events) == list(range(7, last + 1))
            root = {"id": tree.id, "runtimeStatus": "COMPLETED", "treeRevision": last}
            assert ended == {"__typename": "TreeEnded", "revision": last, "root": root}
        assert live.feed.watched_trees == 0
        assert len(live.subscriptions) == 0


async def test_who_resumes_gets_the_rest_and_nothing_twice(api: Api) -> None:
    async with streaming(api) as live:
        tree = await tree_of(api)
        async with live.subscribe(FOLLOW, {"root": tree.id}) as reader:
            epoch = (await reader.next())["epoch"]
        last = await tree.complete()
        for after in range(last + 1):
            place = {"root": tree.id, "after": after, "epoch": epoch}
            async with live.subscribe(FOLLOW, place) as reader:
                *events, ended = await reader.rest()
            assert revisions(events) == list(range(after + 1, last + 1))
            assert (ended["__typename"], ended["revision"]) == ("TreeEnded", last)
        async with live.subscribe(FOLLOW, {"root": tree.id}, f"{epoch}:{last - 1}") as reader:
            *events, _ = await reader.rest()
            assert revisions(events) == [last]
            assert reader.payloads[0].id == f"{epoch}:{last}"


async def test_a_place_that_cannot_be_gone_on_from_begins_anew_with_the_state(api: Api) -> None:
    async with streaming(api) as live:
        tree = await tree_of(api)
        await tree.update(a=1)
        last = await tree.update(a=2)

        async def first_from(**place: Any) -> dict[str, Any]:
            async with live.subscribe(FOLLOW, {"root": tree.id, **place}) as reader:
                event: dict[str, Any] = await reader.next()
                return event

        anew = await first_from(after=3, epoch="f0")
        assert (anew["__typename"], anew["revision"], anew["reason"]) == (
            "TreeSnapshot",
            last,
            "EPOCH_CHANGED",
        )
        epoch = anew["epoch"]
        assert (await first_from(after=last + 1, epoch=epoch))["reason"] == "EPOCH_CHANGED"
        assert (await first_from(after=last + 1))["reason"] == "EPOCH_CHANGED"

        await trim(api.context.store.database, tree.id, last - 1)
        expired = await first_from(after=last - 2, epoch=epoch)
        assert (expired["revision"], expired["reason"]) == (last, "CURSOR_EXPIRED")
        assert expired["root"]["treeRevision"] == last
        assert revisions([await first_from(after=last - 1, epoch=epoch)]) == [last]
        await trim(api.context.store.database, tree.id, last)
        assert (await first_from(after=last - 1, epoch=epoch))["reason"] == "CURSOR_EXPIRED"


async def test_after_a_failure_it_stays_open_and_tells_of_the_next_end(api: Api) -> None:
    async with streaming(api) as live:
        tree = await tree_of(api)
        async with live.subscribe(FOLLOW, {"root": tree.id, "after": 5}) as reader:
            failed = await tree.fail()
            assert (await reader.next())["revision"] == failed
            ended = await reader.next()
            assert (ended["revision"], ended["root"]["runtimeStatus"]) == (failed, "FAILED")
            retried = await tree.retry()
            assert (await reader.next())["revision"] == retried
            await tree.complete()
            assert [event["__typename"] for event in await reader.rest()] == ["TreeChanged", "TreeEnded"]


async def test_a_child_that_is_born_later_is_told_of(api: Api) -> None:
    """`live.md` 5.3."""
    await api.publish(definition("dsc"), "dsc")
    await api.publish(definition("incorporation"), "incorporation")
    async with streaming(api) as live:
        directors = [{"id": name, "name": name, "needsDsc": True} for name in "ab"]
        started = await api.start(
            "incorporation", context={"company": {"name": "A", "type": "llp"}, "directors": directors}
        )
        async with live.subscribe(FOLLOW, {"root": started["id"]}) as reader:
            snapshot = await reader.next()
            last = await Tree(api, started, "intake").complete(complete=True)
            events = [await reader.next()]
            while events[-1]["revision"] < last:
                events.append(await reader.next())
    changes = [change for event in events for change in event["changes"]]
    assert [change["revision"] for change in changes] == list(range(snapshot["revision"] + 1, last + 1))
    born = {change["workflowExecutionId"] for change in changes if change["kind"] == "EXECUTION_CREATED"}
    assert len(born) == 2
    assert started["id"] not in born


async def test_an_id_that_is_no_roots_is_refused_in_words(api: Api) -> None:
    async with streaming(api) as live:
        tree = await tree_of(api)
        unknown = "exec_00000000000000000000000000"
        assert (await refusal(live, root=unknown))["extensions"] == {"code": "NOT_FOUND"}
        assert (await refusal(live, root="nothing"))["extensions"] == {"code": "NOT_FOUND"}
        other = api.as_tenant("somebody-else")
        async with streaming(other) as theirs:
            assert (await refusal(theirs, root=tree.id))["extensions"] == {"code": "NOT_FOUND"}
        negative = await refusal(live, root=tree.id, after=-1)
        assert negative["message"] == "after is -1; revisions begin with 1, and 0 is before all of them."
        broken = await refusal(live, root=tree.id, last_event_id="12")
        assert broken["message"] == "Last-Event-ID is none of this stream: those are 'epoch:revision'."


async def test_equal_events_are_made_once_wherever_their_readers_stand(api: Api) -> None:
    """H3: what differs is the place alone, so the changes at the head are one statement for all."""
    async with streaming(api) as live:
        tree = await tree_of(api)
        async with (
            live.subscribe(FOLLOW, {"root": tree.id, "after": 5}) as one,
            live.subscribe(FOLLOW, {"root": tree.id, "after": 4}) as two,
            live.subscribe(FOLLOW, {"root": tree.id}) as three,
        ):
            assert len(live.subscriptions) == 1
            assert revisions([await two.next()]) == [5]
            assert (await three.next())["revision"] == 5
            waiting = [asyncio.create_task(reader.next()) for reader in (one, two, three)]
            await asyncio.sleep(0)
            before = len(api.database.statements)
            await tree.update(a=1)
            assert [revisions([event]) for event in await asyncio.gather(*waiting)] == [[6]] * 3
            shared = api.database.statements[before:]
            assert sum("journal" in text for text in shared) == 1
            assert one.payloads[-1] is two.payloads[-1] is three.payloads[-1]


async def test_a_slow_reader_is_caught_up_in_pages(api: Api) -> None:
    async with streaming(api) as live:
        tree = await tree_of(api)
        async with live.subscribe(FOLLOW, {"root": tree.id, "after": 5}) as reader:
            for number in range(510):
                last = await tree.update(a=number)
            events = []
            while not events or events[-1]["revision"] < last:
                events.append(await reader.next())
    assert revisions(events) == list(range(6, last + 1))
    assert [len(event["changes"]) for event in events] == [500, 10]


async def test_a_page_weighs_little_unless_its_one_change_does(api: Api) -> None:
    async with streaming(api) as live:
        tree = await tree_of(api)
        for letter in "abc":
            last = await tree.update(text=letter * 400_000)
        async with live.subscribe(FOLLOW, {"root": tree.id, "after": 5}) as reader:
            sizes = [len((await reader.next())["changes"]) for _ in range(2)]
    assert sizes == [2, 1]
    assert last == 8


async def test_the_state_is_of_its_revision_though_the_tree_has_moved_on(api: Api) -> None:
    """H2: between the look at the revision and the statement that makes the state, somebody commits."""
    async with streaming(api) as live:
        tree = await tree_of(api)
        read = api.database.read
        has_moved = False

        async def read_late(text: str, arguments: Sequence[Any]) -> str | None:
            nonlocal has_moved
            if "tree_revision" in text and not has_moved:
                has_moved = True
                await tree.update(a=1)
            return await read(text, arguments)

        api.database.read = read_late  # type: ignore[method-assign]  # a database that is harmed
        async with live.subscribe(FOLLOW, {"root": tree.id}) as reader:
            first, second = await reader.next(), await reader.next()
    assert has_moved
    assert (first["revision"], first["root"]["treeRevision"]) == (5, 5)
    assert revisions([second]) == [6]


async def test_an_event_that_cannot_be_shown_while_the_database_is_away_is_not_passed_over(api: Api) -> None:
    async with streaming(api) as live:
        tree = await tree_of(api)
        read, refused = api.database.read, 0

        async def read_sometimes(text: str, arguments: Sequence[Any]) -> str | None:
            nonlocal refused
            if "'TreeChanged'" in text and refused < 2:
                refused += 1
                raise Unavailable("The database does not answer.")
            return await read(text, arguments)

        async with live.subscribe(FOLLOW, {"root": tree.id, "after": 5}) as reader:
            api.database.read = read_sometimes  # type: ignore[method-assign]  # a database that is harmed
            await tree.update(a=1)
            assert revisions([await reader.next()]) == [6]
    assert refused == 2


async def test_a_restore_is_told_of_to_who_is_connected(database: Database, tenant: str) -> None:
    """J5: another epoch begins, and nothing is committed."""
    api = Api(Store(database), tenant)
    async with streaming(api, SWEEPING) as live:
        tree = await tree_of(api)
        async with live.subscribe(FOLLOW, {"root": tree.id}) as reader:
            first = await reader.next()
            epoch = await begin_epoch(database)
            again = await reader.next()
            assert (again["epoch"], again["reason"]) == (epoch, "EPOCH_CHANGED")
            assert (again["revision"], first["epoch"] != epoch) == (5, True)
            last = await tree.complete()
            assert revisions(await reader.rest()) == list(range(6, last + 1))


@pytest.mark.parametrize("seed", range(6))
async def test_nobody_misses_or_doubles_a_change_whenever_they_come_and_whatever_rings(
    api: Api, seed: int
) -> None:
    """Readers attach, leave and resume at random while commands are given and rings get lost."""
    chance = random.Random(seed)  # noqa: S311 – the same for the same seed
    async with streaming(api, SWEEPING) as live:
        tree = await tree_of(api)

        async def follow() -> tuple[int, list[int]]:
            place: dict[str, Any] = {"root": tree.id}
            begun, seen, is_over = -1, list[int](), False
            while not is_over:
                async with live.subscribe(FOLLOW, place) as reader:
                    for _ in range(chance.randrange(1, 5)):
                        event = await reader.next()
                        if event["__typename"] == "TreeSnapshot":
                            assert begun == -1, "it could go on"
                            begun = event["revision"]
                            place["epoch"] = event["epoch"]
                        seen += revisions([event])
                        place["after"] = event["revision"]
                        is_over = event["__typename"] == "TreeEnded"
                        if is_over:
                            break
            return begun, seen

        readers = []
        for number in range(40):
            live.announcer.is_lost = chance.random() < 0.3
            readers.append(asyncio.create_task(follow()))
            await asyncio.sleep(chance.random() * 0.01)  # commands at any moment
            await tree.update(a=number)
        last = await tree.complete()
        for begun, seen in await asyncio.gather(*readers):
            assert seen == list(range(begun + 1, last + 1))
