"""The journal as a list: of an execution, of a tree, of all trees, in pages (`live.md` J2, J4)."""

import json
from typing import Any

import pytest

from tests.api import Api, definition
from tests.contract.commands import ids_of, run_of, succeed
from tests.contract.samples import ONE, TWO
from tests.databases import connected
from tests.schema.answers import answer, refused
from tests.schema.settling import settled

ALL = """
  query ($first: Int, $after: String, $last: Int, $before: String, $root: ID, $kinds: [ChangeKind!]) {
    changes(
      first: $first, after: $after, last: $last, before: $before, rootWorkflowExecutionId: $root, kinds: $kinds
    ) {
      totalCount
      edges { cursor node { cursor revision kind rootWorkflowExecutionId step { stepId } } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
"""
OF_ONE = """
  query ($id: ID!, $first: Int, $after: String) {
    workflowExecution(id: $id) { changes(first: $first, after: $after) {
      totalCount nodes { revision kind workflowExecutionId } pageInfo { hasNextPage endCursor }
    } }
  }
"""


async def page(api: Api, **variables: Any) -> Any:
    """One page of the journal, by one statement."""
    if "root" not in variables:
        await settled(api.store.database)
    return (await answer(api, ALL, 1, **variables))["changes"]


def told(found: Any) -> list[tuple[int, str]]:
    """Revision and kind of each change of a page."""
    return [(edge["node"]["revision"], edge["node"]["kind"]) for edge in found["edges"]]


async def a_tree(api: Api) -> str:
    """A tree whose root has one step completed."""
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two")
    await succeed(api, "completeStep", id=ids_of(execution)["a"])
    return str(execution["id"])


async def test_the_changes_of_a_tree_come_by_revision(api: Api) -> None:
    root = await a_tree(api)
    await a_tree(api.as_tenant(f"{api.context.tenant}-other"))
    found = await page(api, root=root)
    assert told(found) == [
        (1, "EXECUTION_CREATED"),
        (2, "EXECUTION_STARTED"),
        (3, "STEP_STARTED"),
        (4, "STEP_COMPLETED"),
        (5, "STEP_STARTED"),
        (6, "STEP_COMPLETED"),
        (7, "STEP_STARTED"),
    ]
    assert found["totalCount"] == 7
    assert [edge["node"]["step"] for edge in found["edges"]][4:6] == [{"stepId": "a"}] * 2
    assert all(edge["cursor"] == edge["node"]["cursor"] for edge in found["edges"])


async def test_j4_the_changes_of_all_trees_come_as_they_were_committed(api: Api) -> None:
    first, second = await a_tree(api), ""
    second = (await run_of(api, "two"))["id"]
    await succeed(api, "cancelWorkflowExecution", id=first)
    found = await page(api, first=500)
    trees = [(edge["node"]["rootWorkflowExecutionId"], edge["node"]["revision"]) for edge in found["edges"]]
    assert trees == [
        *((first, number) for number in range(1, 8)),
        *((second, number) for number in range(1, 6)),
        (first, 8),
        (first, 9),
    ]


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("of_tree", [True, False], ids=["tree", "all"])
async def test_pages_meet_from_either_end(api: Api, size: int, of_tree: bool) -> None:
    root = await a_tree(api)
    given = {"root": root} if of_tree else {}
    whole = (await page(api, **given))["edges"]
    forward: list[Any] = []
    backward: list[Any] = []
    after = before = None
    while len(forward) < len(whole):
        found = await page(api, first=size, after=after, **given)
        forward += found["edges"]
        after = found["pageInfo"]["endCursor"]
        assert found["pageInfo"]["hasNextPage"] == (len(forward) < len(whole))
        assert found["pageInfo"]["hasPreviousPage"] == (len(forward) > len(found["edges"]))
    while len(backward) < len(whole):
        found = await page(api, last=size, before=before, **given)
        backward = found["edges"] + backward
        before = found["pageInfo"]["startCursor"]
        assert found["pageInfo"]["hasPreviousPage"] == (len(backward) < len(whole))
    assert forward == backward == whole


async def test_a_cursor_of_one_list_is_a_place_in_every_other(api: Api) -> None:
    """Also where its change is not in that list: what was committed after it comes after it."""
    first = await a_tree(api)
    second = (await run_of(api, "two"))["id"]
    await succeed(api, "cancelWorkflowExecution", id=first)
    between = (await page(api, root=second))["edges"][2]["cursor"]
    assert told(await page(api, root=first, after=between)) == [
        (8, "EXECUTION_CANCELLED"),
        (9, "STEP_DISABLED"),
    ]
    assert len((await page(api, root=first, before=between))["edges"]) == 7
    found = await page(api, root=first, after=between, first=0)
    assert (found["pageInfo"]["hasPreviousPage"], found["pageInfo"]["hasNextPage"]) == (True, True)
    assert len((await page(api, after=between))["edges"]) == 4


