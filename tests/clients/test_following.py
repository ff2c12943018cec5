"""The examples of `docs/clients.md` miss nothing and double nothing, whatever happens between them and the database."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from signal import SIGKILL, SIGTERM, Signals

import pytest

from db.connect import database_for
from db.epoch import begin_epoch
from tests.clients.followers import (
    OF_ALL_CHANGES,
    OF_TREES,
    OVER_HTTP,
    OVER_WEBSOCKET,
    Follower,
    Line,
    all_see,
    files_of,
    following,
)
from tests.clients.history import prune
from tests.clients.proxy import Gateway, Network
from tests.clients.workload import branch, cancel, command, folded, keep_changing, read_at, start
from tests.docs.owners import runs_files
from tests.servers import ServerProcess

pytestmark = [pytest.mark.node, pytest.mark.timeout(600)]

# What the clients do by themselves, whatever database is behind the server.
on_one_database = pytest.mark.parametrize("served_url", ["sqlite"], indirect=True)

HAS_BEGUN = 1  # line: the snapshot, or where in the journal it began


def has_begun(lines: list[Line]) -> bool:
    return len(lines) >= HAS_BEGUN


def has_come_to(revision: int) -> Callable[[list[Line]], bool]:
    return lambda lines: lines[-1].get("revision") == revision


async def restart(server: ServerProcess, signal: Signals) -> None:
    """End the server so, and start it again on its port."""
    await asyncio.to_thread(server.stop, signal)
    await asyncio.to_thread(server.start)


async def complete(server: ServerProcess, root_id: str, followers: list[Follower]) -> None:
    """Cancel the tree; every follower of it ends, and shows what the query shows."""
    await cancel(server, root_id)
    assert [await follower.ended() for follower in followers] == [0] * len(followers), [
        follower.errors for follower in followers
    ]
    revision, state = await read_at(server, root_id)
    for follower in followers:
        assert follower.lines[-2] == {"ended": revision}, follower.name
        assert folded(follower.lines) == state, follower.name


def assert_nothing_is_missing(follower: Follower, until: int) -> None:
    """From its only snapshot on every revision came once, in order."""
    ((snapshot, reason),) = follower.snapshots
    assert reason == "START"
    assert follower.revisions == list(range(snapshot + 1, until + 1)), follower.name


@asynccontextmanager
async def everybody_of(url: str, root_id: str) -> AsyncIterator[tuple[list[Follower], list[Follower]]]:
    """The followers of the tree, and those of all changes, once each has begun."""
    async with following(OF_TREES, url, root_id) as trees, following([OF_ALL_CHANGES], url) as journals:
        await all_see([*trees, *journals], has_begun)
        yield trees, journals


@runs_files(*files_of(*OF_TREES, OF_ALL_CHANGES))
async def test_every_revision_comes_once_through_kills_restarts_and_cuts(
    server: ServerProcess, network: Network
) -> None:
    root_id = await start(server)
    async with everybody_of(network.url, root_id) as (followers, journals):
        everybody = [*followers, *journals]
        children = await branch(server, root_id)
        assert len(children) == 2
        done = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(keep_changing(server, [root_id, *children], done))
            for disturbance in (None, SIGKILL, None, SIGTERM, None):
                await asyncio.gather(*(each.sees_more() for each in everybody))
                if disturbance is None:
                    network.cut()
                else:
                    await restart(server, disturbance)
            await asyncio.gather(*(each.sees_more() for each in everybody))
            done.set()
        await complete(server, root_id, followers)
        until, _ = await read_at(server, root_id)
        for follower in followers:
            assert_nothing_is_missing(follower, until)
        (journal,) = journals
        await journal.wait_for(has_come_to(until))
        seen = journal.revisions
        assert seen == list(range(seen[0], until + 1))
        assert {line["rootWorkflowExecutionId"] for line in journal.lines[HAS_BEGUN:]} == {root_id}


@pytest.mark.parametrize(
    ("served_url", "reason"),
    [
        ("sqlite", "CURSOR_EXPIRED"),
        pytest.param("postgresql", "EPOCH_CHANGED", marks=pytest.mark.postgresql),
    ],
    indirect=["served_url"],
)
async def test_a_place_that_is_gone_is_answered_with_the_state(
    server: ServerProcess, served_url: str, network: Network, reason: str
) -> None:
    """`live.md` J5: what was pruned meanwhile is in the snapshot; after a restore the state is told anew."""
    root_id = await start(server)
    async with everybody_of(network.url, root_id) as (followers, journals):
        everybody = [*followers, *journals]
        children = await branch(server, root_id)
        seen, _ = await read_at(server, root_id)
        await all_see(everybody, has_come_to(seen))
        network.is_down = True
        network.cut()
        await change(server, [root_id, *children], times=6)
        await asyncio.to_thread(server.stop)
        if reason == "CURSOR_EXPIRED":
            await prune(served_url, root_id, until=seen + 3)
        else:
            async with database_for(served_url) as database:
                await begin_epoch(database)
        await asyncio.to_thread(server.start)
        network.is_down = False
        await all_see(everybody, lambda lines: reason in {lines[-1].get("reason"), lines[-1].get("why")})
        await change(server, [root_id, *children], times=3)
        await complete(server, root_id, followers)
        until, _ = await read_at(server, root_id)
        for follower in followers:
            (first, _), (second, why) = follower.snapshots
            assert (second, why) == (seen + 6, reason)
            expected = [*range(first + 1, seen + 1), *range(second + 1, until + 1)]
            assert follower.revisions == expected, follower.name
        await all_see(journals, has_come_to(until))
        assert journals[0].revisions[-(until - seen - 6) :] == list(range(seen + 7, until + 1))


async def change(server: ServerProcess, ids: list[str], times: int) -> None:
    """Change contexts so many times."""
    for number in range(times):
        await command(server, "UpdateContext", id=ids[number % len(ids)], patch={"number": number})


@on_one_database
async def test_a_socket_that_is_closed_with_a_passing_code_is_opened_again(server: ServerProcess) -> None:
    root_id = await start(server)
    gateway = Gateway(server)
    async with gateway.running(), following(OVER_WEBSOCKET, gateway.url, root_id) as followers:
        await all_see(followers, has_begun)
        for code in (1001, 1011, 1012, 1013, 4403, 4408, 4500):
            await gateway.close_all(code)
            await change(server, [root_id], times=1)
            seen, _ = await read_at(server, root_id)
            await all_see(followers, has_come_to(seen))
        await complete(server, root_id, followers)
        until, _ = await read_at(server, root_id)
        for follower in followers:
            assert_nothing_is_missing(follower, until)


@on_one_database
async def test_a_client_whose_request_is_at_fault_does_not_ask_again(server: ServerProcess) -> None:
    root_id = await start(server)
    gateway = Gateway(server)
    async with gateway.running():
        for code in (4400, 4401, 4406, 4409, 4429):
            async with following(OVER_WEBSOCKET, gateway.url, root_id) as followers:
                await all_see(followers, has_begun)
                await gateway.close_all(code)
                await all_fail(followers, str(code))


async def all_fail(followers: list[Follower], because: str) -> None:
    """Each ends by itself with this in its last words."""
    assert [await follower.ended() for follower in followers] == [1] * len(followers)
    assert [follower.name for follower in followers if because not in follower.errors] == []


@on_one_database
async def test_a_network_that_goes_silent_is_noticed(server: ServerProcess, network: Network) -> None:
    """No end ever learns that these connections are dead; the clients have to find out."""
    root_id = await start(server)
    async with everybody_of(network.url, root_id) as (followers, journals):
        everybody = [*followers, *journals]
        children = await branch(server, root_id)
        seen, _ = await read_at(server, root_id)
        await all_see(everybody, has_come_to(seen))
        network.go_silent()
        await change(server, [root_id, *children], times=3)
        await all_see(everybody, has_come_to(seen + 3))
        await complete(server, root_id, followers)
        until, _ = await read_at(server, root_id)
        for follower in followers:
            assert_nothing_is_missing(follower, until)


@on_one_database
async def test_an_execution_that_is_not_there_is_not_asked_for_again(
    server: ServerProcess, network: Network
) -> None:
    async with following(OF_TREES, network.url, "exec_00000000000000000000000000") as followers:
        await all_fail(followers, "There is no")


@on_one_database
async def test_an_address_that_is_not_there_is_not_asked_again(server: ServerProcess) -> None:
    async with following(OVER_HTTP, f"{server.url}/nothing", "exec_00000000000000000000000000") as followers:
        await all_fail(followers, "404")
