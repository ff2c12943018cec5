"""`prune --before`: history before a moment ends, what lies after it is told as before (`live.md` J5, J6)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, update

from db.connect import database_for
from db.epoch import begin_epoch
from db.migrate import migrate
from db.requests import Write
from db.retention.history import trim_history
from db.session import Database
from db.statements import Statement
from db.store import Store
from tests.api import Api
from tests.contract.old import moment_after
from tests.contract.tables import JOURNAL, everything, journal_of, rows_of, written
from tests.live.trees import tree_of
from tests.schema.histories import History, lived, walked
from tests.schema.settling import settled

_DATE = Statement(
    update(JOURNAL)
    .where(JOURNAL.c.position == bindparam("row"))
    .values(at=bindparam("at", type_=JOURNAL.c.at.type))
)
CHANGES = """
  query ($root: ID, $after: String, $before: String) {
    changes(first: 500, rootWorkflowExecutionId: $root, after: $after, before: $before) {
      totalCount nodes { cursor revision rootWorkflowExecutionId }
    }
  }
"""
DIFF = """
  query ($id: ID!, $from: Int!, $to: Int!) { workflowExecutionDiff(id: $id, from: $from, to: $to) {
    fromStatus toStatus last { revision kind } step { id } workflowExecution { id }
  } }
"""


@pytest.fixture
async def database(served_database_url: str) -> AsyncIterator[Database]:
    """One of the test's own: pruning is for all tenants."""
    await migrate(served_database_url)
    async with database_for(served_database_url) as opened:
        yield opened


async def prune(database: Database, root_id: str, until: int) -> int:
    """Have history begin after a revision of a tree, the last one of a command."""
    await settled(database)
    return await trim_history(database, await moment_after(database, root_id, until), lambda _: None)


def last_of_command(history: History, revision: int) -> int:
    """The first state that was recorded from a revision on."""
    return min(each for each in history.shown if each >= revision)


async def code_of(api: Api, document: str, **variables: Any) -> Any:
    """The code of the one error of an operation, and the error."""
    (error,) = (await api.run(document, variables))["errors"]
    return error["extensions"]["code"], error


def without_changes(shown: Any) -> Any:
    """What was shown of a tree, but for the changes that it lists."""
    if isinstance(shown, dict):
        return {key: without_changes(value) for key, value in shown.items() if key != "changes"}
    return [without_changes(each) for each in shown] if isinstance(shown, list) else shown


async def assert_history_begins_at(history: History, oldest: int, recorded: dict[int, Any]) -> None:
    """From `oldest` on every state is shown as it was recorded, and before it none is."""
    for revision, state in recorded.items():
        if revision >= oldest:
            assert without_changes(await history.look(revision)) == without_changes(state), revision
    query = "query ($id: ID!, $asOf: Int!) { workflowExecution(id: $id, asOf: $asOf) { id } }"
    for revision in range(1, oldest):
        code, error = await code_of(history.api, query, id=history.root_id, asOf=revision)
        assert code == "REVISION_EXPIRED"
        assert error["extensions"]["oldestRevision"] == oldest
        assert error["message"] == (
            f"How the tree stood at revision {revision} is no longer kept; "
            f"the oldest revision that is kept is {oldest}."
        )


@pytest.mark.parametrize("seed", [0, 3, 8, 22])
async def test_a_walk_is_remembered_from_the_cut_on(database: Database, tenant: str, seed: int) -> None:
    """Cut twice, each time later: what is told after the cut, and now, is as it was."""
    history = await walked(Store(database), tenant, seed, length=20)
    await assert_remembered_after_cuts(database, tenant, history)


@pytest.mark.parametrize("seed", [2, 8, 21])
async def test_a_life_is_remembered_from_the_cut_on(database: Database, tenant: str, seed: int) -> None:
    history = await lived(Api(Store(database), tenant), seed, length=20)
    await assert_remembered_after_cuts(database, tenant, history)


