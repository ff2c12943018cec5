"""The floor of claims: their statements by hand on the driver's connections, in one process, with nothing decided.

    python -m tests.benchmarks.raw_claims DATABASE_URL

Asked `{"key": …, "cycles": …, "images": …}` each connection claims a step of the template, then as often completes it and
claims the next.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any

import uvloop

from db.commands.candidates import Candidate, Wanted, candidates_of, statement_for, values_for
from db.commands.claiming import SPARE
from db.runtime.moments import timestamp_text
from db.statements import DatabaseKind
from tests.benchmarks.processes import tell
from tests.benchmarks.raw_commands import TENANT, complete, connections_to, timed

LEASE = timedelta(seconds=60)

_LOCK = """
  select tree_revision, clock_timestamp() as now from workflow_execution where id = $1 for update skip locked
"""
_FREE = "select id from step_execution where id = $1 and claim_worker is null and status = 'InProgress'"
_CLAIM = """
  update step_execution
  set claim_worker = 'by hand', claim_token = $2, claimed_at = $3, lease_expires_at = $4, revision = $5
  where id = $1
"""
_ROOT = """
  update workflow_execution set revision = $2, last_activity_at = $3, tree_revision = $2, tree_changed_at = $3
  where id = $1
"""
_CHANGE = """
  insert into journal (tenant, root_id, revision, execution_id, step_execution_id, kind, at, from_status, to_status,
    attempt, data)
  values ($1, $2, $3, $4, $5, 'STEP_CLAIMED', $6, 'InProgress', 'InProgress', 1, $7)
"""


class Queue:
    """The waiting steps of a template. On SQLite, where all share a connection, they are taken in turn."""

    def __init__(self, kind: DatabaseKind, key: str, image: str) -> None:
        wanted = Wanted(template_keys=(key,))
        self._compiled = statement_for(wanted).compiled(kind)
        self._arguments = self._compiled.arguments(values_for(wanted, TENANT, 1 + SPARE))
        self._image = image

    async def claim(self, connection: Any) -> str:
        """The step that was claimed: the oldest that nobody is at."""
        while True:
            rows = await connection.fetch(self._compiled.text, *self._arguments)
            for candidate in candidates_of([self._compiled.row(row) for row in rows], 1 + SPARE):
                if await self._take(connection, candidate):
                    return candidate.id

    async def _take(self, connection: Any, candidate: Candidate) -> bool:
        async with connection.transaction():
            root = await connection.fetchrow(_LOCK, candidate.root_id)
            if root is None or await connection.fetchrow(_FREE, candidate.id) is None:
                return False
            revision, now = root["tree_revision"] + 1, root["now"]
            await connection.execute(_CLAIM, candidate.id, token_urlsafe(24), now, _ends(now), revision)
            await connection.execute(_ROOT, candidate.root_id, revision, now)
            place = (TENANT, candidate.root_id, revision, candidate.execution_id, candidate.id)
            await connection.execute(_CHANGE, *place, now, self._image)
        return True


def _ends(now: Any) -> Any:
    """When a lease ends, as the database has its moments."""
    if isinstance(now, datetime):
        return now + LEASE
    return timestamp_text(datetime.fromisoformat(now) + LEASE)


async def run(
    connections: Sequence[Any], kind: DatabaseKind, key: str, cycles: int, images: list[str]
) -> dict[str, Any]:
    """Every connection its cycles."""
    queue = Queue(kind, key, images[0])
    held = [await queue.claim(connection) for connection in connections]

    async def work(number: int) -> None:
        for _ in range(cycles):
            await complete(connections[number], held[number], images)
            held[number] = await queue.claim(connections[number])

    told = await timed([work(number) for number in range(len(connections))])
    return {"done": cycles * len(connections), **told, "held": held}


async def answer_questions(url: str) -> None:
    """Until there are no more."""
    kind: DatabaseKind = "sqlite" if url.startswith("sqlite") else "postgresql"
    async with connections_to(url) as connections:
        tell("ready")
        while line := await asyncio.to_thread(sys.stdin.readline):
            tell(await run(connections, kind, **json.loads(line)))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(answer_questions(sys.argv[1]))
