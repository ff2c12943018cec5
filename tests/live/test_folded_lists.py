"""Live lists over both databases: folding what is told gives what the query answers (`live.md` H6)."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from db.store import Store
from server.live.feed import FeedTiming
from server.operations.operations import OperationRefused
from tests.api import Api, definition
from tests.live.brokers import RedisServer
from tests.live.processes import Process, WatchedList, entries_of, process, processes, subscription
from tests.schema.lives import Life
from tests.schema.random_values import random_context
from tests.schema.tree_samples import CHECK, children_step, do, sequence, started, step_id_of

EXECUTION = "id name runtimeStatus revision lastActivityAt context progress { total completed failed } steps { status }"
STEP = "id stepId status attempt revision startedAt outputData failure { code }"
AROUND = f"{STEP} attempts {{ id status }} workflowExecution {{ runtimeStatus context revision steps {{ status }} }}"
TREE = f"{EXECUTION} treeRevision rootWorkflowExecution {{ runtimeStatus }}"
TREE_OF_STEP = f"{STEP} childProgress {{ total completed failed }} workflowExecution {{ treeRevision }}"
LISTS: list[tuple[str, str, dict[str, Any]]] = [
    ("workflowExecutions", EXECUTION, {}),
    ("workflowExecutions", TREE, {"first": 3}),
    (
        "workflowExecutions",
        EXECUTION,
        {
            "first": 4,
            "where": {"runtimeStatus": {"eq": "IN_PROGRESS"}},
            "orderBy": [{"field": "LAST_ACTIVITY_AT", "direction": "DESC"}],
        },
    ),
    (
        "workflowExecutions",
        EXECUTION,
        {
            "where": {"step": {"status": {"in": ["FAILED", "DISABLED"]}}},
            "orderBy": [{"field": "NAME", "direction": "ASC"}],
        },
    ),
    ("workflowExecutions", TREE, {"where": {"isRoot": True, "not": {"completedAt": {"isNull": True}}}}),
    ("workflowExecutions", "name", {"first": 0}),
    ("workflowStepExecutions", STEP, {"first": 500}),
    ("workflowStepExecutions", AROUND, {"first": 300}),
    ("workflowStepExecutions", AROUND, {"first": 5, "where": {"status": {"eq": "IN_PROGRESS"}}}),
    (
        "workflowStepExecutions",
        STEP,
        {
            "first": 6,
            "where": {"workflowExecution": {"runtimeStatus": {"eq": "IN_PROGRESS"}}},
            "orderBy": [{"field": "STARTED_AT", "direction": "DESC"}],
        },
    ),
    ("workflowStepExecutions", TREE_OF_STEP, {"where": {"type": {"eq": "SYS_SUB_WORKFLOW"}}}),
]
UPDATE_CONTEXT = """
  mutation ($input: UpdateWorkflowContextInput!) { updateWorkflowContext(input: $input) { __typename } }
