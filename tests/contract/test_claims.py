"""Who is handed which steps, and whose token counts (`runtime.md` T3)."""

from datetime import timedelta

import pytest

from db.commands.claiming import heartbeat_step
from db.commands.execution import cancel_workflow_execution
from db.commands.guards import Guard, Once
from db.commands.outcome import Actor, Committed
from db.commands.step import complete_step, disable_step, fail_step, release_step
from db.ids import IdKind, new_id
from db.runtime.definition import StepType
from db.runtime.errors import ClaimLost, IdempotencyConflict, InvalidTransition, NotFound
from db.store import Store
from tests.contract.claims import claimed, claiming, ids, kinds, let_pass, oldest, waiting
from tests.contract.graphs import TASK, batch, graph
from tests.contract.tables import STEPS, row_by_id
from tests.contract.trees import assert_whole, create, publish, read

ONCE = Once("key", "claimSteps", "hash")


async def test_t3_the_oldest_steps_are_handed_out_first(store: Store, tenant: str) -> None:
    steps = await waiting(store, tenant, "one", 4)
    assert await ids(store, tenant) == steps[:1]
    assert await ids(store, tenant, limit=2) == steps[1:3]
    assert await ids(store, tenant, limit=5) == steps[3:]
    assert await ids(store, tenant) == []
    assert_whole(await read(store, tenant))


async def test_t3_filters_are_anded(store: Store, tenant: str) -> None:
    ones = await waiting(store, tenant, "one", 2)
    await create(store, tenant, "two")
    rows = await read(store, tenant)
    steps = {step["step_id"]: step["id"] for step in rows.attempts.values() if step["status"] == "InProgress"}
    task, form = (StepType.SYS_TASK,), (StepType.HUMAN_FORM,)
    assert await ids(store, tenant, types=form, step_ids=("a",)) == []
    assert await ids(store, tenant, types=task, template_keys=("two",), limit=5) == [steps["a"]]
    assert await ids(store, tenant, step_ids=("b", "task"), template_keys=("two",)) == [steps["b"]]
    assert await ids(store, tenant, ids=(ones[1], steps["a"]), limit=5) == ones[1:]
    assert await ids(store, tenant, ids=(ones[0],), types=form) == []
    assert await ids(store, tenant, ids=(ones[0],), step_ids=("other",)) == []
    assert await ids(store, tenant, ids=(ones[0],), template_keys=("two",)) == []
    assert await ids(store, tenant, ids=("no id", new_id(IdKind.STEP_EXECUTION))) == []
    assert await ids(store, tenant, types=(StepType.START,)) == []
    assert await ids(store, tenant, step_ids=()) == []
    assert await ids(store, tenant, limit=5) == ones[:1]


async def test_t3_filters_find_what_an_expired_claim_left(store: Store, tenant: str) -> None:
    (step,) = await waiting(store, tenant, "one", 1)
    for wanted in (
        {},
        {"types": (StepType.SYS_TASK,)},
        {"step_ids": ("task",)},
        {"template_keys": ("one",)},
        {"ids": (step,)},
    ):
        assert await ids(store, tenant, **wanted) == [step]
        assert await ids(store, tenant, **wanted) == []
        await let_pass(store, step)


async def test_t3_nobody_is_handed_the_steps_of_another_tenant(store: Store, tenant: str) -> None:
    (step,) = await waiting(store, tenant, "one", 1)
    for wanted in ({}, {"ids": (step,)}, {"step_ids": ("task",)}, {"template_keys": ("one",)}):
        assert await ids(store, f"{tenant}-other", **wanted) == []
    await claimed(store, tenant)
    await let_pass(store, step)
    assert await ids(store, f"{tenant}-other") == []


async def test_t3_one_transaction_for_each_tree(store: Store, tenant: str) -> None:
    await publish(store, tenant, graph("child", {"task": TASK}, "start task end"))
    await publish(store, tenant, graph("parent", {"all": batch("child", "[1, 2, 3]")}, "start all end"))
    await create(store, tenant, "parent", 2)
    steps = [
        each["id"] for each in (await read(store, tenant)).attempts.values() if each["step_id"] == "task"
    ]
    done = await claiming(store, tenant, limit=6)
    assert {each["claimed_id"] for each in done.claimed} == {
        id_ for id_ in steps if (await row_by_id(store.database, STEPS, id_))["status"] == "InProgress"
    }
    assert len(done.claimed) == 6
    assert len({each.root_id for each in done.committed}) == len(done.committed) == 2
    assert_whole(await read(store, tenant))


