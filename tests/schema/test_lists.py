"""Orders and cursors of lists by example: the work queue, executions in every order, pages that stay put."""

from collections.abc import Generator
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from sqlalchemy import bindparam, update

from db import tables
from db.requests import Write
from db.statements import Statement
from db.tables import table_of
from tests.api import Api, definition
from tests.schema.answers import answer, refused

Key = dict[str, str]
DAYS = {"a": 3, "b": None, "B": 1, "c": 3, "d": None, "é": 2}
PAGE = """
  query ($first: Int, $after: String, $last: Int, $before: String, $orderBy: [WorkflowExecutionOrder!]) {
    workflowExecutions(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy) {
      totalCount nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
"""


def _set(model: Any, key: str, **values: Any) -> Generator[Write, Any, None]:
    table = table_of(model)
    bound = {name: bindparam(name, type_=table.c[name].type) for name in values}
    clause = update(table).where(table.c.id == bindparam("key")).values(bound)
    yield Write(Statement(clause), [values | {"key": key}])


@pytest.fixture
async def six(api: Api) -> Api:
    """Six executions, of which four became active on one of three days."""
    await api.publish(definition("verify"), key="verify")
    for name, day in DAYS.items():
        made = await api.start("verify", name=name)
        at = None if day is None else datetime(2024, 1, day, tzinfo=UTC)
        await api.store.database.transact(_set(tables.WorkflowExecution, made["id"], last_activity_at=at))
    return api


def key(field: str, direction: str) -> Key:
    return {"field": field, "direction": direction}


async def names(api: Api, *order: Key) -> str:
    """Everything in an order, read page by page in both directions; each page is one statement."""
    forward, backward = "", ""
    cursor: str | None = None
    for _ in range(4):
        page = (await answer(api, PAGE, 1, first=2, after=cursor, orderBy=list(order)))["workflowExecutions"]
        forward += "".join(each["name"] for each in page["nodes"])
        cursor = page["pageInfo"]["endCursor"] or cursor
        assert page["pageInfo"]["hasNextPage"] is (len(forward) < len(DAYS))
        assert page["totalCount"] == len(DAYS)
    cursor = None
    for _ in range(4):
        page = (await answer(api, PAGE, 1, last=2, before=cursor, orderBy=list(order)))["workflowExecutions"]
        backward = "".join(each["name"] for each in page["nodes"]) + backward
        cursor = page["pageInfo"]["startCursor"] or cursor
        assert page["pageInfo"]["hasPreviousPage"] is (len(backward) < len(DAYS))
    assert forward == backward
    return forward


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ((), "édcBba"),
        ((key("CREATED_AT", "DESC"),), "édcBba"),
        ((key("CREATED_AT", "ASC"),), "abBcdé"),
        ((key("NAME", "ASC"),), "Babcdé"),
        ((key("NAME", "DESC"),), "édcbaB"),
        ((key("LAST_ACTIVITY_AT", "ASC"),), "Béacbd"),
        ((key("LAST_ACTIVITY_AT", "DESC"),), "caéBdb"),
        ((key("LAST_ACTIVITY_AT", "DESC"), key("NAME", "ASC")), "acéBbd"),
        ((key("LAST_ACTIVITY_AT", "ASC"), key("NAME", "DESC")), "Bécadb"),
        ((key("LAST_ACTIVITY_AT", "ASC"), key("CREATED_AT", "DESC"), key("NAME", "ASC")), "Bécadb"),
        ((key("NAME", "ASC"), key("NAME", "DESC")), "Babcdé"),
        ((key("COMPLETED_AT", "DESC"), key("NAME", "ASC")), "Babcdé"),
    ],
)
async def test_executions_in_an_order_that_is_asked_for(
    six: Api, order: tuple[Key, ...], expected: str
) -> None:
    """Nulls come last in both directions, text goes by code point, the id decides between equals."""
    assert await names(six, *order) == expected


async def test_an_order_that_is_the_lists_own_takes_its_cursors(six: Api) -> None:
    """Asked for or not, it is the same order."""
    own = (await answer(six, PAGE, 1, first=2))["workflowExecutions"]["pageInfo"]["endCursor"]
    asked = await answer(six, PAGE, 1, first=2, after=own, orderBy=[key("CREATED_AT", "DESC")])
    assert [each["name"] for each in asked["workflowExecutions"]["nodes"]] == ["c", "B"]


