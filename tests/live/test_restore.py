"""After a restore to an older state and a new epoch no client goes on silently (`live.md` 5.9, J5)."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from db.commands.execution import update_workflow_context
from db.commands.outcome import Actor
from db.connect import database_for
from db.epoch import begin_epoch
from db.store import Store
from db.tables import DEFAULT_TENANT
from tests.live import backups
from tests.live.chaos.clients import Following
from tests.live.chaos.house import harmed_server
from tests.live.chaos.serve import Harm
from tests.live.chaos.streams import JSON, POLL_CHANGES, ChangesStream, StateStream, TreeStream
from tests.live.chaos.writers import Unexpected
from tests.live.party import Party, party
from tests.live.test_streams import TRANSPORTS, last_cursor
from tests.live.tree_of_children import TreeOfChildren, grown, publish
from tests.servers import ServerProcess

T = TypeVar("T")


@asynccontextmanager
async def lost_history(
    database: str, directory: Path, commands_since: int
) -> AsyncIterator[tuple[Party, TreeOfChildren, dict[str, list[Following]], str]]:
    """A server on a database that was put back by three revisions, and went on by so many before anybody came again.

    Clients of every kind and transport, which all saw the revisions that are lost, and a cursor of the old history.
    """
    server = harmed_server(database, directory, Harm(str(directory / "deeds.jsonl"), stall=30))
    copy = ""
    with server:
        async with party(directory, int(server.url.rpartition(":")[2])) as made:
            await publish(made.writer)
            tree = await grown(made.writer)
            old = await last_cursor(made, tree.root_id)
            clients = await _clients(made, tree.root_id)
            try:
                copy = await _stopped(server, backups.take(database))
                await _move_on(database, tree.root_id, 3)
                await asyncio.to_thread(server.start)
                lost = await tree.revision()
                everybody = [each for some in clients.values() for each in some]
                await made.until(lambda: all(_revision(each) == lost for each in everybody))
                await _stopped(server, backups.put_back(copy, database))
                async with database_for(database) as opened:
                    await begin_epoch(opened)
                await _move_on(database, tree.root_id, commands_since)
                await asyncio.to_thread(server.start)
                yield made, tree, clients, old
            finally:
                await made.end()
                await asyncio.to_thread(server.stop)
                await backups.drop(copy)


@pytest.mark.parametrize("commands_since", [0, 3, 5])
async def test_after_a_restore_every_client_is_told_and_goes_on_from_there(
    commands_since: int, served_database_url: str, tmp_path: Path
) -> None:
    """Whether the tree is behind, at or beyond the revision that a client stands at: by that alone it could go on."""
    async with lost_history(served_database_url, tmp_path, commands_since) as (made, tree, clients, _):
        told = [*clients["tree"], *clients["changes"]]
        await made.until(lambda: all(_was_told(each.seen) for each in told))
        begun = await tree.revision()
        await tree.update({"note": "after the restore"})
        everybody = [*told, *clients["state"]]
        await made.until(lambda: all(_revision(each) == begun + 1 for each in everybody))
        for client in clients["tree"]:
            snapshot, *rest = _since_told(client.seen)
            assert snapshot["revision"] == begun
            assert [each["revision"] for each in rest if each["saw"] == "change"] == [begun + 1]
        for client in clients["changes"]:
            _, *rest = _since_told(client.seen)
            assert [(each["saw"], each["revision"]) for each in rest] == [("change", begun + 1)]


async def test_after_a_restore_a_client_that_polls_is_told_so(
    served_database_url: str, tmp_path: Path
) -> None:
    async with lost_history(served_database_url, tmp_path, 5) as (made, tree, _, old):
        for root_id in (None, tree.root_id):
            with pytest.raises(Unexpected, match="EPOCH_CHANGED"):
                await made.writer.ask(POLL_CHANGES, {"after": old, "rootId": root_id})


async def _clients(made: Party, root_id: str) -> dict[str, list[Following]]:
    """Clients of each kind over both transports, which have all begun."""
    cursor = await last_cursor(made, root_id)
    clients: dict[str, list[Following]] = {"tree": [], "changes": [], "state": []}
    for transport in TRANSPORTS:
        clients["tree"].append(made.follow(TreeStream(root_id), transport))
        clients["state"].append(made.follow(StateStream(root_id), transport))
        clients["changes"].append(made.follow(ChangesStream(root_id, cursor), transport))
        clients["changes"].append(made.follow(ChangesStream(None, cursor), transport))
    await made.until(lambda: all(each.seen for each in (*clients["tree"], *clients["state"])))
    return clients


async def _move_on(database: str, root_id: str, commands: int) -> None:
    """So many changes while no server runs."""
    async with database_for(database) as opened:
        for number in range(commands):
            await update_workflow_context(Store(opened), Actor(DEFAULT_TENANT), root_id, {"number": number})


async def _stopped(server: ServerProcess, work: Coroutine[Any, Any, T]) -> T:
    """Do this after the server has ended."""
    await asyncio.to_thread(server.stop)
    return await work


def _revision(client: Following) -> int | None:
    """The last revision that a client was told of."""
    found = [record["revision"] for record in client.seen if "revision" in record]
    return found[-1] if found else None


def _was_told(seen: list[JSON]) -> bool:
    return any(_tells(record) for record in seen)


def _tells(record: JSON) -> bool:
    """Whether a record says that another history has begun."""
    return record.get("reason" if record["saw"] == "snapshot" else "why") == "EPOCH_CHANGED"


def _since_told(seen: list[JSON]) -> list[JSON]:
    """What was seen from that record on."""
    return seen[[_tells(record) for record in seen].index(True) :]