async def test_t3_only_the_token_of_the_claim_completes_or_fails(store: Store, tenant: str) -> None:
    first, second = await waiting(store, tenant, "one", 2)
    tokens = [each["claim_token"] for each in await claimed(store, tenant, limit=2)]
    actor = Actor(tenant)
    for token in (None, "", tokens[1]):
        with pytest.raises(ClaimLost, match="'ann'"):
            await complete_step(store, actor, first, None, token=token)
        with pytest.raises(ClaimLost, match="'ann'"):
            await fail_step(store, actor, first, None, "It broke.", token=token)
    await complete_step(store, actor, first, None, token=tokens[0])
    await fail_step(store, actor, second, None, "It broke.", token=tokens[1])
    rows = await read(store, tenant)
    assert [rows.attempts[each]["claim_token"] for each in (first, second)] == [None, None]
    assert_whole(rows)


async def test_t3_a_worker_that_was_stopped_past_its_lease_cannot_complete_what_another_holds(
    store: Store, tenant: str
) -> None:
    (step,) = await waiting(store, tenant, "one", 1)
    (stopped,) = await claimed(store, tenant, "stopped")
    await let_pass(store, step)
    (holder,) = await claimed(store, tenant, "holder")
    with pytest.raises(ClaimLost) as lost:
        await complete_step(store, Actor(tenant), step, None, token=stopped["claim_token"])
    assert lost.value.claim is not None
    assert lost.value.claim.worker == "holder"
    await complete_step(store, Actor(tenant), step, None, token=holder["claim_token"])
    told = await kinds(store, tenant)
    assert told[:4] == ["STEP_CLAIMED", "STEP_CLAIM_EXPIRED", "STEP_CLAIMED", "STEP_COMPLETED"]
    assert_whole(await read(store, tenant))


async def test_t3_a_lease_that_has_passed_is_over_though_nobody_marked_it(store: Store, tenant: str) -> None:
    (step,) = await waiting(store, tenant, "one", 1)
    (stopped,) = await claimed(store, tenant)
    await let_pass(store, step)
    with pytest.raises(ClaimLost) as lost:
        await complete_step(store, Actor(tenant), step, None, token=stopped["claim_token"])
    assert lost.value.claim is None
    await complete_step(store, Actor(tenant), step, None)
    assert_whole(await read(store, tenant))


async def test_t3_a_claim_without_a_lease_holds_until_it_is_released(store: Store, tenant: str) -> None:
    (step,) = await waiting(store, tenant, "one", 1)
    (assigned,) = await claimed(store, tenant, lease=None)
    assert assigned["lease_expires_at"] is None
    assert await ids(store, tenant) == []
    extended = await heartbeat_step(store, Actor(tenant), step, assigned["claim_token"], 60)
    assert extended == assigned
    await release_step(store, Actor(tenant), step, assigned["claim_token"], "I am ill.")
    assert await kinds(store, tenant) == ["STEP_CLAIMED", "STEP_RELEASED"]
    assert await ids(store, tenant) == [step]


async def test_t3_a_release_needs_the_token_or_a_supervisor(store: Store, tenant: str) -> None:
    (step,) = await waiting(store, tenant, "one", 1)
    with pytest.raises(ClaimLost):
        await release_step(store, Actor(tenant), step, None, None)
    await claimed(store, tenant)
    with pytest.raises(ClaimLost, match="'ann'"):
        await release_step(store, Actor(tenant), step, "another", None)
    await release_step(store, Actor(tenant), step, None, None)
    with pytest.raises(NotFound):
        await release_step(store, Actor(f"{tenant}-other"), step, None, None)
    assert_whole(await read(store, tenant))


async def test_t3_a_heartbeat_extends_the_lease_and_leaves_no_trace(store: Store, tenant: str) -> None:
    (step,) = await waiting(store, tenant, "one", 1)
    (claim,) = await claimed(store, tenant)
    before = await read(store, tenant)
    await let_pass(store, step, 30)
    extended = await heartbeat_step(store, Actor(tenant), step, claim["claim_token"], 600)
    assert (extended["claimed_id"], extended["claim_token"]) == (step, claim["claim_token"])
    after = await read(store, tenant)
    ends = after.attempts[step].pop("lease_expires_at")
    assert ends - before.attempts[step].pop("lease_expires_at") > timedelta(seconds=500)
    assert after == before


async def test_t3_a_heartbeat_never_shortens_a_lease(store: Store, tenant: str) -> None:
    (step,) = await waiting(store, tenant, "one", 1)
    (claim,) = await claimed(store, tenant, lease=600)
    assert await heartbeat_step(store, Actor(tenant), step, claim["claim_token"], 1) == claim


