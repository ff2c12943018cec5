"""One tree of children of children: commands by where a step is, and the rows as they are now."""

from db.commands.execution import cancel_workflow_execution
from db.commands.outcome import Actor
from db.commands.step import complete_step, disable_step, fail_step, retry_step
from db.store import Store
from tests.contract.graphs import JOIN, JSON, PARALLEL, TASK, batch, graph
from tests.contract.trees import Rows, assert_whole, create, publish, read

# Children by the items of the context; of two by two; and a task beside those.
PARENT = graph("parent", {"children": batch("child")}, "start children end")
MIDDLE = graph("middle", {"children": batch("child", "[1, 2]")}, "start children end")
TOP = graph(
    "top",
    {"both": PARALLEL, "middle": batch("middle", "[1, 2]"), "beside": TASK, "join": JOIN},
    "start both middle join end",
    "both beside join",
)
ITEMS: JSON = {"items": [1, 2, 3]}


class Tree:
    """One tree: commands by where its steps are, and its rows as they are now."""

    def __init__(self, store: Store, tenant: str, root: str, rows: Rows) -> None:
        self.store, self.actor, self.root, self.rows = store, Actor(tenant), root, rows

    async def look(self) -> Rows:
        """The rows, with what must always hold of them."""
        self.rows = await read(self.store, self.actor.tenant)
        assert_whole(self.rows)
        return self.rows

    def execution(self, *way: int) -> JSON:
        """The root, or by indexes its child, its child's child, …: the newest child with that index."""
        found = self.rows.executions[self.root]
        for index in way:
            found = max(
                (
                    row
                    for row in self.rows.executions.values()
                    if (row["parent_id"], row["child_index"]) == (found["id"], index)
                ),
                key=lambda row: row["created_at"],
            )
        return found

    def step(self, step_id: str, *way: int) -> JSON:
        """The current attempt at a step of the root, or of what is below it."""
        return self.rows.step(self.execution(*way)["id"], step_id)

    def statuses(self, *way: int) -> list[str]:
        """How the newest children of an execution stand, by index."""
        parent = self.execution(*way)["id"]
        indexes = {row["child_index"] for row in self.rows.executions.values() if row["parent_id"] == parent}
        return [self.execution(*way, index)["runtime_status"].name for index in sorted(indexes)]

    async def complete(self, step_id: str, *way: int) -> None:
        await complete_step(self.store, self.actor, self.step(step_id, *way)["id"], None)
        await self.look()

    async def fail(self, step_id: str, *way: int) -> None:
        await fail_step(self.store, self.actor, self.step(step_id, *way)["id"], None, "It broke.")
        await self.look()

    async def retry(self, step_id: str, *way: int) -> None:
        await retry_step(self.store, self.actor, self.step(step_id, *way)["id"], None)
        await self.look()

    async def disable(self, step_id: str, *way: int) -> None:
        await disable_step(self.store, self.actor, self.step(step_id, *way)["id"], None)
        await self.look()

    async def cancel(self, *way: int) -> None:
        await cancel_workflow_execution(self.store, self.actor, self.execution(*way)["id"], None)
        await self.look()


async def grown(store: Store, tenant: str, *definitions: JSON, context: JSON | None = ITEMS) -> Tree:
    """A new execution of the last of these definitions."""
    await publish(store, tenant, *definitions)
    (root,) = await create(store, tenant, definitions[-1]["id"], context=context)
    tree = Tree(store, tenant, root, Rows())
    await tree.look()
    return tree
