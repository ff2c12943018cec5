"""A client of server-sent events goes on where it was, as a browser's EventSource does (`live.md` W1)."""

import json
from collections.abc import AsyncIterator

import pytest

from tests.frontend_documents import document
from tests.process.clients import open_events, post
from tests.process.quiet import said_since_start
from tests.process.workflows import complete, create
from tests.servers import ServerProcess


async def until(events: AsyncIterator[tuple[str, str]], kind: str) -> tuple[str, dict[str, object]]:
    """The next event that holds `kind`, with the id before it."""
    last_id = ""
    async for name, data in events:
        if name == "id":
            last_id = data
        elif kind in data:
            (answer,) = json.loads(data)["data"].values()
            return last_id, answer
    raise AssertionError(f"the stream ended without {kind}")


async def test_a_tree_goes_on_after_the_last_event_id(live_server: ServerProcess) -> None:
    execution = await create(live_server)
    async with open_events(live_server, document("FollowTree"), rootId=execution.id) as events:
        last_id, snapshot = await until(events, "treeRevision")
    assert last_id == f"{snapshot['epoch']}:{snapshot['revision']}"
    await complete(live_server, execution.steps["verify"], {"verified": True})
    # The header outranks the variable, which an EventSource repeats as it was.
    async with open_events(
        live_server, document("FollowTree"), last_event_id=last_id, rootId=execution.id, after=1
    ) as events:
        next_id, changed = await until(events, "changes")
        rest = [event async for event in events]
    assert [change["revision"] for change in changed["changes"]] == [6, 7, 8, 9, 10]  # type: ignore[attr-defined]  # parsed JSON
    assert next_id == f"{snapshot['epoch']}:10"
    assert [name for name, _ in rest] == ["id", "next", "complete"]
    assert said_since_start(live_server.output) == []


@pytest.mark.parametrize("of_one", [False, True])
async def test_changes_go_on_after_the_last_event_id(live_server: ServerProcess, of_one: bool) -> None:
    execution = await create(live_server)
    variables = {"rootId": execution.id} if of_one else {}
    known = await post(live_server, document("Journal"), first=500, **variables)
    after = known["data"]["changes"]["pageInfo"]["endCursor"]
    async with open_events(live_server, document("FollowChanges"), after=after, **variables) as events:
        await complete(live_server, execution.steps["verify"], {"verified": True})
        last_id, change = await until(events, "STEP_COMPLETED")
    assert last_id == change["cursor"]
    async with open_events(
        live_server, document("FollowChanges"), last_event_id=last_id, **variables
    ) as events:
        _, following = await until(events, "revision")
    assert following["revision"] == change["revision"] + 1  # type: ignore[operator]  # parsed JSON


async def test_a_last_event_id_that_is_none_is_refused_in_words(live_server: ServerProcess) -> None:
    execution = await create(live_server)
    async with open_events(
        live_server, document("FollowTree"), last_event_id="yesterday", rootId=execution.id
    ) as events:
        ((name, data), *_) = [event async for event in events]
    assert name == "next"
    assert "Last-Event-ID is none of this stream" in json.loads(data)["errors"][0]["message"]