async def test_t3_a_heartbeat_of_a_claim_that_has_ended_tells_who_has_the_step(
    store: Store, tenant: str
) -> None:
    (step,) = await waiting(store, tenant, "one", 1)
    (claim,) = await claimed(store, tenant)
    actor, token = Actor(tenant), claim["claim_token"]
    with pytest.raises(ClaimLost, match="'ann'"):
        await heartbeat_step(store, actor, step, "another", 60)
    await let_pass(store, step)
    with pytest.raises(ClaimLost) as passed:
        await heartbeat_step(store, actor, step, token, 60)
    assert passed.value.claim is None
    (second,) = await claimed(store, tenant, "bob")
    with pytest.raises(ClaimLost, match="'bob'"):
        await heartbeat_step(store, actor, step, token, 60)
    await complete_step(store, actor, step, None, token=second["claim_token"])
    with pytest.raises(ClaimLost) as ended:
        await heartbeat_step(store, actor, step, second["claim_token"], 60)
    assert ended.value.claim is None
    for unknown in ("no id", new_id(IdKind.STEP_EXECUTION)):
        with pytest.raises(NotFound):
            await heartbeat_step(store, actor, unknown, token, 60)
    with pytest.raises(NotFound):
        await heartbeat_step(store, Actor(f"{tenant}-other"), step, token, 60)


async def test_t3_disabling_and_cancelling_need_no_token(store: Store, tenant: str) -> None:
    first, second = await waiting(store, tenant, "one", 2)
    tokens = {each["claimed_id"]: each["claim_token"] for each in await claimed(store, tenant, limit=2)}
    await disable_step(store, Actor(tenant), first, None)
    root = (await row_by_id(store.database, STEPS, second))["execution_id"]
    await cancel_workflow_execution(store, Actor(tenant), root, None)
    for step in (first, second):
        assert (await row_by_id(store.database, STEPS, step))["claim_worker"] is None
        with pytest.raises(InvalidTransition):
            await complete_step(store, Actor(tenant), step, None, token=tokens[step])
    assert_whole(await read(store, tenant))


async def test_i4_a_repeat_is_told_the_same_claims_and_claims_nothing_more(store: Store, tenant: str) -> None:
    steps = await waiting(store, tenant, "one", 5)
    first = await claiming(store, tenant, limit=3, once=ONCE)
    assert [each["claimed_id"] for each in first.claimed] == steps[:3]
    again = await claiming(store, tenant, limit=3, once=ONCE)
    assert again.claimed == first.claimed
    with pytest.raises(IdempotencyConflict):
        await claiming(store, tenant, limit=3, once=Once("key", "claimSteps", "another"))
    assert await ids(store, tenant, limit=5) == steps[3:]


async def test_i4_after_a_crash_between_two_trees_a_repeat_is_told_what_was_claimed(
    store: Store, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = await waiting(store, tenant, "one", 3)
    engage, seen = store.lanes.engage, []

    def stop_at_the_third(root_id: str, since: int) -> bool:
        seen.append(root_id)
        if len(seen) == 3:
            raise RuntimeError("the process ends here")
        return engage(root_id, since)

    monkeypatch.setattr(type(store.lanes), "engage", lambda _, *given: stop_at_the_third(*given))
    with pytest.raises(RuntimeError):
        await claiming(store, tenant, limit=3, once=ONCE)
    monkeypatch.undo()
    again = await claiming(store, tenant, limit=3, once=ONCE)
    assert [each["claimed_id"] for each in again.claimed] == steps[:2]
    rows = await read(store, tenant)
    for each in again.claimed:
        assert rows.attempts[each["claimed_id"]]["claim_token"] == each["claim_token"]
    assert await ids(store, tenant, limit=3) == steps[2:]


async def test_i4_an_empty_answer_is_not_remembered(store: Store, tenant: str) -> None:
    await waiting(store, tenant, "one", 0)
    assert (await claiming(store, tenant, once=ONCE)).claimed == []
    await create(store, tenant, "one")
    assert [each["claimed_id"] for each in (await claiming(store, tenant, once=ONCE)).claimed] == (
        await oldest(store, tenant)
    )


async def test_i4_what_is_claimed_after_a_completion_is_remembered_with_it(store: Store, tenant: str) -> None:
    first, second = await waiting(store, tenant, "one", 2)
    once = Once("key", "completeStep", "hash")
    completed = await complete_step(store, Actor(tenant), first, None, Guard(once=once))
    following = Once("key", "completeStep", "hash", done=completed)
    (claim,) = (await claiming(store, tenant, once=following)).claimed
    again = await complete_step(store, Actor(tenant), first, None, Guard(once=once))
    assert claim["claimed_id"] == second
    assert again == Committed(
        completed.root_id, completed.execution_id, first, completed.since, completed.revision, [claim]
    )


async def test_j2_a_token_is_in_its_row_and_nowhere_in_the_journal(store: Store, tenant: str) -> None:
    await waiting(store, tenant, "one", 1)
    (claim,) = await claimed(store, tenant)
    assert len(claim["claim_token"]) >= 24
    rows = await read(store, tenant)
    assert claim["claim_token"] not in str(rows.journal)
    (journal,) = rows.journal.values()
    assert journal[-1]["data"]["claim"] == {
        "worker": "ann",
        "claimedAt": journal[-1]["data"]["claim"]["claimedAt"],
        "leaseExpiresAt": claim["lease_expires_at"],
    }
