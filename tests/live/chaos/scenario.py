"""One run: writers, clients and faults for a while, then quiet, then the question whether anybody missed anything."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.contract.fold import shown
from tests.live.chaos.checking import Place, Seen, Truth, place_of, violations
from tests.live.chaos.clients import PATIENCE, Following
from tests.live.chaos.faults import Faults, kinds_of
from tests.live.chaos.house import House, Setting, database_of, opened
from tests.live.chaos.log import Log
from tests.live.chaos.streams import (
    CHANGE,
    JSON,
    LIST,
    STATE,
    TREE,
    ChangesStream,
    ListStream,
    StateStream,
    Stream,
    TreeStream,
)
from tests.live.chaos.writers import Writer

SECONDS_WITHOUT_PROGRESS = 60
TRANSPORTS = ("websocket", "events")
LAST_CHANGE = """
  query ($rootId: ID) {
    changes(last: 1, rootWorkflowExecutionId: $rootId) { nodes { cursor revision rootWorkflowExecutionId } }
  }
"""
PAGE = f"""
  query ($after: String) {{
    changes(first: 500, after: $after) {{ nodes {{ {CHANGE} }} pageInfo {{ endCursor hasNextPage }} }}
  }}
"""
FINAL = f"query ($id: ID!) {{ workflowExecution(id: $id) {{ treeRevision {TREE} }} }}"
FINAL_STATE = f"query ($id: ID!) {{ workflowExecution(id: $id) {{ {STATE} }} }}"


@asynccontextmanager
async def _nothing(_: str) -> AsyncIterator[None]:
    yield


@dataclass(frozen=True)
class Plan:
    """How often every kind of fault happens, how many writers there are, how many events are awaited after the last fault,
    and what goes on beside it, given the database's URL.
    """

    rounds: int = 1
    writers: int = 3
    events_at_last: int = 30
    beside: Callable[[str], AbstractAsyncContextManager[None]] = _nothing


@dataclass
class Report:
    """What a run came to. `counts` say what happened in it; `careless` what a client misses that forgets its place."""

    setting: Setting
    truth: Truth
    clients: list[Seen]
    acknowledged: list[JSON]
    found: list[str]
    careless: list[str]
    counts: Counter[str] = field(default_factory=Counter)


@dataclass
class _Client:
    following: Following
    what: str
    root_id: str | None
    begin: int | Place | None
    task: asyncio.Task[None]

    def seen(self, truth: Truth) -> Seen:
        begin = self.begin
        if isinstance(begin, tuple):
            begin = [place_of(change) for change in truth.changes].index(begin) + 1
        following = self.following
        return Seen(
            following.name, self.what, self.root_id, begin, following.seen, following.fault, following.is_over
        )


class Scenario:
    """Everybody who takes part. What is random is drawn from generators of their own, so that runs of a seed are alike."""

    writer: type[Writer] = Writer
    patience = PATIENCE

    def __init__(self, house: House, seed: int, log: Log, writers: int) -> None:
        self.house = house
        self.log = log
        self.chance = random.Random(seed)  # noqa: S311 – repeatable
        self.news = asyncio.Event()
        self.clients: list[_Client] = []
        self.writers = [self._writer(f"writer-{number}") for number in range(writers)]
        self.judge = self._writer("judge")

    def own_chance(self) -> random.Random:
        return random.Random(self.chance.random())  # noqa: S311 – repeatable

    def _writer(self, name: str) -> Writer:
        return self.writer(name, self.house.ports, self.own_chance(), self.log)

    def roots(self) -> list[str]:
        return [root_id for writer in (*self.writers, self.judge) for root_id in writer.trees]

    def roots_of_writers(self) -> list[str]:
        return [root_id for writer in self.writers for root_id in writer.trees]

    def live(self) -> list[Following]:
        """Clients that still follow."""
        return [each.following for each in self.clients if not each.task.done()]

    def events(self) -> int:
        return sum(len(each.following.seen) for each in self.clients)

    async def until(self, told: Callable[[], object]) -> bool:
        """Return when this is so; False where nothing happens any more."""
        while not told():
            self.news.clear()
            before = self.events()
            try:
                async with asyncio.timeout(SECONDS_WITHOUT_PROGRESS):
                    await self.news.wait()
            except TimeoutError:
                return False
            assert self.events() >= before
        return True

    async def progress(self, events: int) -> None:
        """Return when so many more were seen."""
        begun = self.events()
        assert await self.until(lambda: self.events() >= begun + events), "nothing goes on any more"

    def client(
        self,
        what: str,
        root_id: str | None,
        begin: int | Place | None,
        stream: Stream,
        transport: str,
        patience: float | None = None,
    ) -> _Client:
        """A new client, which follows at once."""
        name = f"{len(self.clients)}-{what}-{transport}-{'all' if root_id is None else root_id[-6:]}"
        following = Following(
            name,
            stream,
            transport,
            self.house.ports,
            self.own_chance(),
            self.log,
            self.news,
            patience or self.patience,
        )
        client = _Client(following, what, root_id, begin, asyncio.create_task(following.run()))
        self.clients.append(client)
        return client

    async def follow_all(self, transport: str, *, is_careless: bool = False) -> _Client:
        """A client of all trees, from now on."""
        while not (nodes := (await self.judge.ask(LAST_CHANGE, {}))["changes"]["nodes"]):
            pass  # nothing is settled yet (J4)
        (last,) = nodes
        stream = ChangesStream(None, last["cursor"], is_careless)
        return self.client("changes", None, place_of(last), stream, transport)

    async def follow(self, root_id: str) -> None:
        """Clients of a new tree: the tree and its executions' state, its changes, from its beginning and from now."""
        draw = self.chance
        self.client("tree", root_id, None, TreeStream(root_id), draw.choice(TRANSPORTS))
        if draw.random() < 0.5:
            self.client("tree", root_id, 0, TreeStream(root_id, after=0), draw.choice(TRANSPORTS))
        if draw.random() < 0.5:
            self.client("state", root_id, None, StateStream(root_id), draw.choice(TRANSPORTS))
        if draw.random() < 0.5:
            (last,) = (await self.judge.ask(LAST_CHANGE, {"rootId": root_id}))["changes"]["nodes"]
            stream = ChangesStream(root_id, last["cursor"])
            self.client("changes", root_id, last["revision"], stream, draw.choice((*TRANSPORTS, "poll")))

    async def watched_tree(self) -> tuple[str, list[Following]]:
        """A new tree that no writer drives to its end, and patient clients of it over each transport."""
        root_id = await self.judge.create()
        clients = [
            self.client("tree", root_id, None, TreeStream(root_id), transport, patience=20)
            for transport in TRANSPORTS
        ]
        return root_id, [each.following for each in clients]

    async def truth(self) -> Truth:
        """What the final queries answer, when all that is committed shows in the journal of all trees."""
        trees, revisions = {}, {}
        for root_id in self.roots():
            root = (await self.judge.ask(FINAL, {"id": root_id}))["workflowExecution"]
            revisions[root_id] = root.pop("treeRevision")
            nodes = root.pop("descendantWorkflowExecutions")["nodes"]
            trees[root_id] = {each["id"]: shown(each, each["steps"]) for each in (root, *nodes)}
        changes: list[JSON] = []
        cursor = None
        while len(changes) < sum(revisions.values()):
            page = (await self.judge.ask(PAGE, {"after": cursor}))["changes"]
            changes += page["nodes"]
            cursor = page["pageInfo"]["endCursor"] or cursor
        states = {}
        for root_id in {each.root_id for each in self.clients if each.what == "state"} - {None}:
            states[root_id] = (await self.judge.ask(FINAL_STATE, {"id": root_id}))["workflowExecution"]
        page = (await self.judge.ask(LIST, {}))["workflowExecutions"]["nodes"]
        return Truth(changes, trees, revisions, states, page)

    def has_arrived(self, client: _Client, truth: Truth) -> bool:
        """Whether it has seen the last of what it is to see, or never will."""
        seen = client.following.seen
        if client.task.done():
            return True
        if client.what == "state":
            return bool(seen) and seen[-1] == {"saw": "state", **truth.states[client.root_id or ""]}
        if isinstance(client.following.stream, ListStream):
            return [row["workflowExecution"] for row in client.following.stream.page] == truth.page
        if isinstance(client.following.stream, TreeStream):
            return client.following.stream.after == truth.revisions[client.root_id or ""]
        expected = truth.changes if client.root_id is None else truth.of_root(client.root_id)
        last = place_of(expected[-1])
        if last in (client.begin, (client.root_id, client.begin)):
            return True
        return bool(seen) and seen[-1]["saw"] == "change" and place_of(seen[-1]) == last


