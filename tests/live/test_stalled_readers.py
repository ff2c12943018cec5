"""Readers that take nothing: little is held for them, others are served, and nothing is missed (`live.md` 5.4)."""

from pathlib import Path

import psutil

from tests.live.chaos.clients import Following
from tests.live.chaos.house import harmed_server, has_noted
from tests.live.chaos.serve import Harm
from tests.live.chaos.streams import TreeStream
from tests.live.party import party, revisions_of
from tests.live.tree_of_children import TreeOfChildren, grown, publish
from tests.servers import ServerProcess

READERS = 10
MEBIBYTE = 1 << 20
# What the garbage collector has not gone over yet.
GARBAGE = 4 * MEBIBYTE
FILLING = "x" * (MEBIBYTE // 4)
UPDATES = 32  # together eight times what may be held for a reader


async def fill(tree: TreeOfChildren) -> int:
    """Change much; returns the revision after it."""
    for _ in range(UPDATES):
        await tree.update({"filling": FILLING})
    await tree.update({"filling": None})
    return await tree.revision()


def memory_of(server: ServerProcess) -> int:
    """Bytes that the process holds."""
    return int(psutil.Process(server.process.pid).memory_info().rss)


def has_seen(client: Following, revision: int) -> bool:
    return revisions_of(client)[-1:] == [revision]


async def test_for_readers_that_take_nothing_at_most_a_mebibyte_each_is_held(
    served_database_url: str, tmp_path: Path
) -> None:
    """Eight are sent to each. The same is sent before to a reader that takes it, so that what is kept anyway is there."""
    harm = Harm(str(tmp_path / "deeds.jsonl"), stall=300)
    with harmed_server(served_database_url, tmp_path, harm) as server:
        async with party(tmp_path, int(server.url.rpartition(":")[2])) as made:
            await publish(made.writer)
            tree = await grown(made.writer)
            neighbours = [made.follow(TreeStream(tree.root_id), each) for each in ("websocket", "events")]
            await made.until(lambda: all(each.seen for each in neighbours))
            warm = await fill(tree)
            await made.until(lambda: all(has_seen(each, warm) for each in neighbours))
            stalled = [
                made.follow(TreeStream(tree.root_id), ("websocket", "events")[number % 2], patience=600)
                for number in range(READERS)
            ]
            await made.until(lambda: all(each.seen for each in stalled))
            links = [link for each in stalled for link in each.wire.stall()]
            before = memory_of(server)
            revision = await fill(tree)
            await made.until(lambda: all(has_seen(each, revision) for each in neighbours))
            held = memory_of(server) - before
            assert len(links) == READERS
            assert max(link.received for link in links) < MEBIBYTE, "they have taken something"
            assert held < READERS * MEBIBYTE + GARBAGE
            for client in neighbours:
                seen = revisions_of(client)
                assert seen == list(range(seen[0], revision + 1))
            for client in stalled:
                client.wire.heal()
            await made.until(lambda: all(has_seen(each, revision) for each in stalled))
            for client in stalled:
                assert client.connections == 1
                assert revisions_of(client) == list(range(warm + 1, revision + 1))


async def test_a_reader_that_takes_nothing_is_closed_so_that_it_comes_again_and_misses_nothing(
    served_database_url: str, tmp_path: Path
) -> None:
    deeds = tmp_path / "deeds.jsonl"
    harm = Harm(str(deeds), stall=0.5)
    with harmed_server(served_database_url, tmp_path, harm) as server:
        async with party(tmp_path, int(server.url.rpartition(":")[2])) as made:
            await publish(made.writer)
            tree = await grown(made.writer)
            begun = await tree.revision()
            reader = made.follow(TreeStream(tree.root_id), "websocket", patience=600)
            neighbour = made.follow(TreeStream(tree.root_id), "websocket")
            await made.until(lambda: reader.seen and neighbour.seen)
            reader.wire.stall()
            revision = await fill(tree)
            await has_noted("stalled", 1, deeds)
            reader.wire.heal()
            await made.until(lambda: has_seen(reader, revision) and has_seen(neighbour, revision))
            assert reader.connections == 2
            assert neighbour.connections == 1
            assert revisions_of(reader) == list(range(begun + 1, revision + 1))
