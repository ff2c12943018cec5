"""Histories to look back on: random lives of trees, and after every command what the API showed of the whole tree."""

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

from graphql import get_named_type, is_leaf_type

from db.commands.due import DueTree, handle_due
from db.commands.outcome import Actor
from db.commands.step import complete_step, set_step_due_date
from db.store import Store
from tests.api import Api
from tests.contract.claims import ONE, claimed, let_pass
from tests.model.random_definitions import random_library
from tests.model.test_both_databases import Replayed, memory_rows, names
from tests.model.walk import Walk
from tests.schema.lives import Life
from tests.schema.paths import object_type
from tests.schema.random_definitions import Child, random_definition
from tests.schema.random_values import random_context

Shown = dict[str, Any]


def leaves(type_name: str) -> str:
    """Every leaf of a type."""
    fields = object_type(type_name).fields.items()
    return " ".join(name for name, field in fields if is_leaf_type(get_named_type(field.type)))


STEP = f"""
  {leaves("WorkflowStepExecution")} failure {{ {leaves("Failure")} }} claim {{ {leaves("Claim")} }}
  workflowExecution {{ id revision }}
  childProgress {{ {leaves("ExecutionProgress")} }} childWorkflowExecutions(first: 500) {{ id runtimeStatus }}
"""
EXECUTION = f"""
  changes(first: 500) {{ totalCount nodes {{
    {leaves("Change")} workflowExecution {{ id revision }} step {{ id revision }}
  }} }}
  {leaves("WorkflowExecution")} failure {{ {leaves("Failure")} }} progress {{ {leaves("StepProgress")} }}
  parentWorkflowExecution {{ id revision }} rootWorkflowExecution {{ id treeRevision }} parentStep {{ id status }}
  steps {{ {STEP} attempts {{ {STEP} }} }}
  childWorkflowExecutions(first: 500) {{ totalCount nodes {{ id }} }}
"""
WHOLE = f"""
  query ($id: ID!, $asOf: Int) {{ workflowExecution(id: $id, asOf: $asOf) {{
    ...E descendantWorkflowExecutions(first: 500) {{ totalCount nodes {{ ...E }} }}
  }} }}
  fragment E on WorkflowExecution {{ {EXECUTION} }}
"""


class History:
    """What was shown of a tree, by its revision."""

    def __init__(self, api: Api, root_id: str) -> None:
        self.api = api
        self.root_id = root_id
        self.shown: dict[int, Shown] = {}

    async def record(self) -> None:
        """Note what is shown now."""
        now = await self.look(None)
        self.shown[now["treeRevision"]] = now

    async def look(self, revision: int | None, execution_id: str | None = None) -> Shown:
        """The whole tree, or what is below an execution, at a revision or now."""
        given = {"id": execution_id or self.root_id, "asOf": revision}
        found: Shown = (await self.api.data(WHOLE, **given))["workflowExecution"]
        return found

    @property
    def last(self) -> Shown:
        """What is shown at last."""
        return self.shown[max(self.shown)]


async def walked(store: Store, tenant: str, seed: int, length: int) -> History:
    """A tree of the model's libraries: splits, joins, loops, and bounds that are soon met."""
    choose = Random(seed).randrange  # noqa: S311  # the same for the same seed
    walk = Walk(choose, random_library(choose))
    replayed = Replayed(Store(store.database, limits=walk.tree.limits), tenant)
    await replayed.publish(walk.raws)
    await replayed.create(walk.context, start=walk.is_started)
    history = History(Api(store, tenant), replayed.root_id)
    await history.record()
    for _ in range(length):
        name = names(memory_rows(walk.tree))
        walk.step()
        command = walk.commands[-1]
        await replayed.give(command, name[command.target])
        await history.record()
    return history


async def lived(api: Api, seed: int, length: int) -> History:
    """A tree of batches in batches, with contexts and outputs of every kind of JSON."""
    random = Random(seed)  # noqa: S311  # the same for the same seed
    children: list[Child] = []
    for number in range(3):
        key = f"key-{number}"
        await api.publish(random_definition(random, key, children[-2:]), key=key)
        children.append(Child(key, ()))
    root = await api.start(children[-1].key, context=random_context(random))
    history = History(api, root["id"])
    await history.record()
    life = Life(api, random, root["id"])
    for _ in range(length):
        await life.live(1)
        await history.record()
    return history


async def worked(api: Api) -> History:
    """A task that passes from hand to hand, and is done too late."""
    await api.publish(ONE, key="one")
    root = await api.start("one")
    step = next(each["id"] for each in root["steps"] if each["stepId"] == "task")
    history, store, tenant = History(api, root["id"]), api.store, api.context.tenant
    await history.record()
    await claimed(store, tenant, "ann")
    await history.record()
    await let_pass(store, step)
    await handle_due(store, DueTree(root["id"], tenant, (root["id"],)))
    await history.record()
    (held,) = await claimed(store, tenant, "ben", lease=None)
    await history.record()
    await set_step_due_date(store, Actor(tenant), step, datetime(2024, 5, 1, tzinfo=UTC))
    await history.record()
    await handle_due(store, DueTree(root["id"], tenant, (root["id"],)))
    await history.record()
    await complete_step(store, Actor(tenant), step, {}, token=held["claim_token"])
    await history.record()
    return history


def executions(shown: Shown) -> Sequence[Shown]:
    """The root and everything below it, each without its descendants."""
    root = {key: value for key, value in shown.items() if key != "descendantWorkflowExecutions"}
    return [root, *shown["descendantWorkflowExecutions"]["nodes"]]
