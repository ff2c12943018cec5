"""Claims as the API shows them: tokens and leases, what is refused as data and what as bad input (`runtime.md` T3, I6)."""

from typing import Any

import pytest

from db.session import Unavailable
from tests.api import Api
from tests.contract.claims import ONE, let_pass
from tests.schema.answers import answer

ERRORS = "... on Error { __typename message } ... on ClaimLost { claim { worker claimedAt leaseExpiresAt } }"
CLAIM = f"""
  mutation ($input: ClaimStepsInput!) {{
    claimSteps(input: $input) {{
      {ERRORS}
      ... on ClaimSuccess {{
        claimed {{
          claimToken leaseExpiresAt
          step {{ id stepId claim {{ worker leaseExpiresAt }} workflowExecution {{ id context }} }}
        }}
      }}
    }}
  }}
"""
HEARTBEAT = f"""
  mutation ($input: HeartbeatStepInput!) {{
    heartbeatStep(input: $input) {{
      {ERRORS} ... on ClaimSuccess {{ claimed {{ claimToken leaseExpiresAt step {{ id }} }} }}
    }}
  }}
"""
RELEASE = f"""
  mutation ($input: ReleaseStepInput!) {{
    releaseStep(input: $input) {{
      {ERRORS} ... on TransitionSuccess {{ step {{ claim {{ worker }} }} changes {{ kind reason }} }}
    }}
  }}
"""
COMPLETE = f"""
  mutation ($input: CompleteStepInput!) {{
    completeStep(input: $input) {{
      {ERRORS}
      ... on TransitionSuccess {{
        revision step {{ id status }}
        next {{ claimToken leaseExpiresAt step {{ id claim {{ worker }} }} }}
      }}
    }}
  }}
"""


@pytest.fixture
async def waiting(api: Api) -> list[str]:
    """The tasks of three executions, the oldest first."""
    await api.publish(ONE, key="one")
    executions = [await api.start("one", context={"n": n}) for n in range(3)]
    return [next(s["id"] for s in each["steps"] if s["stepId"] == "task") for each in executions]


async def give(api: Api, document: str, **given: Any) -> Any:
    """What a mutation answers."""
    (told,) = (await api.data(document, input=given)).values()
    return told


async def claim(api: Api, **given: Any) -> Any:
    return (await give(api, CLAIM, worker="ann", **given))["claimed"]