async def test_a_cursor_of_another_order_is_refused(six: Api) -> None:
    """Each pair of orders that differ, in fields, directions or their sequence."""
    orders = [
        [],
        [key("CREATED_AT", "ASC")],
        [key("NAME", "ASC")],
        [key("NAME", "DESC")],
        [key("NAME", "ASC"), key("STARTED_AT", "ASC")],
        [key("STARTED_AT", "ASC"), key("NAME", "ASC")],
        [key("STARTED_AT", "ASC")],
    ]
    cursors = [
        (await answer(six, PAGE, 1, first=1, orderBy=order))["workflowExecutions"]["pageInfo"]["endCursor"]
        for order in orders
    ]
    for (mine, order), (theirs, cursor) in product(enumerate(orders), enumerate(cursors)):
        if mine != theirs:
            message = await refused(six, PAGE, after=cursor, orderBy=order)
            assert message == "after is not a cursor of this list."


@pytest.mark.parametrize(
    "content",
    [
        '["name asc,id asc"]',
        '["name asc,id asc","a"]',
        '["name asc,id asc","a","x","y"]',
        '["name asc,id asc",5,"x"]',
        '["name asc,id asc",null,"x"]',
        '["name asc,id asc","a",5]',
        '["name asc,id asc","a\\u0000","x"]',
        '["name asc,id asc","\\ud800","x"]',
        '["name asc","a","x"]',
        '["name asc,id desc","a","x"]',
        '["runtime_status asc,id asc","a","x"]',
    ],
)
async def test_a_forged_cursor_is_refused(six: Api, content: str) -> None:
    """Tag, length and kinds are checked before the database hears of it."""
    cursor = content.encode().hex()
    message = await refused(six, PAGE, before=cursor, orderBy=[key("NAME", "ASC")])
    assert message == "before is not a cursor of this list."


async def test_an_order_of_too_many_keys_is_refused(six: Api) -> None:
    keys = [key("NAME", "ASC"), key("CREATED_AT", "DESC")] * 5
    assert (await answer(six, PAGE, 1, first=1, orderBy=keys))["workflowExecutions"]["totalCount"] == len(
        DAYS
    )
    message = await refused(six, PAGE, first=1, orderBy=[*keys, key("NAME", "ASC")])
    assert message == "orderBy has 11 keys; at most 10 are allowed."


async def test_pages_stay_put_while_entries_come_and_go(six: Api) -> None:
    """What comes before the cursor moves nothing; the cursor's own entry may have moved away."""
    order = [key("NAME", "ASC")]
    page = (await answer(six, PAGE, 1, first=3, orderBy=order))["workflowExecutions"]
    for name in ("A", "bb"):
        await six.start("verify", name=name)
    moved = (await six.data('{ workflowExecutions(where: {name: {eq: "b"}}) { nodes { id } } }'))[
        "workflowExecutions"
    ]["nodes"][0]
    await six.store.database.transact(_set(tables.WorkflowExecution, moved["id"], name="z"))
    after = page["pageInfo"]["endCursor"]
    page = (await answer(six, PAGE, 1, first=10, after=after, orderBy=order))["workflowExecutions"]
    assert [each["name"] for each in page["nodes"]] == ["bb", "c", "d", "z", "é"]
    assert page["pageInfo"]["hasPreviousPage"] is True
    assert page["totalCount"] == 8


QUEUE = """
  query ($where: WorkflowStepExecutionWhere, $orderBy: [WorkflowStepExecutionOrder!], $after: String) {
    workflowStepExecutions(first: 4, after: $after, where: $where, orderBy: $orderBy) {
      totalCount nodes { id stepId workflowExecution { name } isOverdue claim { worker claimedAt leaseExpiresAt } }
      pageInfo { endCursor }
    }
  }
"""


async def _in_progress(api: Api) -> dict[str, str]:
    """The ids of the steps that wait, by their executions' names."""
    data = await answer(api, QUEUE, 1, where={"status": {"eq": "IN_PROGRESS"}})
    return {each["workflowExecution"]["name"]: each["id"] for each in data["workflowStepExecutions"]["nodes"]}


async def test_the_work_queue_goes_by_start_and_what_has_not_started_comes_last(api: Api) -> None:
    """Over all executions, current attempts alone; pages go on across the border of the nulls."""
    await api.publish(definition("verify"), key="verify")
    for name in "ab":
        await api.start("verify", name=name)
    steps, cursor = [], None
    for _ in range(2):
        page = (await answer(api, QUEUE, 1, after=cursor))["workflowStepExecutions"]
        assert page["totalCount"] == 6
        steps += [each["stepId"] for each in page["nodes"]]
        cursor = page["pageInfo"]["endCursor"]
    assert sorted(steps[:4]) == ["start", "start", "verify", "verify"]
    assert steps[4:] == ["end", "end"]


