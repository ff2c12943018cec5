"""Batches: what they cost whatever their size, and their bounds (`runtime.md` C1, C2, C4)."""

import asyncio
from collections import Counter
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest

from db.commands.execution import cancel_workflow_execution
from db.commands.outcome import Actor
from db.commands.step import complete_step
from db.commands.writing import MOST_ROWS
from db.requests import Ask, Request, Rest
from db.runtime.limits import Limits
from db.runtime.statuses import ExecutionStatus, StepStatus
from db.session import Conflict, Database
from db.store import Store
from tests.contract.graphs import CHILD, JSON, batch, expression, graph
from tests.contract.one_tree import ITEMS, MIDDLE, PARENT, TOP, Tree, grown
from tests.contract.trees import Rows, assert_whole, create, publish, read


class CountedDatabase:
    """A database that counts transactions, and what they ask of it; expressions are not its business."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.counts: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def transact(self, script: Generator[Request, Any, Any]) -> Any:
        self.counts["transactions"] += 1
        return await self._database.transact(self._counted(script))

    async def attempt(self, script: Generator[Request, Any, Any]) -> Any:
        self.counts["transactions"] += 1
        return await self._database.attempt(self._counted(script))

    def _counted(self, script: Generator[Request, Any, Any]) -> Generator[Request, Any, Any]:
        try:
            request = next(script)
            while True:
                if not isinstance(request, Ask | Rest):
                    self.counts["round trips"] += 1
                try:
                    answer = yield request
                except Conflict as conflict:
                    request = script.throw(conflict)
                else:
                    request = script.send(answer)
        except StopIteration as end:
            return end.value


async def cost_of(store: Store, tenant: str, size: int) -> dict[str, dict[str, int]]:
    """What the commands on a batch of this size ask of the database: to create, to complete one, to cancel the rest."""
    counted = CountedDatabase(store.database)
    through: Store = replace(store, database=counted)  # type: ignore[arg-type]  # a stand-in
    costs: dict[str, dict[str, int]] = {}
    (root,) = await create(through, tenant, "parent", context={"items": list(range(size))})
    costs["create"] = dict(counted.counts)
    rows = await read(store, tenant)
    children = rows.children(root, "children")
    counted.counts.clear()
    await complete_step(through, Actor(tenant), rows.step(children[0]["id"], "task")["id"], None)
    costs["complete"] = dict(counted.counts)
    counted.counts.clear()
    await cancel_workflow_execution(through, Actor(tenant), root, None)
    costs["cancel"] = dict(counted.counts)
    return costs


async def test_c1_a_batch_takes_a_statement_more_for_thousands_of_rows(store: Store, tenant: str) -> None:
    await publish(store, tenant, CHILD, PARENT)
    await create(store, tenant, "parent", context=ITEMS)  # Definitions are read once.
    small, large = await cost_of(store, tenant, 2), await cost_of(store, tenant, 1000)
    # Of a child: itself, three steps, its link, and what it and its steps have gone through.
    most = {"create": 1000 * 11 / MOST_ROWS, "complete": 0, "cancel": 1000 * 5 / MOST_ROWS}
    for command, costs in large.items():
        assert costs["transactions"] == small[command]["transactions"] == 1
        assert small[command]["round trips"] <= 6
        assert costs["round trips"] <= small[command]["round trips"] + most[command] + 2 * bool(most[command])
    assert_whole(await read(store, tenant))


async def test_c2_a_batch_of_a_thousand_completes(store: Store, tenant: str) -> None:
    tree = await grown(store, tenant, CHILD, PARENT, context={"items": list(range(1000))})
    tasks = [step["id"] for step in tree.rows.attempts.values() if step["step_id"] == "task"]
    assert len(tasks) == 1000
    await asyncio.gather(*(complete_step(store, tree.actor, id_, None) for id_ in tasks))
    await tree.look()
    assert tree.execution()["runtime_status"] is ExecutionStatus.COMPLETED
    children = tree.step("children")["output_data"]["children"]
    assert [each["context"] for each in children] == [{"item": index} for index in range(1000)]


def limited(store: Store, **limits: int) -> Store:
    return replace(store, limits=replace(Limits(), **limits))  # type: ignore[arg-type]  # all of these are numbers


def assert_bounded(tree: Tree, step: JSON, *named: int) -> None:
    """C4: the step has failed, its message names the number that it came to and the bound, and it has no children."""
    assert (step["status"], step["failure_code"]) == (StepStatus.FAILED, "LIMIT_EXCEEDED")
    for number in named:
        assert str(number) in step["failure_message"]
    assert tree.rows.links[step["id"]] == []


@pytest.mark.parametrize("bound", ["batch_items", "executions_per_tree", "executions_per_command"])
async def test_c4_a_step_that_would_pass_a_bound_fails_and_starts_nothing(
    store: Store, tenant: str, bound: str
) -> None:
    root = 0 if bound == "batch_items" else 1
    exact = await grown(limited(store, **{bound: 3 + root}), tenant, CHILD, PARENT)
    assert exact.step("children")["open_children"] == 3
    strict = limited(store, **{bound: 2 + root})
    (another,) = await create(strict, tenant, "parent", context=ITEMS)
    tree = Tree(strict, tenant, another, await exact.look())
    assert_bounded(tree, tree.step("children"), 3 + root, 2 + root)
    assert tree.execution()["runtime_status"] is ExecutionStatus.FAILED
    assert tree.execution()["tree_size"] == 1
    # A higher bound, and `retryStep` reads the items again, for there were no children (C5).
    tree.store = store
    await tree.retry("children")
    assert tree.step("children")["open_children"] == 3


async def test_c4_executions_nest_only_so_deep(store: Store, tenant: str) -> None:
    tree = await grown(limited(store, nesting_depth=1), tenant, CHILD, MIDDLE, TOP)
    assert tree.statuses() == ["FAILED", "FAILED"]
    for index in (0, 1):
        assert_bounded(tree, tree.step("children", index), 2, 1)
    deeper = await grown_again(limited(store, nesting_depth=2), tenant)
    assert deeper.statuses(0) == ["IN_PROGRESS", "IN_PROGRESS"]


async def grown_again(store: Store, tenant: str) -> Tree:
    """Another execution of what is published already."""
    (root,) = await create(store, tenant, "top")
    tree = Tree(store, tenant, root, Rows())
    await tree.look()
    return tree


@pytest.mark.parametrize("bound", ["executions_per_command", "executions_per_tree"])
@pytest.mark.parametrize("most", [3, 4, 5, 6, 7])
async def test_c4_children_of_children_count_too(store: Store, tenant: str, bound: str, most: int) -> None:
    """1 + 2 + 2 × 2 executions: what is created already counts, begun or not."""
    tree = await grown(limited(store, **{bound: most}), tenant, CHILD, MIDDLE, TOP)
    made = [row for row in tree.rows.executions.values() if row["root_id"] == tree.root]
    assert len(made) == {3: 3, 4: 3, 5: 5, 6: 5, 7: 7}[most]
    inner = [step for step in tree.rows.attempts.values() if step["step_id"] == "children"]
    failed = [step["failure_code"] for step in inner if step["status"] is StepStatus.FAILED]
    assert failed == ["LIMIT_EXCEEDED"] * {3: 2, 4: 2, 5: 1, 6: 1, 7: 0}[most]


async def test_c4_a_childs_context_has_a_bound(store: Store, tenant: str) -> None:
    bounded = limited(store, context_bytes=40)
    tree = await grown(bounded, tenant, CHILD, PARENT, context={"items": ["x" * 20]})
    assert tree.step("children")["open_children"] == 1
    double = graph(
        "double",
        {"children": batch("child", inputMapping=[mapping("item"), mapping("twice")])},
        "start children end",
    )
    tree = await grown(bounded, tenant, CHILD | {"id": "other"}, double, context={"items": ["x" * 20]})
    assert_bounded(tree, tree.step("children"), 40)


def mapping(target: str) -> JSON:
    return {"targetPath": target, "value": {"type": "expr", "expr": expression("__each__")}}


async def test_c2_a_result_that_would_pass_the_output_bound_leaves_contexts_and_outputs_out(
    store: Store, tenant: str
) -> None:
    for most, is_whole in ((100_000, True), (600, False)):
        tree = await grown_of(limited(store, output_bytes=most), tenant, most)
        output = tree.step("children")["output_data"]
        assert ("truncated" not in output) is is_whole
        assert all(("context" in each) is ("outputs" in each) is is_whole for each in output["children"])
        assert [each["runtimeStatus"] for each in output["children"]] == ["Completed"] * 3


async def grown_of(store: Store, tenant: str, most: int) -> Tree:
    """An execution whose children have all completed, of templates of its own."""
    child = CHILD | {"id": f"child-{most}"}
    parent = graph(f"parent-{most}", {"children": batch(child["id"])}, "start children end")
    tree = await grown(store, tenant, child, parent, context={"items": ["x" * 100] * 3})
    for index in range(3):
        await tree.complete("task", index)
    return tree