async def bad(api: Api, document: str, **given: Any) -> str:
    """The message of an input that is turned down."""
    told = await api.run(document, {"input": given})
    (error,) = told["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    message: str = error["message"]
    return message


async def test_claimed_steps_are_projected_by_one_statement(api: Api, waiting: list[str]) -> None:
    given = {"worker": "ann", "limit": 2, "stepIds": ["task"]}
    claimed = (await answer(api, CLAIM, 1, input=given))["claimSteps"]["claimed"]
    assert [each["step"]["id"] for each in claimed] == waiting[:2]
    assert [each["step"]["workflowExecution"]["context"] for each in claimed] == [{"n": 0}, {"n": 1}]
    for each in claimed:
        assert each["step"]["claim"] == {"worker": "ann", "leaseExpiresAt": each["leaseExpiresAt"]}
    assert len({each["claimToken"] for each in claimed}) == 2
    assert len(api.announcer.committed) == 5


async def test_none_is_an_answer_too(api: Api) -> None:
    assert await claim(api) == []


async def test_a_null_lease_is_an_assignment_and_an_absent_one_a_minute(api: Api, waiting: list[str]) -> None:
    assert [each["leaseExpiresAt"] for each in await claim(api, leaseSeconds=None)] == [None]
    ((lease),) = [each["leaseExpiresAt"] for each in await claim(api)]
    assert lease is not None


async def test_a_lost_claim_tells_who_has_the_step_now(api: Api, waiting: list[str]) -> None:
    ((first),) = await claim(api)
    await let_pass(api.store, waiting[0])
    lost = await give(api, COMPLETE, id=waiting[0], claimToken=first["claimToken"])
    assert lost == {"__typename": "ClaimLost", "message": lost["message"], "claim": None}
    second = await give(api, CLAIM, worker="bob", ids=[waiting[0]])
    lost = await give(api, COMPLETE, id=waiting[0], claimToken=first["claimToken"])
    assert lost["claim"]["worker"] == "bob"
    assert lost["claim"]["leaseExpiresAt"] == second["claimed"][0]["leaseExpiresAt"]
    done = await give(api, COMPLETE, id=waiting[0], claimToken=second["claimed"][0]["claimToken"])
    assert done["step"] == {"id": waiting[0], "status": "COMPLETED"}
    assert done["next"] is None


async def test_a_heartbeat_answers_the_claim_with_its_new_lease(api: Api, waiting: list[str]) -> None:
    ((claimed),) = await claim(api)
    extended = await give(api, HEARTBEAT, id=waiting[0], claimToken=claimed["claimToken"], leaseSeconds=3600)
    ((told),) = extended["claimed"]
    assert told["claimToken"] == claimed["claimToken"]
    assert told["leaseExpiresAt"] > claimed["leaseExpiresAt"]
    lost = await give(api, HEARTBEAT, id=waiting[0], claimToken="another")
    assert lost["claim"]["leaseExpiresAt"] == told["leaseExpiresAt"]
    assert (await give(api, HEARTBEAT, id="nobody", claimToken="x"))["__typename"] == "NotFound"


async def test_a_release_is_told_with_its_reason(api: Api, waiting: list[str]) -> None:
    await claim(api)
    released = await give(api, RELEASE, id=waiting[0], reason="She is ill.")
    assert released == {
        "step": {"claim": None},
        "changes": [{"kind": "STEP_RELEASED", "reason": "She is ill."}],
    }
    assert (await give(api, RELEASE, id=waiting[0]))["__typename"] == "ClaimLost"


async def test_the_next_step_is_claimed_after_a_completion(api: Api, waiting: list[str]) -> None:
    """In a transaction of its own: each of the two rings."""
    api.announcer.committed.clear()
    done = await give(api, COMPLETE, id=waiting[0], claimNext={"worker": "ann"})
    assert done["next"]["step"] == {"id": waiting[1], "claim": {"worker": "ann"}}
    assert len({each.root_id for each in api.announcer.committed}) == 2
    token = done["next"]["claimToken"]
    done = await give(api, COMPLETE, id=waiting[1], claimToken=token, claimNext={"worker": "ann"})
    token = done["next"]["claimToken"]
    done = await give(api, COMPLETE, id=waiting[2], claimToken=token, claimNext={"worker": "ann"})
    assert done["next"] is None


async def test_i4_a_repeated_completion_answers_the_same_next_step(api: Api, waiting: list[str]) -> None:
    given: dict[str, Any] = {"id": waiting[0], "claimNext": {"worker": "ann"}, "idempotencyKey": "once"}
    first = await give(api, COMPLETE, **given)
    assert first["next"]["step"]["id"] == waiting[1]
    assert await give(api, COMPLETE, **given) == first
    assert [each["step"]["id"] for each in await claim(api, limit=5)] == waiting[2:]
    other = {**given, "claimNext": {"worker": "bob"}}
    assert (await give(api, COMPLETE, **other))["__typename"] == "IdempotencyConflict"


async def test_a_completion_stands_though_nothing_can_be_claimed_after_it(
    api: Api, waiting: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: Any) -> Any:
        raise Unavailable("The database does not answer.")

    monkeypatch.setattr(api.database, "rows", gone, raising=False)
    done = await give(api, COMPLETE, id=waiting[0], claimNext={"worker": "ann"})
    assert done["step"]["status"] == "COMPLETED"
    assert done["next"] is None


async def test_i4_a_repeat_answers_the_first_claims(api: Api, waiting: list[str]) -> None:
    first = await claim(api, limit=2, idempotencyKey="once")
    assert await claim(api, limit=2, idempotencyKey="once") == first
    told = await give(api, CLAIM, worker="ann", limit=3, idempotencyKey="once")
    assert told["__typename"] == "IdempotencyConflict"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"limit": 0}, "limit is 0; 1 to 100"),
        ({"limit": 101}, "limit is 101"),
        ({"leaseSeconds": 0}, "leaseSeconds is 0; 1 to 86400"),
        ({"leaseSeconds": 86_401}, "leaseSeconds is 86401"),
        ({"waitSeconds": -1}, "waitSeconds is -1; 0 to 30"),
        ({"waitSeconds": 31}, "waitSeconds is 31"),
        ({"worker": ""}, "worker has 0 characters"),
        ({"worker": " "}, "worker has 1 characters"),
        ({"worker": "w" * 201}, "worker has 201 characters"),
        ({"worker": "a\0b"}, "NUL"),
        ({"ids": ["x"] * 501}, "ids has 501 entries; at most 500"),
        ({"stepIds": ["x\0"]}, "stepIds holds a NUL"),
        ({"workflowTemplateKeys": ["\ud800"]}, "workflowTemplateKeys holds a NUL character or a lone"),
    ],
    ids=str,
)
async def test_i6_what_is_out_of_range_is_named(api: Api, given: dict[str, Any], named: str) -> None:
    assert named in await bad(api, CLAIM, **{"worker": "ann", **given})
    assert named in await bad(api, COMPLETE, id="x", claimNext={"worker": "ann", **given})


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"leaseSeconds": None}, "leaseSeconds of claimNext is null"),
        ({"limit": 2}, "limit of claimNext is 2"),
        ({"idempotencyKey": "k"}, "claimNext takes no idempotencyKey"),
    ],
    ids=str,
)
async def test_what_is_claimed_next_is_one_step_under_a_lease(
    api: Api, waiting: list[str], given: dict[str, Any], named: str
) -> None:
    """And a completion that asks for more is not carried out."""
    assert named in await bad(api, COMPLETE, id=waiting[0], claimNext={"worker": "ann", **given})
    assert len(await claim(api, limit=3)) == 3


async def test_i6_a_heartbeats_lease_is_in_range(api: Api) -> None:
    for seconds, named in ((0, "1 to 86400"), (86_401, "1 to 86400"), (None, "is null")):
        assert named in await bad(api, HEARTBEAT, id="x", claimToken="x", leaseSeconds=seconds)
