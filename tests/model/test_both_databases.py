"""The same commands leave the same rows in memory, on SQLite and on PostgreSQL: ids and times apart.

What the databases add to the model is seen here: the statements, the types of columns, JSONata itself.
"""

import json
import random
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Table, bindparam, select

from db.commands import execution, step
from db.commands.candidates import Wanted
from db.commands.claiming import claim_steps
from db.commands.outcome import Actor
from db.commands.template import NewTemplate, create_workflow_template
from db.runtime.claims import ClaimTerms
from db.runtime.errors import NotFound, Refusal
from db.statements import Statement
from db.store import Store
from db.tables import Journal, StepChild, StepExecution, WorkflowExecution, table_of
from tests.model.commands import LEASE, WORKER, Command
from tests.model.memory import JSON, MemoryTree
from tests.model.random_definitions import random_library
from tests.model.walk import Walk

SEEDS = range(8)
LENGTH = 20
Rows = dict[str, list[dict[str, Any]]]

_ID = re.compile(r"(?:exec|step|tver)_\w+")
_REASON = re.compile(r"(?<=cannot be evaluated): .*", re.DOTALL)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")
# What only a database has, or only JSONata knows. An item is compared where it is linked.
_LEFT_OUT = {
    "workflow_execution": {"tenant", "tree_changed_at", "item"},
    "step_execution": {"tenant"},
    "step_child": {"tenant"},
    "journal": {"tenant", "position", "xid", "actor", "detail"},
}


# What two runs never have in common.
_UNLIKE = ("actor", "detail", "claim_token")


def _select(table: Table) -> tuple[list[str], Statement]:
    """A tenant's rows of a table, what is left out apart."""
    columns = [column for column in table.columns if column.name not in _LEFT_OUT[table.name]]
    tenant = table.c.tenant == bindparam("tenant")
    return [column.name for column in columns], Statement(select(*columns).where(tenant))


_ROWS = {
    name: _select(table_of(model))
    for name, model in (
        ("executions", WorkflowExecution),
        ("steps", StepExecution),
        ("links", StepChild),
        ("journal", Journal),
    )
}


class Replayed:
    """A walk's commands, given again over a database: rows are named by where they stand in the tree."""

    def __init__(self, store: Store, tenant: str) -> None:
        self.store = store
        self.actor = Actor(tenant)
        self.root_id = ""

    async def publish(self, raws: list[JSON]) -> None:
        versions: dict[str, str] = {}
        for raw in raws:
            text = _ID.sub(lambda match: versions.get(match[0], match[0]), json.dumps(raw))
            new = NewTemplate(
                raw["name"], raw["id"], definition=json.loads(text), publish=True, activate=True
            )
            made = await create_workflow_template(self.store, self.actor, new)
            versions[f"tver_{raw['id']}"] = made.version_id or ""

    async def create(self, context: JSON, *, start: bool) -> None:
        new = execution.NewExecution(
            workflow_template_key="root", correlation_id="correlation", context=context, start=start
        )
        self.root_id = (await execution.create_workflow_execution(self.store, self.actor, new)).root_id

    async def give(self, command: Command, target: str) -> bool:
        """Returns whether it was carried out."""
        rows = await self.rows()
        ids = {name: key for key, name in names(rows).items()}
        given = (self.store, self.actor, ids[target])
        token = next((each["claim_token"] for each in rows["steps"] if each["id"] == ids[target]), None)
        try:
            await {
                "start": lambda: execution.start_workflow_execution(*given),
                "cancel": lambda: execution.cancel_workflow_execution(*given, None),
                "update_context": lambda: execution.update_workflow_context(*given, command.payload),
                "complete": lambda: step.complete_step(*given, command.payload, token=token),
                "fail": lambda: step.fail_step(*given, "BROKEN", "It broke.", token=token),
                "claim": lambda: self.claim(ids[target]),
                "release": lambda: step.release_step(*given, None, None),
                "retry": lambda: step.retry_step(*given, None),
                "disable": lambda: step.disable_step(*given, None),
                "enable": lambda: step.enable_step(*given, None),
            }[command.kind]()
        except Refusal:
            return False
        return True

    async def claim(self, step_id: str) -> None:
        """Claiming is not refused: it comes to nothing."""
        wanted, terms = Wanted(ids=(step_id,)), ClaimTerms(WORKER, LEASE)
        if not (await claim_steps(self.store, self.actor, wanted, 1, terms)).claimed:
            raise NotFound(step_id)

    async def rows(self) -> Rows:
        values = {"tenant": self.actor.tenant}
        found: Rows = {}
        for name, (columns, statement) in _ROWS.items():
            rows = await self.store.database.rows(statement, values)
            found[name] = [dict(zip(columns, row, strict=True)) for row in rows]
        return found