@asynccontextmanager
async def running(*writers: Writer) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for writer in writers:
            await stack.enter_async_context(writer)
        yield


async def _run(house: House, setting: Setting, seed: int, log: Log, plan: Plan) -> Report:
    scenario = Scenario(house, seed, log, plan.writers)
    faults = Faults(house, scenario, scenario.judge, scenario.own_chance(), log)
    writing: list[asyncio.Task[None]] = []
    async with running(*scenario.writers, scenario.judge):
        try:
            await scenario.writers[0].publish()
            await scenario.follow(await scenario.writers[0].create())
            for transport in (*TRANSPORTS, "poll"):
                await scenario.follow_all(transport)
            for transport in TRANSPORTS:
                scenario.client("list", None, None, ListStream(), transport)
            careless = await scenario.follow_all("websocket", is_careless=True)
            for writer in scenario.writers:
                run_ = writer.run(scenario.follow, scenario.roots_of_writers)
                writing.append(asyncio.create_task(run_))
            for kind in [kind for _ in range(plan.rounds) for kind in faults.deck(setting)]:
                await scenario.progress(30)
                await faults.happen(kind)
                await _raise_what_failed(writing)
            await scenario.progress(plan.events_at_last)
            for writer in scenario.writers:
                writer.is_to_stop = True
            await asyncio.gather(*writing)
            log.write(is_quiet=True)
            truth = await scenario.truth()
            others = [each for each in scenario.clients if each is not careless]
            await scenario.until(lambda: all(scenario.has_arrived(each, truth) for each in others))
        finally:
            tasks = [*writing, *(each.task for each in scenario.clients)]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    scenario.clients.remove(careless)
    clients = [each.seen(truth) for each in scenario.clients]
    acknowledged = [
        answer for writer in (*scenario.writers, scenario.judge) for answer in writer.acknowledged
    ]
    found = violations(truth, clients, acknowledged) + [f"a server said: {line}" for line in house.said()]
    counts = _counts(scenario, faults, house, truth)
    return Report(
        setting, truth, clients, acknowledged, found, violations(truth, [careless.seen(truth)], []), counts
    )