@pytest.mark.parametrize(("direction", "expected"), [("ASC", "bac"), ("DESC", "abc")])
async def test_the_work_queue_by_due_date(api: Api, direction: str, expected: str) -> None:
    """What is never due comes last."""
    await api.publish(definition("verify"), key="verify")
    for name in "abc":
        await api.start("verify", name=name)
    days = {"a": datetime(2024, 1, 2, tzinfo=UTC), "b": datetime(2024, 1, 1, tzinfo=UTC), "c": None}
    for name, id_ in (await _in_progress(api)).items():
        await api.store.database.transact(_set(tables.StepExecution, id_, due_at=days[name]))
    given = {"where": {"status": {"eq": "IN_PROGRESS"}}, "orderBy": [key("DUE_AT", direction)]}
    page = (await answer(api, QUEUE, 1, **given))["workflowStepExecutions"]
    assert "".join(each["workflowExecution"]["name"] for each in page["nodes"]) == expected


async def test_claims_hold_until_their_lease_or_their_attempt_ends(api: Api) -> None:
    """T3: a lease that has passed is over at that moment; without one it is an assignment."""
    await api.publish(definition("verify"), key="verify")
    at, later = datetime(2024, 1, 2, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)
    leases = {"over": at, "held": later, "assigned": None}
    for name in (*leases, "free", "done"):
        await api.start("verify", name=name)
    waiting = await api.data(
        '{ workflowStepExecutions(where: {stepId: {eq: "verify"}}) { nodes { id workflowExecution { name } } } }'
    )
    for step in waiting["workflowStepExecutions"]["nodes"]:
        name = step["workflowExecution"]["name"]
        if name != "free":
            claim = {"claim_worker": f"w-{name}", "claimed_at": at, "lease_expires_at": leases.get(name)}
            await api.store.database.transact(_set(tables.StepExecution, step["id"], **claim))
        if name == "done":
            complete = "mutation ($id: ID!) { completeStep(input: {id: $id, outputData: {verified: true}}) { __typename } }"
            await api.data(complete, id=step["id"])

    async def shown(**where: Any) -> dict[str, Any]:
        data = await answer(
            api, QUEUE, 1, where={"stepId": {"eq": "verify"}, "status": {"eq": "IN_PROGRESS"}} | where
        )
        return {
            each["workflowExecution"]["name"]: each["claim"]
            for each in data["workflowStepExecutions"]["nodes"]
        }

    day = "2024-01-02T00:00:00.000000Z"
    held = {"worker": "w-held", "claimedAt": day, "leaseExpiresAt": "2999-01-01T00:00:00.000000Z"}
    assigned = {"worker": "w-assigned", "claimedAt": day, "leaseExpiresAt": None}
    assert await shown() == {"over": None, "free": None, "held": held, "assigned": assigned}
    assert await shown(isClaimed=True) == {"held": held, "assigned": assigned}
    assert await shown(isClaimed=False) == {"over": None, "free": None}
    assert await shown(claimedBy={"startsWith": "w-"}) == {"held": held, "assigned": assigned}
    assert await shown(**{"not": {"claimedBy": {"eq": "w-held"}}}) == {
        "over": None,
        "free": None,
        "assigned": assigned,
    }
    data = await answer(api, QUEUE, 1, where={"status": {"eq": "COMPLETED"}, "isClaimed": True})
    assert data["workflowStepExecutions"]["nodes"] == []


async def test_a_step_is_overdue_while_it_is_marked_and_in_progress(api: Api) -> None:
    """T1: the mark is set once, when the due date passes; an attempt that has ended is not late any more."""
    await api.publish(definition("verify"), key="verify")
    for name in ("late", "done", "fine"):
        await api.start("verify", name=name)
    steps = await _in_progress(api)
    for name in ("late", "done"):
        at = datetime(2024, 1, 2, tzinfo=UTC)
        await api.store.database.transact(_set(tables.StepExecution, steps[name], overdue_at=at))
    complete = (
        "mutation ($id: ID!) { completeStep(input: {id: $id, outputData: {verified: true}}) { __typename } }"
    )
    await api.data(complete, id=steps["done"])
    for is_overdue, names in ((True, {"late"}), (False, {"done", "fine"})):
        where = {"stepId": {"eq": "verify"}, "isOverdue": is_overdue}
        data = await answer(api, QUEUE, 1, where=where)
        nodes = data["workflowStepExecutions"]["nodes"]
        assert {each["workflowExecution"]["name"] for each in nodes} == names
        assert {each["isOverdue"] for each in nodes} == {is_overdue}