async def test_the_changes_of_an_execution_leave_out_its_childrens(api: Api) -> None:
    await api.publish(definition("dsc"), key="dsc")
    await api.publish(definition("incorporation"), key="incorporation")
    directors = [{"id": "1", "name": "A"}, {"id": "2", "name": "B"}]
    root = await run_of(
        api, "incorporation", context={"company": {"name": "C", "type": "llp"}, "directors": directors}
    )
    await succeed(api, "completeStep", id=ids_of(root)["intake"], outputData={"complete": True})
    tree = await page(api, root=root["id"], first=500)
    document = "query ($id: ID!) { workflowExecution(id: $id) { childWorkflowExecutions { nodes { id } } } }"
    shown = await api.data(document, id=root["id"])
    children = [each["id"] for each in shown["workflowExecution"]["childWorkflowExecutions"]["nodes"]]
    counted = 0
    for id_ in (root["id"], *children):
        own = (await answer(api, OF_ONE, 1, id=id_, first=500))["workflowExecution"]["changes"]
        assert {change["workflowExecutionId"] for change in own["nodes"]} == {id_}
        revisions = [change["revision"] for change in own["nodes"]]
        assert revisions == sorted(revisions)
        counted += own["totalCount"]
    assert len(children) == 2
    assert counted == tree["totalCount"]


@pytest.mark.parametrize("of_tree", [True, False], ids=["tree", "all"])
async def test_changes_of_some_kinds(api: Api, of_tree: bool) -> None:
    root = await a_tree(api)
    given = {"root": root} if of_tree else {}
    found = await page(api, kinds=["STEP_COMPLETED", "EXECUTION_CREATED"], **given)
    assert told(found) == [(1, "EXECUTION_CREATED"), (4, "STEP_COMPLETED"), (6, "STEP_COMPLETED")]
    assert found["totalCount"] == 3
    assert told(await page(api, kinds=[], **given)) == []


async def test_what_is_no_root_of_the_tenants_has_no_changes(api: Api) -> None:
    await api.publish(ONE, key="one")
    other = api.as_tenant(f"{api.context.tenant}-other")
    await other.publish(ONE, key="one")
    execution = await run_of(other, "one")
    for root in (execution["id"], ids_of(execution)["a"], "nonsense", ""):
        found = await page(api, root=root)
        assert (found["edges"], found["totalCount"]) == ([], 0)


@pytest.mark.postgresql
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_j4_a_list_over_all_trees_waits_for_older_transactions(api: Api, database_url: str) -> None:
    """One that writes may yet commit what comes before; a tree's own revisions are complete at once."""
    root = await a_tree(api)
    assert (await page(api))["totalCount"] == 7
    connection = await connected(database_url)
    try:
        async with connection.transaction():
            await connection.fetchval("select pg_current_xact_id()")
            await succeed(api, "cancelWorkflowExecution", id=root)
            older = (await answer(api, ALL, 1))["changes"]
            assert older["totalCount"] == len(older["edges"]) == 7
            assert (await page(api, root=root))["totalCount"] == 9
    finally:
        await connection.close()
    assert (await page(api))["totalCount"] == 9


def encoded(*content: Any) -> str:
    """A cursor with any content."""
    return json.dumps(content).encode().hex()


async def test_a_cursor_of_another_epoch_is_told_so(api: Api) -> None:
    root = await a_tree(api)
    cursor = (await page(api))["edges"][0]["cursor"]
    tag, epoch, *place = json.loads(bytes.fromhex(cursor))
    stale = encoded(tag, "another", *place)
    for document, variables in (
        (ALL, {"after": stale}),
        (ALL, {"before": stale}),
        (ALL, {"after": cursor, "before": stale}),
        (ALL, {"root": root, "after": stale}),
        (OF_ONE, {"id": root, "after": stale}),
    ):
        (error,) = (await api.run(document, variables))["errors"]
        assert error["extensions"] == {"code": "EPOCH_CHANGED", "epoch": epoch}


WRONG_CURSORS = [
    "",
    "zz",
    "5b5d",
    "7b7d",
    "31",
    encoded("createdAt", "2024-02-29T23:59:59.500000Z", "x"),
    encoded("journal"),
    encoded("journal", "epoch", 1),
    encoded("journal", "epoch", 1, "1"),
    encoded("journal", "epoch", True, 1),
    encoded("journal", "epoch", 1.0, 1),
    encoded("journal", "epoch", -1, 1),
    encoded("journal", "epoch", 1, 2**63),
    encoded("journal", 1, 1, 1),
    encoded("journal", "a\0b", 1, 1),
    encoded("journal", None, 1, 1),
    encoded("journal", "epoch", 1, 1, 1),
]


@pytest.mark.parametrize("cursor", WRONG_CURSORS)
async def test_what_is_no_cursor_of_the_journal_is_refused(api: Api, cursor: str) -> None:
    for name in ("after", "before"):
        assert await refused(api, ALL, **{name: cursor}) == f"{name} is not a cursor of this list."
    assert await refused(api, OF_ONE, id="exec_01h455vb4pex5vsknk084sn02q", after=cursor)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"first": 501}, "first is 501; it must be from 0 to 500."),
        ({"last": -1}, "last is -1; it must be from 0 to 500."),
        ({"first": 1, "last": 1}, "first and last cannot be given together."),
        ({"root": "a\0b"}, "rootWorkflowExecutionId holds a NUL character or a lone surrogate."),
    ],
)
async def test_arguments_out_of_range_are_refused(api: Api, variables: Any, message: str) -> None:
    assert await refused(api, ALL, **variables) == message
