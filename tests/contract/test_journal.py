"""The journal: dense revisions, images that fold to the rows, who and why (`live.md` J1, J2)."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.runtime.statuses import ExecutionStatus, StepStatus
from db.session import Database
from tests.api import Api, definition
from tests.contract.commands import give, ids_of, run_of, succeed
from tests.contract.fold import fold, shown
from tests.contract.samples import ONE, TWO, sequence
from tests.contract.tables import JOURNAL, STEPS, change_of, journal_of, rows_of, set_columns

# All that `WorkflowExecution` and `WorkflowStepExecution` show of a row, outputs apart.
ROWS = """
  query ($id: ID!) {
    workflowExecution(id: $id) {
      id name correlationId parentWorkflowExecutionId childIndex item workflowTemplateVersionId runtimeStatus
      createdAt startedAt completedAt failedAt cancelledAt lastActivityAt
      context revision reason failure { code message }
      steps {
        id type stepId name status attempt createdAt startedAt completedAt failedAt disabledAt passedAt disabledBy
        enteredBy dueAt isOverdue retryAt revision failure { code message } claim { worker claimedAt leaseExpiresAt }
      }
    }
  }
"""


async def assert_folds(api: Api, root_id: str) -> None:
    """The journal is dense from 1, and folding it gives the rows as the API shows them."""
    rows = await journal_of(api.store.database, root_id)
    execution = (await api.data(ROWS, id=root_id))["workflowExecution"]
    tree = (await api.data("query ($id: ID!) { workflowExecution(id: $id) { treeRevision } }", id=root_id))[
        "workflowExecution"
    ]
    assert [row["revision"] for row in rows] == list(range(1, tree["treeRevision"] + 1))
    steps = execution.pop("steps")
    assert fold(change_of(row) for row in rows) == {root_id: shown(execution, steps)}


async def test_j1_j2_the_journal_folds_to_the_rows_after_every_command(api: Api) -> None:
    await api.publish(definition("verify"), key="verify")
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two", start=False, context={"customer": {"name": None}}, name="Named")
    steps = ids_of(execution)
    await assert_folds(api, execution["id"])
    await succeed(api, "startWorkflowExecution", id=execution["id"])
    await assert_folds(api, execution["id"])
    await succeed(api, "completeStep", id=steps["a"], outputData={"x": 1})
    await assert_folds(api, execution["id"])
    await succeed(api, "failStep", id=steps["b"], code="BROKEN", message="It broke.")
    await assert_folds(api, execution["id"])
    cancelled = await run_of(api, "verify", context={})
    await succeed(api, "cancelWorkflowExecution", id=cancelled["id"], reason="changed my mind")
    await assert_folds(api, cancelled["id"])
    await assert_folds(api, execution["id"])


STATUSES = (*ExecutionStatus, *StepStatus)

LIVES = st.lists(
    st.tuples(
        st.sampled_from(["completeStep", "completeStep", "failStep", "start", "cancel"]),
        st.integers(min_value=0, max_value=4),
    ),
    max_size=8,
)


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(tasks=st.integers(min_value=0, max_value=3), begun=st.booleans(), commands=LIVES)
async def test_j2_any_commands_leave_a_journal_that_folds_to_the_rows(
    api: Api, tasks: int, begun: bool, commands: list[tuple[str, int]]
) -> None:
    raw = sequence("any", *((f"s{number}", "sys.task") for number in range(tasks)))
    key = f"any-{uuid4().hex}"
    await api.publish(raw, key=key)
    execution = await run_of(api, key, start=begun)
    steps = list(ids_of(execution).values())
    for command, number in commands:
        if command in ("start", "cancel"):
            await give(api, f"{command}WorkflowExecution", id=execution["id"])
        else:
            message = {"message": "m"} if command == "failStep" else {}
            await give(api, command, id=steps[number % len(steps)], **message)
    await assert_folds(api, execution["id"])


async def test_j2_execution_created_carries_the_context_and_the_first_attempts(api: Api) -> None:
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two", context={"customer": 1})
    first, *later = await journal_of(api.store.database, execution["id"])
    assert (first["kind"], first["from_status"], first["to_status"]) == (
        "EXECUTION_CREATED",
        None,
        "NotStarted",
    )
    assert first["data"]["context"] == {"customer": 1}
    assert {step["stepId"]: step["id"] for step in first["data"]["steps"]} == ids_of(execution)
    assert not [row for row in later if "context" in row["data"]]


async def test_j2_no_output_and_no_claim_token_is_in_the_journal(api: Api, tenant: str) -> None:
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two")
    steps = ids_of(execution)
    await set_columns(api.store.database, STEPS, steps["a"], claim_token="s3cret", claim_worker="w")
    answer = await succeed(
        api, "completeStep", id=steps["a"], outputData={"hidden": "0utput"}, claimToken="s3cret"
    )
    told = str(await rows_of(api.store.database, JOURNAL, tenant)) + str(answer["changes"])
    assert "0utput" not in told
    assert "s3cret" not in told
    assert not [change for change in answer["changes"] if {"outputData", "claimToken"} & set(change["data"])]


async def test_j2_a_commands_changes_are_the_journal_between_its_two_revisions(api: Api) -> None:
    await api.publish(TWO, key="two")
    created = await succeed(api, "createWorkflowExecution", workflowTemplateKey="two")
    root_id = created["workflowExecution"]["id"]
    completed = await succeed(api, "completeStep", id=ids_of(created["workflowExecution"])["a"])
    (heard_first, heard) = api.announcer.committed
    assert (heard_first.since, heard_first.revision) == (0, created["revision"])
    assert (heard.root_id, heard.since, heard.revision) == (
        root_id,
        created["revision"],
        completed["revision"],
    )
    journal = [change_of(row) for row in await journal_of(api.store.database, root_id)]
    told = created["changes"] + completed["changes"]
    assert [(each["revision"], each["kind"], each["data"]) for each in told] == [
        (change.revision, change.kind, change.data) for change in journal
    ]
    assert [(each["fromStatus"], each["toStatus"]) for each in told] == [
        (change.from_status and change.from_status.name, change.to_status and change.to_status.name)
        for change in map(_spelt, journal)
    ]
    assert (
        completed["changeCount"] == len(completed["changes"]) == completed["revision"] - created["revision"]
    )


def _spelt(change: Any) -> Any:
    """A journal row's statuses, which the database holds in the seed's spelling, as members."""
    from_status, to_status = (
        None if text is None else next(each for each in STATUSES if each.value == text)
        for text in (change.from_status, change.to_status)
    )
    return replace(change, from_status=from_status, to_status=to_status)


async def test_j2_the_actor_and_the_reason_stand_in_the_journal(api: Api, tenant: str) -> None:
    await api.publish(ONE, key="one")
    nobody = Api(api.store, tenant, actor=None)
    execution = await run_of(api, "one", start=False)
    await succeed(nobody, "startWorkflowExecution", id=execution["id"])
    await succeed(
        Api(api.store, tenant, actor="boss"), "cancelWorkflowExecution", id=execution["id"], reason="é"
    )
    told = [
        (row["kind"], row["actor"], row["reason"])
        for row in await journal_of(api.store.database, execution["id"])
    ]
    assert told == [
        ("EXECUTION_CREATED", "tester", None),
        ("EXECUTION_STARTED", None, None),
        ("STEP_STARTED", None, None),
        ("STEP_COMPLETED", None, None),
        ("STEP_STARTED", None, None),
        ("EXECUTION_CANCELLED", "boss", "é"),
        ("STEP_DISABLED", "boss", None),
    ]


async def test_j4_a_row_knows_the_transaction_that_wrote_it(api: Api, database: Database) -> None:
    await api.publish(ONE, key="one")
    execution = await run_of(api, "one")
    await succeed(api, "completeStep", id=ids_of(execution)["a"])
    rows = await journal_of(database, execution["id"])
    transactions = [row["xid"] for row in rows]
    if database.kind == "sqlite":
        assert set(transactions) == {0}
    else:
        assert len(set(transactions)) == 2
        assert min(transactions) > 0
    assert transactions == sorted(transactions)
    assert [row["position"] for row in rows] == sorted(row["position"] for row in rows)