"""
NO_SWEEP = FeedTiming(sweep=3600.0, poll=3600.0)
NO_TICK = 0.0


async def publish(api: Api) -> None:
    """A template whose executions run children, and theirs."""
    await api.publish(sequence("child", CHECK, CHECK | {"id": "again"}), key="child")
    raw = sequence("parent", CHECK, children_step("BATCH"), CHECK | {"id": "last"})
    await api.publish(raw, key="parent")


async def begin(api: Api, random: Random) -> Life:
    """An execution to be lived through."""
    items = [random.randint(0, 9) for _ in range(random.randint(0, 3))]
    name = random.choice(("one", "two", "three", "four"))
    context = {**random_context(random), "items": items}
    made = await api.start("parent", name=name, context=context)
    return Life(api, random, made["id"])


async def live(apis: list[Api], seed: int, commands: int) -> None:
    """So many random commands on a few trees, more of which begin on the way."""
    random = Random(seed)  # noqa: S311  # the same life each time
    lives = [await begin(random.choice(apis), random) for _ in range(3)]
    for _ in range(commands // 3):
        if random.random() < 0.1:
            lives.append(await begin(random.choice(apis), random))
        await random.choice(lives).live(3)
        if random.random() < 0.05:
            await lives.pop(0).cancel()
            lives.append(await begin(random.choice(apis), random))


async def watch_all(stack: AsyncExitStack, home: Process) -> list[WatchedList]:
    return [
        await stack.enter_async_context(home.watched(field, shown, **arguments))
        for field, shown, arguments in LISTS
    ]


async def test_h6_whatever_happens_folding_the_events_gives_what_the_query_answers(
    store: Store, tenant: str
) -> None:
    async with process(store, tenant, timing=NO_SWEEP) as home:
        await publish(home.api)
        await live([home.api], seed=1, commands=20)
        async with AsyncExitStack() as stack:
            watched = await watch_all(stack, home)
            for seed in range(2, 6):
                await live([home.api], seed, commands=60)
                for each in watched:
                    await each.until_it_is_as_the_query_says()
            told = {entry["kind"] for each in watched for event in each.events for entry in event}
            assert told == {"INITIAL", "ENTER", "UPDATE", "LEAVE"}
        assert (len(home.lists), len(home.subscriptions)) == (0, 0)


@pytest.mark.redis
async def test_h6_two_processes_tell_each_other(store: Store, tenant: str, redis_server: RedisServer) -> None:
    async with processes(store, tenant, redis_server.url, redis_server.url) as (one, other):
        await publish(one.api)
        async with AsyncExitStack() as stack:
            watched = [*await watch_all(stack, one), *await watch_all(stack, other)]
            for seed in range(2):
                await live([one.api, other.api], seed, commands=45)
                for each in watched:
                    await each.until_it_is_as_the_query_says()


async def test_b3_a_change_whose_ring_was_lost_is_found_by_the_sweep(store: Store, tenant: str) -> None:
    timing = FeedTiming(sweep=0.05)
    async with process(store, tenant, timing=timing) as home:
        await publish(home.api)
        home.announce_nothing()
        async with AsyncExitStack() as stack:
            watched = await watch_all(stack, home)
            for seed in range(2):
                await live([home.api], seed, commands=45)
                for each in watched:
                    await each.until_it_is_as_the_query_says()


async def verified(api: Api) -> None:
    await api.publish(definition("verify"), key="verify")


async def next_entries(stream: Any, field: str = "workflowExecutions") -> list[dict[str, Any]]:
    async with asyncio.timeout(30):
        return entries_of((await anext(stream)).text, field)


async def test_h6_an_empty_page_begins_with_an_event_without_entries(store: Store, tenant: str) -> None:
    async with (
        process(store, tenant, timing=NO_SWEEP) as home,
        home.subscribed(subscription("workflowExecutions", "name")) as stream,
    ):
        assert await next_entries(stream) == []
        await verified(home.api)
        made = await home.api.start("verify", name="Ann")
        (entry,) = await next_entries(stream)
        assert entry == {
            "kind": "ENTER",
            "id": made["id"],
            "index": 0,
            "revision": made["revision"],
            "workflowExecution": {"name": "Ann"},
        }


async def test_h6_two_hundred_subscribers_cost_one_page_and_one_projection_for_a_change(
    store: Store, tenant: str
) -> None:
    async with process(store, tenant, timing=NO_SWEEP) as home, AsyncExitStack() as stack:
        await verified(home.api)
        text = subscription("workflowExecutions", "name")
        streams = [await stack.enter_async_context(home.subscribed(text)) for _ in range(200)]
        assert await asyncio.gather(*map(next_entries, streams)) == [[]] * 200
        assert len(home.lists) == 1
        home.api.database.statements.clear()
        await home.api.start("verify", name="Ann")
        home_statements = home.api.database.statements
        told = await asyncio.gather(*map(next_entries, streams))
        assert {entries[0]["workflowExecution"]["name"] for entries in told} == {"Ann"}
        pages = [text for text in home_statements if "'rows'" in text or 'as "rows"' in text]
        shown = [text for text in home_statements if "LEAVE" in text]
        assert (len(pages), len(shown)) == (1, 1)


async def test_h6_a_change_that_no_row_of_a_list_has_to_do_with_costs_it_no_page(
    store: Store, tenant: str
) -> None:
    async with process(store, tenant, timing=NO_SWEEP, tick=NO_TICK) as home:
        await verified(home.api)
        text = subscription("workflowExecutions", "name")
        named = [{"where": {"name": {"eq": name}}} for name in ("Ann", "Bob")]
        async with home.subscribed(text, **named[0]) as ann, home.subscribed(text, **named[1]) as bob:
            assert [await next_entries(ann), await next_entries(bob)] == [[], []]
            assert len(home.lists) == 2
            home.api.database.statements.clear()
            for _ in range(3):
                await home.api.start("verify", name="Bob")
                assert [entry["kind"] for entry in await next_entries(bob)] == ["ENTER"]
            pages = [text for text in home.api.database.statements if "'rows'" in text or 'as "rows"' in text]
            assert len(pages) == 3


async def test_h6_a_slow_reader_gets_one_difference_of_at_most_a_page(store: Store, tenant: str) -> None:
    async with process(store, tenant, timing=NO_SWEEP) as home:
        await publish(home.api)
        shown, arguments = EXECUTION, {"first": 3}
        text = subscription("workflowExecutions", shown)
        async with (
            home.watched("workflowExecutions", shown, **arguments) as fast,
            home.subscribed(text, **arguments) as slow_stream,
        ):
            slow = WatchedList(home.api, slow_stream, "workflowExecutions", shown, arguments)
            slow.take(await next_entries(slow_stream))
            await live([home.api], seed=3, commands=60)
            await fast.until_it_is_as_the_query_says()
            slow.take(await next_entries(slow_stream))
            assert slow.nodes == await slow.answer()
            assert len(slow.events[1]) <= 2 * 3
            assert len(fast.events) > 2


async def test_h6_who_comes_back_begins_with_the_page(store: Store, tenant: str) -> None:
    async with process(store, tenant, timing=NO_SWEEP) as home:
        await verified(home.api)
        text = subscription("workflowExecutions", "name")
        for count in range(3):
            async with home.subscribed(text) as stream:
                assert [entry["kind"] for entry in await next_entries(stream)] == ["INITIAL"] * count
            await home.api.start("verify")


async def test_h6_who_comes_later_is_shown_what_is_now_though_no_row_has_changed(
    store: Store, tenant: str
) -> None:
    """The template's name is not the execution's: nothing tells of a change of it, but whoever comes is to see it."""
    async with process(store, tenant, timing=NO_SWEEP) as home:
        template = await home.api.publish(definition("verify"), key="verify")
        await home.api.start("verify")
        shown = "workflowTemplateVersion { workflowTemplate { name } }"
        text = subscription("workflowExecutions", shown)
        names = []
        async with home.subscribed(text) as first:
            names.append(await next_entries(first))
            await home.api.data(
                "mutation ($input: UpdateWorkflowTemplateInput!) { updateWorkflowTemplate(input: $input) { __typename } }",
                input={"id": template["id"], "name": "Anew"},
            )
            async with home.subscribed(text) as second:
                names.append(await next_entries(second))
        (before,), (after,) = names
        assert after["workflowExecution"]["workflowTemplateVersion"]["workflowTemplate"]["name"] == "Anew"
        assert before["workflowExecution"] != after["workflowExecution"]


async def test_h6_a_row_that_shows_its_tree_is_told_anew_when_anything_in_that_changes(
    store: Store, tenant: str
) -> None:
    async with process(store, tenant, timing=NO_SWEEP) as home:
        root = await started(home.api, sequence("child", CHECK), sequence("parent", children_step()))
        where = {"where": {"isRoot": True}}
        tree = subscription(
            "workflowExecutions", "treeRevision descendantWorkflowExecutions { nodes { runtimeStatus } }"
        )
        own = subscription("workflowExecutions", "id runtimeStatus")
        async with home.subscribed(tree, **where) as far, home.subscribed(own, **where) as near:
            (initial,) = await next_entries(far)
            assert [entry["id"] for entry in await next_entries(near)] == [root]
            (child,) = (
                await home.api.data(
                    "query ($id: ID!) { workflowExecution(id: $id) { childWorkflowExecutions { nodes { id } } } }",
                    id=root,
                )
            )["workflowExecution"]["childWorkflowExecutions"]["nodes"]
            await home.api.data(
                UPDATE_CONTEXT,
                input={"id": child["id"], "patch": {"a": 1}},
            )
            (entry,) = await next_entries(far)
            assert (entry["kind"], entry["id"], entry["revision"]) == ("UPDATE", root, initial["revision"])
            assert (
                entry["workflowExecution"]["treeRevision"] == initial["workflowExecution"]["treeRevision"] + 1
            )
            # To the other nothing was told of that: the next it hears of is the root's own change.
            await do(home.api, "completeStep", id=await step_id_of(home.api, child["id"], "check"))
            (entry,) = await next_entries(near)
            assert entry["workflowExecution"] == {"id": root, "runtimeStatus": "COMPLETED"}


async def test_h6_a_step_that_shows_its_execution_is_told_anew_when_that_changes(
    store: Store, tenant: str
) -> None:
    async with process(store, tenant, timing=NO_SWEEP) as home:
        root = await started(home.api, sequence("two", CHECK, CHECK | {"id": "again"}))
        where = {"where": {"status": {"eq": "IN_PROGRESS"}}}
        around = subscription("workflowStepExecutions", "stepId workflowExecution { context }")
        own = subscription("workflowStepExecutions", "stepId")
        async with home.subscribed(around, **where) as far, home.subscribed(own, **where) as near:
            (initial,) = await next_entries(far, "workflowStepExecutions")
            assert await next_entries(near, "workflowStepExecutions") != []
            await home.api.data(UPDATE_CONTEXT, input={"id": root, "patch": {"a": 1}})
            (entry,) = await next_entries(far, "workflowStepExecutions")
            assert entry == {
                **initial,
                "kind": "UPDATE",
                "step": {"stepId": "check", "workflowExecution": {"context": {"a": 1}}},
            }
            # To the other nothing was told of that.
            await do(home.api, "completeStep", id=await step_id_of(home.api, root, "check"))
            told = await next_entries(near, "workflowStepExecutions")
            assert [(each["kind"], each["step"]) for each in told] == [
                ("LEAVE", None),
                ("ENTER", {"stepId": "again"}),
            ]


async def test_tenants_see_and_hear_nothing_of_each_other(store: Store, tenant: str) -> None:
    async with process(store, tenant, timing=NO_SWEEP, tick=NO_TICK) as home:
        await verified(home.api)
        other = Process(store, f"{tenant}-other", "memory://", NO_SWEEP, NO_TICK)
        shared = home.api.context
        other.api.context = replace(
            other.api.context, feed=shared.feed, lists=shared.lists, announcer=shared.announcer
        )
        await verified(other.api)
        text = subscription("workflowExecutions", "name")
        async with home.subscribed(text) as mine, other.subscribed(text) as theirs:
            assert [await next_entries(mine), await next_entries(theirs)] == [[], []]
            await other.api.start("verify", name="Theirs")
            assert [each["workflowExecution"] for each in await next_entries(theirs)] == [{"name": "Theirs"}]
            await home.api.start("verify", name="Mine")
            assert [each["workflowExecution"] for each in await next_entries(mine)] == [{"name": "Mine"}]


@pytest.mark.parametrize(
    "given",
    [
        {"first": 501},
        {"first": -1},
        {"where": {"not": {"not": {"not": {"not": {"id": {"eq": "x"}}}}}}},
        {"where": {"name": {"eq": "a\0b"}}},
        {"where": {"context": [{"path": "$[", "eq": 1}]}},
        {"where": {"context": [{"path": "a", "eq": {"b": 1}}]}},
        {"where": {"id": {"in": ["x"] * 501}}},
    ],
    ids=str,
)
async def test_what_the_query_refuses_is_refused_at_the_start_with_the_same_words(
    store: Store, tenant: str, given: dict[str, Any]
) -> None:
    async with process(store, tenant, timing=NO_SWEEP) as home:
        text = subscription("workflowExecutions", "id")
        async with home.subscribed(text, **given) as stream:
            with pytest.raises(OperationRefused) as refusal:
                await anext(stream)
        query = text.replace("subscription", "query", 1).partition("entries")[0] + "nodes { id } } }"
        (error,) = (await home.api.run(query, given))["errors"]
        assert [(each["message"], each["extensions"]) for each in refusal.value.errors] == [
            (error["message"], error["extensions"])
        ]
        assert len(home.lists) == 0


async def test_arguments_given_by_variables_within_them_are_taken_as_the_query_takes_them(
    store: Store, tenant: str
) -> None:
    async with process(store, tenant, timing=NO_SWEEP) as home:
        await verified(home.api)
        for number in range(3):
            await home.api.start("verify", name=f"n{number}", context={"number": number, "customerId": "c"})
        text = """
          subscription ($path: String! = "number", $value: JSON!, $way: OrderDirection!, $name: String, $first: Int = 2) {
            workflowExecutions(
              first: $first
              where: {or: [{context: [{path: $path, in: [$value, 9]}]}, {name: {eq: $name}}]}
              orderBy: [{field: NAME, direction: $way}]
            ) { entries { workflowExecution { name } } }
          }
        """
        for way, names in (("ASC", ["n0", "n2"]), ("DESC", ["n2", "n0"])):
            async with home.subscribed(text, value=0, way=way, name="n2") as stream:
                entries = await next_entries(stream)
                assert [each["workflowExecution"]["name"] for each in entries] == names