async def _raise_what_failed(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done():
            await task


def _counts(scenario: Scenario, faults: Faults, house: House, truth: Truth) -> Counter[str]:
    counts = Counter({f"met {kind}": clients for kind, clients in faults.met.items()})
    counts += house.deeds()
    for each in scenario.clients:
        counts[f"resumes {each.what} {each.following.transport}"] += each.following.resumes
        counts["completed"] += each.following.is_over
    counts["repeated commands"] = sum(writer.repeated for writer in scenario.writers)
    counts["changes"] = len(truth.changes)
    counts["events"] = scenario.events()
    counts["trees"] = len(truth.trees)
    counts["children"] = sum(len(tree) - 1 for tree in truth.trees.values())
    return counts


def run(setting: Setting, seed: int, directory: Path, plan: Plan | None = None) -> Report:
    """A run of its own database, broker and servers; logs are left in the directory."""
    plan = plan or Plan()
    with database_of(setting, directory) as database, Log(directory / "operations.jsonl") as log:
        log.write(setting=str(setting), seed=seed)

        async def main() -> Report:
            chance = random.Random(seed)  # noqa: S311 – repeatable
            async with plan.beside(database), opened(setting, database, directory, chance) as house:
                try:
                    return await _run(house, setting, seed, log, plan)
                finally:
                    for number, server in enumerate(house.servers):
                        (directory / f"server-{number}.txt").write_text("\n".join(server.output))

        return asyncio.run(main())


def expected_counts(setting: Setting) -> list[str]:
    """What must have happened in a run that proves anything."""
    deeds = ["died committed", "died rung", "ring lost", "ring doubled", "ring late", "swept", "stalled"]
    resumed: list[Any] = [f"resumes changes {transport}" for transport in (*TRANSPORTS, "poll")]
    resumed += [f"resumes list {transport}" for transport in TRANSPORTS]
    resumed += [f"resumes tree {transport}" for transport in TRANSPORTS]
    return [
        *(f"met {kind}" for kind in kinds_of(setting)),
        *deeds,
        *resumed,
        "completed",
        "children",
        "repeated commands",
    ]
