"""The streams of a running server, told to clients of every transport (`live.md` 5.2, 5.3, 5.6, 5.7).

That `complete` and `cancel` race to exactly one end (5.5) is `tests/contract/test_races.py`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson

from tests.live.chaos.checking import place_of
from tests.live.chaos.clients import Following
from tests.live.chaos.house import harmed_server
from tests.live.chaos.serve import Harm
from tests.live.chaos.streams import ChangesStream, StateStream, Stream, TreeStream
from tests.live.party import Party, changes_of, party, revisions_of
from tests.live.tree_of_children import TreeOfChildren, grown, publish

TRANSPORTS = ("websocket", "events")
LAST = """
  query ($rootId: ID) {
    changes(last: 1, rootWorkflowExecutionId: $rootId) { nodes { cursor revision } }
  }
"""


@asynccontextmanager
async def started(
    database: str, directory: Path, harm: Harm | None = None
) -> AsyncIterator[tuple[Party, TreeOfChildren]]:
    """A server, clients of it, and a tree that waits at its first step."""
    harm = harm or Harm(str(directory / "deeds.jsonl"), stall=30)
    with harmed_server(database, directory, harm) as server:
        async with party(directory, int(server.url.rpartition(":")[2])) as made:
            await publish(made.writer)
            yield made, await grown(made.writer)


async def followed(made: Party, *streams: Stream) -> list[Following]:
    """A client of each stream over each transport; those that begin with a state have it."""
    clients = [made.follow(stream, transport) for transport in TRANSPORTS for stream in streams]
    await made.until(lambda: all(each.seen for each in clients if not isinstance(each.stream, ChangesStream)))
    return clients


async def last_cursor(made: Party, root_id: str) -> str:
    """Where the journal ends, for the only tree that there is and so for all, once all of it is settled (J4)."""
    (last,) = (await made.writer.ask(LAST, {"rootId": root_id}))["changes"]["nodes"]
    while [last] != (await made.writer.ask(LAST, {}))["changes"]["nodes"]:
        pass
    return str(last["cursor"])


async def test_a_change_whose_ring_is_lost_is_seen_all_the_same(
    served_database_url: str, tmp_path: Path
) -> None:
    """5.2: everything that is published is lost, with a broker that works."""
    deeds = tmp_path / "deeds.jsonl"
    async with started(served_database_url, tmp_path, Harm(str(deeds), lost=1.0)) as (made, tree):
        cursor = await last_cursor(made, tree.root_id)
        clients = await followed(
            made,
            TreeStream(tree.root_id),
            StateStream(tree.root_id),
            ChangesStream(tree.root_id, cursor),
            ChangesStream(None, cursor),
        )
        await tree.update({"note": "nobody rings"})
        revision = await tree.revision()
        await made.until(lambda: all(_last_revision(each.seen) == revision for each in clients))
    told = [orjson.loads(line)["what"] for line in deeds.read_bytes().splitlines()]
    assert "ring lost" in told
    assert "swept" in told


async def test_a_child_that_is_born_after_the_subscription_began_is_delivered(
    served_database_url: str, tmp_path: Path
) -> None:
    """5.3"""
    async with started(served_database_url, tmp_path) as (made, tree):
        cursor = await last_cursor(made, tree.root_id)
        clients = await followed(made, TreeStream(tree.root_id), ChangesStream(tree.root_id, cursor))
        await tree.complete("ask")
        await tree.complete("do", child=1)
        revision = await tree.revision()
        await made.until(lambda: all(_last_revision(each.seen) == revision for each in clients))
        for client in clients:
            kinds = [(change["kind"], change["data"].get("childIndex")) for change in changes_of(client)]
            assert {("EXECUTION_CREATED", 0), ("EXECUTION_CREATED", 1)} <= set(kinds)
            assert ("EXECUTION_COMPLETED", 1) in kinds


async def test_an_output_of_a_megabyte_that_nobody_selected_enters_no_stream(
    served_database_url: str, tmp_path: Path
) -> None:
    """5.6: what the servers send over the wires is counted."""
    async with started(served_database_url, tmp_path) as (made, tree):
        cursor = await last_cursor(made, tree.root_id)
        clients = await followed(
            made,
            TreeStream(tree.root_id),
            StateStream(tree.root_id),
            ChangesStream(tree.root_id, cursor),
            ChangesStream(None, cursor),
        )
        await tree.complete("ask")
        links = [link for each in clients for link in each.wire.links]
        await tree.complete("do", {"text": "x" * 1_000_000}, child=0)
        await tree.complete("do", child=1)
        revision = await tree.revision()
        await made.until(lambda: all(_last_revision(each.seen) == revision for each in clients))
        assert len(links) == len(clients)
        assert max(link.received for link in links) < 100_000


async def test_every_transport_tells_the_same_changes_in_the_same_order(
    served_database_url: str, tmp_path: Path
) -> None:
    """5.7: WebSocket, server-sent events and polling."""
    async with started(served_database_url, tmp_path) as (made, tree):
        cursor = await last_cursor(made, tree.root_id)
        begun = await tree.revision()
        trees = [made.follow(TreeStream(tree.root_id), transport) for transport in TRANSPORTS]
        await made.until(lambda: all(each.seen for each in trees))
        roots, everything = (
            [made.follow(ChangesStream(root_id, cursor), each) for each in (*TRANSPORTS, "poll")]
            for root_id in (tree.root_id, None)
        )
        other = await grown(made.writer)
        await tree.run()
        await other.run()
        revision = await tree.revision()
        expected = list(range(begun + 1, revision + 1))
        whole = {(tree.root_id, each) for each in expected}
        whole |= {(other.root_id, each) for each in range(1, await other.revision() + 1)}
        await made.until(lambda: all(revisions_of(each)[-1:] == [revision] for each in (*trees, *roots)))
        await made.until(lambda: all(len(changes_of(each)) >= len(whole) for each in everything))
        for client in (*trees, *roots):
            assert revisions_of(client) == expected
            assert changes_of(client) == changes_of(trees[0])
        for client in everything:
            assert changes_of(client) == changes_of(everything[0])
        places = [place_of(change) for change in changes_of(everything[0])]
        assert len(places) == len(whole)
        assert set(places) == whole
        snapshots = [client.seen[0] for client in trees]
        assert snapshots[0] == snapshots[1]
        assert [client.seen[-1]["saw"] for client in trees] == ["ended"] * 2


def _last_revision(seen: list[dict[str, object]]) -> object:
    return seen[-1].get("revision") if seen else None
