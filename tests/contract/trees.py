"""Many trees at once: creating them, their rows as trees, what must hold of those, and driving them to their end."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from db.commands import step as commands
from db.commands.execution import NewExecution, create_workflow_execution
from db.commands.outcome import Actor, Committed
from db.runtime.errors import Refusal
from db.runtime.images import execution_image, step_image
from db.runtime.statuses import ExecutionStatus, StepStatus
from db.runtime.values import Execution, Step
from db.store import Store
from db.tables import StepChild, table_of
from tests.api import Api
from tests.contract.fold import fold, shown
from tests.contract.tables import EXECUTIONS, JOURNAL, STEPS, change_of, rows_of

JSON = dict[str, Any]
LINKS = table_of(StepChild)
ENDED = (ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.CANCELLED)
TASKS = ("sys.task", "human.form", "human.confirm")


async def publish(store: Store, tenant: str, *definitions: JSON) -> None:
    """Templates whose keys are their definitions' ids, active at once; children before their parents."""
    api = Api(store, tenant)
    for raw in definitions:
        await api.publish(raw, key=raw["id"])


async def create(
    store: Store, tenant: str, key: str, count: int = 1, *, context: JSON | None = None, start: bool = True
) -> list[str]:
    """The ids of new root executions."""
    new = NewExecution(workflow_template_key=key, context=context, start=start)
    made = [create_workflow_execution(store, Actor(tenant), new) for _ in range(count)]
    return [committed.execution_id for committed in await asyncio.gather(*made)]


async def outcome(command: Awaitable[Any]) -> Any:
    """What a command returns, or its refusal; anything else is a failure of the test."""
    try:
        return await command
    except Refusal as refusal:
        return refusal


@dataclass
class Rows:
    """All rows of a tenant, by what they belong to."""

    executions: dict[str, JSON] = field(default_factory=dict)
    # All attempts by id, and the current ones by execution and step id.
    attempts: dict[str, JSON] = field(default_factory=dict)
    current: dict[str, dict[str, JSON]] = field(default_factory=lambda: defaultdict(dict))
    journal: dict[str, list[JSON]] = field(default_factory=lambda: defaultdict(list))
    # The ids of an attempt's children, in index order.
    links: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def step(self, execution_id: str, step_id: str) -> JSON:
        """The current attempt at a step."""
        return self.current[execution_id][step_id]

    def children(self, execution_id: str, step_id: str) -> list[JSON]:
        """What the current attempt at a step lists, in index order."""
        return [self.executions[id_] for id_ in self.links[self.step(execution_id, step_id)["id"]]]

    def kinds(self, root_id: str, kind: str) -> list[JSON]:
        """The changes of one kind in a tree."""
        return [row for row in self.journal[root_id] if row["kind"] == kind]


async def read(store: Store, tenant: str, *, journal: bool = True) -> Rows:
    """The rows as they are now, with or without the journal."""
    executions, attempts, links = [
        await rows_of(store.database, table, tenant) for table in (EXECUTIONS, STEPS, LINKS)
    ]
    rows = Rows({row["id"]: row for row in executions})
    for row in sorted(attempts, key=itemgetter("position")):
        rows.attempts[row["id"]] = row
        if row["is_current"]:
            rows.current[row["execution_id"]][row["step_id"]] = row
    for row in sorted(links, key=itemgetter("child_index")):
        rows.links[row["step_execution_id"]].append(row["child_id"])
    if journal:
        changes = await rows_of(store.database, JOURNAL, tenant)
        for row in sorted(changes, key=itemgetter("revision")):
            rows.journal[row["root_id"]].append(row)
    return rows


def assert_whole(rows: Rows) -> None:
    """What holds after any commands: dense journals that fold to the rows (J1, J2), and what `assert_rests` says."""
    assert_rests(rows)
    members = defaultdict(list)
    for execution in rows.executions.values():
        members[execution["root_id"]].append(execution)
    for root_id, tree in members.items():
        _assert_journal(rows, rows.executions[root_id], tree)


def assert_rests(rows: Rows) -> None:
    """Nothing is in progress in what has ended (S6), and every step knows for how many children it waits."""
    for attempt in rows.attempts.values():
        _assert_rests(rows, attempt)


def _assert_journal(rows: Rows, root: JSON, members: list[JSON]) -> None:
    journal = rows.journal[root["id"]]
    assert [row["revision"] for row in journal] == list(range(1, root["tree_revision"] + 1))
    assert root["tree_size"] == len(members), "C4: the size of the tree"
    folded = fold(change_of(row) for row in journal)
    assert folded == {each["id"]: _shown(rows, each) for each in members}


def _shown(rows: Rows, execution: JSON) -> JSON:
    whole = Execution(**{name: execution[name] for name in Execution._fields})
    steps = [
        step_image(Step(**{name: step[name] for name in Step._fields}))
        for step in rows.current[execution["id"]].values()
    ]
    return shown(execution_image(whole) | {"context": execution["context"], "item": execution["item"]}, steps)


def _assert_rests(rows: Rows, attempt: JSON) -> None:
    """A sub-workflow step is in progress exactly while a child that it lists has not ended."""
    in_progress = attempt["status"] is StepStatus.IN_PROGRESS
    execution = rows.executions[attempt["execution_id"]]
    assert not in_progress or execution["runtime_status"] is ExecutionStatus.IN_PROGRESS
    assert not in_progress or attempt["is_current"]
    if not in_progress or attempt["type"] != "sys.sub_workflow":
        assert attempt["open_children"] is None
        return
    listed = [rows.executions[child]["runtime_status"] for child in rows.links[attempt["id"]]]
    assert attempt["open_children"] == len([each for each in listed if each not in ENDED]) > 0


async def drive_to_the_end(stores: Sequence[Store], tenant: str) -> Rows:
    """Complete all that waits and retry all that failed until nothing is left; every tree must come to its end."""
    actor = Actor(tenant)
    while True:
        rows = await read(stores[0], tenant, journal=False)
        for command, ids in _ways_on(rows):
            given = [outcome(command(stores[n % len(stores)], actor, id_, None)) for n, id_ in enumerate(ids)]
            if any(isinstance(each, Committed) for each in await asyncio.gather(*given)):
                break
        else:
            break
    rows = await read(stores[0], tenant)
    assert_whole(rows)
    statuses = {row["runtime_status"] for row in rows.executions.values() if row["parent_id"] is None}
    assert statuses <= {ExecutionStatus.COMPLETED, ExecutionStatus.CANCELLED}
    return rows


def _ways_on(rows: Rows) -> list[tuple[Any, list[str]]]:
    """Commands and what to give them to; the later ones where the earlier ones came to nothing."""
    now = [step for steps in rows.current.values() for step in steps.values()]
    tasks = [step for step in now if step["type"] in TASKS]
    failed = [step["id"] for step in now if step["status"] is StepStatus.FAILED]
    return [
        (commands.complete_step, [each["id"] for each in tasks if each["status"] is StepStatus.IN_PROGRESS]),
        (commands.retry_step, [id_ for id_ in failed if rows.attempts[id_]["type"] in TASKS]),
        (commands.retry_step, failed),
    ]