async def assert_remembered_after_cuts(database: Database, tenant: str, history: History) -> None:
    rows = await everything(database, tenant)
    last = history.last["treeRevision"]
    removed = 0
    for part in (last // 2, last * 3 // 4, last):
        until = last_of_command(history, part)
        removed += await prune(database, history.root_id, until)
        await assert_history_begins_at(history, until, history.shown)
    assert removed > 0
    after = await everything(database, tenant)
    assert len(after["journal"]) == len(rows["journal"]) - removed
    del rows["journal"], after["journal"]
    assert after == rows
    assert without_changes(await history.look(None)) == without_changes(history.last)


async def test_a_difference_across_the_cut_is_refused(database: Database, tenant: str) -> None:
    history = await lived(Api(Store(database), tenant), 8, length=12)
    api, root, last = history.api, history.root_id, history.last["treeRevision"]
    oldest = last_of_command(history, last // 2)
    spans = [(since, until) for since in range(0, last, 3) for until in range(since, last + 1, 5) if until]
    before = {span: await api.run(DIFF, {"id": root, "from": span[0], "to": span[1]}) for span in spans}
    await prune(database, root, oldest)
    for (since, until), answer in before.items():
        if since >= oldest:
            assert await api.run(DIFF, {"id": root, "from": since, "to": until}) == answer
        else:
            code, _ = await code_of(api, DIFF, **{"id": root, "from": since, "to": until})
            assert code == "REVISION_EXPIRED"


@pytest.mark.parametrize("of_one", [False, True])
async def test_changes_begin_at_the_cut_and_an_older_cursor_is_refused(
    database: Database, tenant: str, of_one: bool
) -> None:
    api = Api(Store(database), tenant)
    one, two = await tree_of(api), await tree_of(api)
    for number in range(4):
        await one.update(a=number)
        await two.update(a=number)
    await settled(database)
    # Both change by turns, the one first: what precedes its revision 8.
    cut = {one.id: 7, two.id: 7}
    root = one.id if of_one else None
    before = (await api.data(CHANGES, root=root))["changes"]["nodes"]
    assert await prune(database, one.id, 7) > 0
    told = (await api.data(CHANGES, root=root))["changes"]
    assert told["nodes"] == [each for each in before if not is_old(each, cut)]
    assert told["totalCount"] == len(told["nodes"])
    for number, change in enumerate(before):
        missed = any(is_old(each, cut) for each in before[number + 1 :])
        if missed:
            code, _ = await code_of(api, CHANGES, root=root, after=change["cursor"])
            assert code == "CURSOR_EXPIRED"
        else:
            rest = (await api.data(CHANGES, root=root, after=change["cursor"]))["changes"]["nodes"]
            assert rest == before[number + 1 :]


def is_old(change: Any, cut: dict[str, int]) -> bool:
    until = cut[change["rootWorkflowExecutionId"]]
    return bool(change["revision"] <= until)


async def test_others_old_changes_do_not_make_a_quiet_tenants_cursor_old(
    database: Database, tenant: str
) -> None:
    quiet, busy = Api(Store(database), tenant), Api(Store(database), f"{tenant}-busy")
    mine, theirs = await tree_of(quiet), await tree_of(busy)
    await theirs.update(a=1)
    await settled(database)
    last = (await quiet.data(CHANGES))["changes"]["nodes"][-1]["cursor"]
    await prune(database, theirs.id, 6)
    assert (await quiet.data(CHANGES))["changes"]["nodes"] == []
    assert (await quiet.data(CHANGES, after=last))["changes"]["nodes"] == []
    await mine.update(a=2)
    await settled(database)
    assert [each["revision"] for each in (await quiet.data(CHANGES, after=last))["changes"]["nodes"]] == [6]


async def test_no_change_after_a_young_one_is_taken(database: Database, tenant: str) -> None:
    """The boundary is one cursor; a change may be stamped earlier than one that was written before it."""
    api = Api(Store(database), tenant)
    first, second = await tree_of(api), await tree_of(api)
    await second.update(a=1)
    moment = await moment_after(database, first.id, 5)
    position = (await journal_of(database, second.id))[-1]["position"]
    await database.transact(written(Write(_DATE, [{"at": moment - timedelta(days=1), "row": position}])))
    await settled(database)
    await trim_history(database, moment, lambda _: None)
    told = (await api.data(CHANGES))["changes"]["nodes"]
    assert [each["rootWorkflowExecutionId"] for each in told] == [second.id] * 6


async def test_a_trial_counts_and_changes_nothing(database: Database, tenant: str) -> None:
    api = Api(Store(database), tenant)
    tree = await tree_of(api)
    await tree.update(a=1)
    await settled(database)
    before = await everything(database, tenant)
    moment = await moment_after(database, tree.id, 6)
    counted = await trim_history(database, moment, lambda _: None, is_trial=True)
    assert await everything(database, tenant) == before
    assert (await api.data(CHANGES))["changes"]["totalCount"] == 6
    told: list[int] = []
    assert await trim_history(database, moment, told.append) == counted == sum(told) > 0


async def test_two_at_once_and_commands_beside_them(served_database_url: str, tenant: str) -> None:
    """Nothing young is lost, nothing is removed twice, and every tree goes on."""
    await migrate(served_database_url)
    async with database_for(served_database_url) as one, database_for(served_database_url) as other:
        api = Api(Store(one), tenant)
        trees = [await tree_of(api) for _ in range(8)]
        for tree in trees:
            for number in range(6):
                await tree.update(a=number)
        await settled(one)
        moment = await moment_after(one, trees[-1].id, 11)
        before = len(await rows_of(one, JOURNAL, tenant))

        async def go_on() -> None:
            for tree in trees:
                await tree.update(a="meanwhile")
                await tree.complete()

        first, second, _ = await asyncio.gather(
            trim_history(one, moment, lambda _: None), trim_history(other, moment, lambda _: None), go_on()
        )
        # How the trees stood at the cut is their creation, their context, and two steps that were started.
        assert first + second == before - await old_of(one, tenant, 11)
        for tree in trees:
            listed = (await api.data(CHANGES, root=tree.id))["changes"]["nodes"]
            assert [each["revision"] for each in listed] == list(range(12, 18))


async def old_of(database: Database, tenant: str, until: int) -> int:
    """How many changes up to a revision are still there."""
    return sum(row["revision"] <= until for row in await rows_of(database, JOURNAL, tenant))


async def test_a_new_epoch_leaves_the_past_where_it_began(database: Database, tenant: str) -> None:
    """J5: with it the order of changes becomes that of their positions."""
    history = await lived(Api(Store(database), tenant), 8, length=12)
    oldest = last_of_command(history, history.last["treeRevision"] // 2)
    await prune(database, history.root_id, oldest)
    await begin_epoch(database)
    await assert_history_begins_at(history, oldest, history.shown)
