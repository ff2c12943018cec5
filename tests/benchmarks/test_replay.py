"""Replay: a tree's whole journal from its beginning, to one subscriber."""

import asyncio
import json
import time
from pathlib import Path

import psutil
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from websockets.asyncio.client import connect

from db.tables import Journal, table_of
from tests.benchmarks import samples
from tests.benchmarks.rounds import ROUNDS
from tests.servers import ServerProcess

CHANGES = 100_000
TARGET = 20_000  # changes a second
FOLLOW = """
  subscription Follow($rootId: ID!, $after: Int) {
    workflowExecutionTree(rootId: $rootId, after: $after) {
      ... on TreeChanged { revision changes { revision kind at stepExecutionId toStatus } }
    }
  }
"""


def test_a_long_journal_is_replayed(database_url: str, tmp_path: Path) -> None:
    root_id = asyncio.run(long_journal(database_url))
    with ServerProcess("--database", database_url, cwd=tmp_path) as server:
        process = psutil.Process(server.process.pid)
        asyncio.run(replay(server, root_id))
        before = process.memory_info().rss
        rounds = [asyncio.run(replay(server, root_id)) for _ in range(ROUNDS)]
        grown = (process.memory_info().rss - before) / (1 << 20)
    seconds = sorted(rounds)[len(rounds) // 2]
    print(f"\n{CHANGES:,} changes of one tree from 0, {make_url(database_url).get_backend_name()}")
    reached = "reached" if CHANGES / seconds >= TARGET else "MISSED"
    print(f"  {CHANGES / seconds:,.0f} changes a second, target ≥ {TARGET:,}: {reached}")
    print(f"  the server's memory after {ROUNDS} replays: {grown:+.1f} MiB")


async def replay(server: ServerProcess, root_id: str) -> float:
    """Returns the seconds until the last change is there; each must be there once, in order."""
    payload = {"query": FOLLOW, "variables": {"rootId": root_id, "after": 0}}
    async with connect(
        server.websocket_url,
        subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]  # it takes any text
        proxy=None,
        compression=None,
        max_size=None,
    ) as socket:
        await socket.send('{"type":"connection_init"}')
        await socket.recv()
        begun = time.perf_counter()
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        frames, known = [], 0
        while known < CHANGES:
            frames.append(await socket.recv())
            known += frames[-1].count('"kind"')
        seconds = time.perf_counter() - begun
    events = [json.loads(frame)["payload"]["data"]["workflowExecutionTree"] for frame in frames]
    assert [each["revision"] for event in events for each in event["changes"]] == list(range(1, known + 1))
    return seconds


async def long_journal(url: str) -> str:
    """A tree that was changed so often, all but its first changes alike."""
    key = await samples.publish(url, samples.sequence("long", 2))
    root_id = (await samples.start(url, key)).id
    copied = ", ".join(
        c.name for c in table_of(Journal).columns if c.name not in ("position", "xid", "revision")
    )
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(
            text(
                f"with recursive numbers(n) as (select tree_revision + 1 from workflow_execution where id = :root"
                f" union all select n + 1 from numbers where n < {CHANGES})"
                f" insert into journal (revision, {copied}) select n, {copied} from numbers, journal j"
                " where j.root_id = :root and j.revision ="
                " (select max(k.revision) from journal k where k.root_id = :root and k.step_execution_id is not null)"
            ),
            {"root": root_id},
        )
        await connection.execute(
            text(f"update workflow_execution set tree_revision = {CHANGES} where id = :root"),
            {"root": root_id},
        )
    await engine.dispose()
    return root_id