def memory_rows(tree: MemoryTree) -> Rows:
    """The model's rows as the tables have them."""
    executions = []
    for each in tree.executions.values():
        root = each.id == tree.root_id
        of_tree = {"tree_revision": len(tree.journal), "tree_size": tree.size} if root else {}
        data = {"context": tree.context(each.id), "tree_revision": None, "tree_size": None}
        executions.append({**each._asdict(), **data, **of_tree})
    steps = [
        {**each._asdict(), "root_id": tree.root_id, "output_data": tree.output(each.id)}
        for each in tree.steps.values()
    ]
    links = [
        {"step_execution_id": attempt, "child_index": index, "item": item, "child_id": child}
        for attempt, found in tree.links.items()
        for index, (item, child) in found.items()
    ]
    return {
        "executions": executions,
        "steps": steps,
        "links": links,
        "journal": [{**asdict(each), "root_id": tree.root_id} for each in tree.journal],
    }


def names(rows: Rows) -> dict[str, str]:
    """A name for every id: a child's is made of its parent's, its step, attempt and index."""
    attempts = {each["id"]: each for each in rows["steps"]}
    first: dict[str, tuple[Mapping[str, Any], int]] = {}
    for link in sorted(rows["links"], key=lambda link: attempts[link["step_execution_id"]]["attempt"]):
        first.setdefault(link["child_id"], (attempts[link["step_execution_id"]], link["child_index"]))
    found: dict[str, str] = {}
    for each in sorted(rows["executions"], key=lambda each: each["depth"]):
        if each["id"] in first:
            starter, index = first[each["id"]]
            found[each["id"]] = (
                f"{found[starter['execution_id']]}/{starter['step_id']}#{starter['attempt']}[{index}]"
            )
        else:
            found[each["id"]] = "root"
    for attempt in attempts.values():
        found[attempt["id"]] = f"{found[attempt['execution_id']]}:{attempt['step_id']}#{attempt['attempt']}"
    return found


def normalised(rows: Rows) -> dict[str, list[str]]:
    """Rows as text that depends on no id, no time and no order of rows."""
    known = {**names(rows), **{each["version_id"]: "version" for each in rows["executions"]}}

    def spelt(value: Any) -> Any:
        if isinstance(value, datetime):
            return "T"
        if isinstance(value, str):
            return _REASON.sub(
                "", _TIME.sub("T", _ID.sub(lambda match: known.get(match[0], match[0]), value))
            )
        if isinstance(value, dict):
            return {key: spelt(each) for key, each in value.items()}
        return [spelt(each) for each in value] if isinstance(value, list | tuple) else value

    return {
        table: sorted(
            json.dumps(
                {key: spelt(each) for key, each in row.items() if key not in _UNLIKE},
                sort_keys=True,
            )
            for row in found
        )
        for table, found in rows.items()
    }


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_same_commands_leave_the_same_rows(seed: int, store: Store, tenant: str) -> None:
    choose = random.Random(seed).randrange  # noqa: S311 – the same for the same seed
    walk = Walk(choose, random_library(choose))
    replayed = Replayed(Store(store.database, limits=walk.tree.limits), tenant)
    await replayed.publish(walk.raws)
    await replayed.create(walk.context, start=walk.is_started)
    for _ in range(LENGTH):
        name = names(memory_rows(walk.tree))
        walk.step()
        command = walk.commands[-1]
        carried_out = await replayed.give(command, name[command.target])
        assert carried_out == walk.was_carried_out
    stored, modelled = normalised(await replayed.rows()), normalised(memory_rows(walk.tree))
    for table in stored:
        assert set(stored[table]) ^ set(modelled[table]) == set()
        assert len(stored[table]) == len(modelled[table])
