"""Executions as the database keeps them: what commands leave behind (`runtime.md` F1–F6, S2–S6)."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.api import Api, definition
from tests.contract.commands import codes, ids_of, refuse, run_of, succeed
from tests.contract.samples import ONE, TWO
from tests.contract.tables import EXECUTIONS, STEPS, journal_of, row_by_id, rows_of, set_columns

FAR = datetime(2999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


async def test_f1_created_without_start_every_step_waits(api: Api, tenant: str) -> None:
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two", start=False)
    assert execution["runtimeStatus"] == "NOT_STARTED"
    assert [(step["stepId"], step["status"]) for step in execution["steps"]] == [
        (step_id, "NOT_STARTED") for step_id in ("start", "a", "b", "end")
    ]
    row = await row_by_id(api.store.database, EXECUTIONS, execution["id"])
    assert (row["started_at"], row["last_activity_at"], row["tree_revision"]) == (None, None, 1)
    assert {step["attempt"] for step in await rows_of(api.store.database, STEPS, tenant)} == {1}


async def test_f1_starting_moves_to_the_first_waiting_step(api: Api) -> None:
    await api.publish(TWO, key="two")
    created = await run_of(api, "two", start=False)
    answer = await succeed(api, "startWorkflowExecution", id=created["id"])
    started = answer["workflowExecution"]
    assert [step["status"] for step in started["steps"]] == [
        "COMPLETED",
        "IN_PROGRESS",
        "NOT_STARTED",
        "NOT_STARTED",
    ]
    assert [change["kind"] for change in answer["changes"]] == [
        "EXECUTION_STARTED",
        "STEP_STARTED",
        "STEP_COMPLETED",
        "STEP_STARTED",
    ]
    assert ids_of(created) == ids_of(started)


async def test_f2_due_is_the_start_plus_due_in_by_the_utc_calendar(api: Api) -> None:
    await api.publish(definition("verify"), key="verify")
    step = ids_of(await run_of(api, "verify", context={}))["verify"]
    row = await row_by_id(api.store.database, STEPS, step)
    assert row["due_at"] == row["started_at"] + timedelta(days=3)


async def test_f3_f6_one_command_carries_the_execution_to_its_end(api: Api) -> None:
    await api.publish(ONE, key="one")
    execution = await run_of(api, "one")
    answer = await succeed(api, "completeStep", id=ids_of(execution)["a"], outputData={"note": [1, None]})
    assert answer["workflowExecution"]["runtimeStatus"] == "COMPLETED"
    assert [change["kind"] for change in answer["changes"]] == [
        "STEP_COMPLETED",
        "STEP_ARRIVED",
        "STEP_STARTED",
        "STEP_COMPLETED",
        "EXECUTION_COMPLETED",
    ]
    row = await row_by_id(api.store.database, EXECUTIONS, execution["id"])
    times = {change["at"] for change in await journal_of(api.store.database, execution["id"])}
    assert {row["completed_at"], row["last_activity_at"], row["tree_changed_at"]} == {max(times)}
    step = await row_by_id(api.store.database, STEPS, ids_of(execution)["a"])
    assert step["output_data"] == {"note": [1, None]}


async def test_s4_failing_without_attempts_left_fails_the_execution(api: Api) -> None:
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two")
    step_id = ids_of(execution)["a"]
    answer = await succeed(api, "failStep", id=step_id, code="NO_ANSWER", message="Nobody was there.")
    assert answer["workflowExecution"]["runtimeStatus"] == "FAILED"
    step = await row_by_id(api.store.database, STEPS, step_id)
    assert (step["failure_code"], step["failure_message"]) == ("NO_ANSWER", "Nobody was there.")
    row = await row_by_id(api.store.database, EXECUTIONS, execution["id"])
    assert row["failure_code"] == "STEP_FAILED"
    assert "'a'" in row["failure_message"]
    assert row["failed_at"] == step["failed_at"]


async def test_s4_a_failure_without_a_code_is_failed_and_an_empty_code_is_refused(api: Api) -> None:
    await api.publish(ONE, key="one")
    step_id = ids_of(await run_of(api, "one"))["a"]
    assert codes(await refuse(api, "failStep", id=step_id, code=" ", message="")) == ["TEXT_LENGTH"]
    await succeed(api, "failStep", id=step_id, message="")
    step = await row_by_id(api.store.database, STEPS, step_id)
    assert (step["failure_code"], step["failure_message"]) == ("FAILED", "")


async def test_s6_cancel_disables_steps_in_progress(api: Api) -> None:
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two")
    answer = await succeed(api, "cancelWorkflowExecution", id=execution["id"], reason="no longer needed")
    cancelled = answer["workflowExecution"]
    assert cancelled["runtimeStatus"] == "CANCELLED"
    assert [step["status"] for step in cancelled["steps"]] == [
        "COMPLETED",
        "DISABLED",
        "NOT_STARTED",
        "NOT_STARTED",
    ]
    assert [(change["kind"], change["reason"]) for change in answer["changes"]] == [
        ("EXECUTION_CANCELLED", "no longer needed"),
        ("STEP_DISABLED", None),
    ]
    step = await row_by_id(api.store.database, STEPS, ids_of(execution)["a"])
    assert step["disabled_by"] == "CANCEL"
    row = await row_by_id(api.store.database, EXECUTIONS, execution["id"])
    assert row["reason"] == "no longer needed"
    assert row["cancelled_at"] == step["disabled_at"] == row["last_activity_at"]


async def test_s2_times_are_utc_from_the_databases_clock_and_in_order(api: Api) -> None:
    before = datetime.now(UTC) - timedelta(minutes=5)
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two")
    await succeed(api, "completeStep", id=ids_of(execution)["a"])
    times = [change["at"] for change in await journal_of(api.store.database, execution["id"])]
    assert times == sorted(times)
    assert all(time.utcoffset() == timedelta(0) for time in times)
    assert before < times[0] <= times[-1] < datetime.now(UTC) + timedelta(minutes=5)


async def test_s2_no_time_is_earlier_than_the_trees_last_change(api: Api) -> None:
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two")
    await set_columns(api.store.database, EXECUTIONS, execution["id"], tree_changed_at=FAR)
    answer = await succeed(api, "completeStep", id=ids_of(execution)["a"])
    assert {change["at"] for change in answer["changes"]} == {"2999-12-31T23:59:59.999999Z"}
    row = await row_by_id(api.store.database, EXECUTIONS, execution["id"])
    assert (row["tree_changed_at"], row["last_activity_at"]) == (FAR, FAR)
    step = await row_by_id(api.store.database, STEPS, ids_of(execution)["b"])
    assert step["started_at"] == FAR


async def test_s2_started_at_is_null_only_while_not_started(api: Api) -> None:
    await api.publish(ONE, key="one")
    created = await run_of(api, "one", start=False)
    assert (await row_by_id(api.store.database, EXECUTIONS, created["id"]))["started_at"] is None
    await succeed(api, "startWorkflowExecution", id=created["id"])
    assert (await row_by_id(api.store.database, EXECUTIONS, created["id"]))["started_at"]


async def test_c1_a_root_is_named_by_its_template_and_correlated_by_its_own_id(api: Api) -> None:
    await api.publish(ONE, key="one")
    execution = await run_of(api, "one")
    row = await row_by_id(api.store.database, EXECUTIONS, execution["id"])
    assert (row["name"], row["correlation_id"]) == ("One", execution["id"])
    assert (row["root_id"], row["parent_id"], row["depth"]) == (execution["id"], None, 0)
    named = await run_of(api, "one", name="n" * 200, correlationId="c" * 255)
    row = await row_by_id(api.store.database, EXECUTIONS, named["id"])
    assert (row["name"], row["correlation_id"]) == ("n" * 200, "c" * 255)


@pytest.mark.parametrize(
    "given",
    [{"name": ""}, {"name": "n" * 201}, {"correlationId": " "}, {"correlationId": "c" * 256}],
    ids=str,
)
async def test_a_name_and_a_correlation_id_that_are_given_hold_something_and_are_bounded(
    api: Api, tenant: str, given: dict[str, str]
) -> None:
    await api.publish(ONE, key="one")
    refusal = await refuse(api, "createWorkflowExecution", workflowTemplateKey="one", **given)
    assert [issue["path"] for issue in refusal["issues"]] == [f"/{name}" for name in given]
    assert not await rows_of(api.store.database, EXECUTIONS, tenant)


async def test_exactly_one_of_version_and_key_says_what_to_run(api: Api) -> None:
    template = await api.publish(ONE, key="one")
    document = "mutation ($input: CreateWorkflowExecutionInput!) { createWorkflowExecution(input: $input) { __typename } }"
    both = {"workflowTemplateKey": "one", "workflowTemplateVersionId": template["activeVersion"]["id"]}
    for given in ({}, both, {"workflowTemplateKey": None}):
        (error,) = (await api.run(document, {"input": given}))["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
