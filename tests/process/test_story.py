"""The main job, end to end: publish a workflow, run it, watch it live; a process, HTTP and WebSocket."""

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.process.clients import watch_over_websocket
from tests.process.quiet import said_since_start
from tests.process.workflows import WATCH, complete, create, publish, read_state, send, state_of
from tests.servers import ServerProcess


def _sequence(*steps: tuple[str, str]) -> dict[str, Any]:
    """start → these steps (id and type) → end."""
    all_steps = [("start", "start"), *steps, ("end", "end")]
    arrows = pairwise(step_id for step_id, _ in all_steps)
    return {
        "id": "story",
        "name": "A story",
        "steps": [{"id": step_id, "type": kind, "name": step_id} for step_id, kind in all_steps],
        "stepTransitions": [
            {"id": f"t{index}", "fromStepId": source, "toStepId": target}
            for index, (source, target) in enumerate(arrows)
        ],
    }


async def test_what_a_watcher_sees_is_exactly_the_sequence_of_states(
    served_database_url: str, tmp_path: Path
) -> None:
    """`live.md` H7, H5: fires after every change in it or its steps, and completes after Completed."""
    with ServerProcess("--database", served_database_url, cwd=tmp_path) as server:
        await publish(server, _sequence(("form", "human.form"), ("task", "sys.task")), "story")
        execution = await create(server, "story", start=False)
        async with (
            asyncio.timeout(60),
            watch_over_websocket(server, WATCH, id=execution.id) as payloads,
        ):
            seen = [state_of(await anext(payloads))]
            await send(server, "BeginExecution", "TransitionSuccess", input={"id": execution.id})
            seen.append(state_of(await anext(payloads)))
            await complete(server, execution.steps["form"], {"answer": 42})
            seen.append(state_of(await anext(payloads)))
            await complete(server, execution.steps["task"], {})
            seen += [state_of(payload) async for payload in payloads]
        assert [(status, *steps.values()) for status, steps, _ in seen] == [
            ("NOT_STARTED", "NOT_STARTED", "NOT_STARTED", "NOT_STARTED", "NOT_STARTED"),
            ("IN_PROGRESS", "COMPLETED", "IN_PROGRESS", "NOT_STARTED", "NOT_STARTED"),
            ("IN_PROGRESS", "COMPLETED", "COMPLETED", "IN_PROGRESS", "NOT_STARTED"),
            ("COMPLETED", "COMPLETED", "COMPLETED", "COMPLETED", "COMPLETED"),
        ]
        revisions = [revision for _, _, revision in seen]
        assert revisions == sorted(set(revisions))
        assert seen[-1] == await read_state(server, execution.id)
        assert server.stop() == 0
        assert said_since_start(server.output) == []
