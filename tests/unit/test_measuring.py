"""What operations and commands are counted as (`security.md` O1)."""

import asyncio

import pytest

from server.monitoring.measuring import (
    ABANDONED,
    OTHER,
    MeasuredOperations,
    Tally,
    measure_commands,
    outcome_name,
)
from server.operations.operations import OperationRefused
from server.operations.requests import GraphQLRequest
from server.operations.responses import ErrorCode, ExecutionOutcome, error, refused
from server.telemetry.metrics import REGISTRY
from tests.protocol.toy import ToyContext, World, toy_schema

NAME = "Known"


def counted(name: str, /, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.fixture
def operations() -> MeasuredOperations:
    schema = toy_schema()
    measure_commands(schema)
    return MeasuredOperations(schema, tally=Tally({NAME}))


async def run(operations: MeasuredOperations, query: str, world: World | None = None) -> ExecutionOutcome:
    operation = operations.prepare(GraphQLRequest(query))
    return await operations.execute(operation, ToyContext(world or World()))


@pytest.mark.parametrize(
    ("selection", "outcome"),
    [
        ("hello", "ok"),
        ("refused", "errors"),
        ("broken", "internal_error"),
        ("hello broken refused", "internal_error"),
    ],
)
async def test_an_operation_is_counted_by_its_worst_error(
    operations: MeasuredOperations, selection: str, outcome: str
) -> None:
    labels = {"type": "query", "name": NAME, "outcome": outcome}
    before = counted("stepgraph_operations_total", **labels)
    await run(operations, f"query {NAME} {{ {selection} }}")
    assert counted("stepgraph_operations_total", **labels) == before + 1


async def test_an_unexpected_error_is_counted(operations: MeasuredOperations) -> None:
    before = counted("stepgraph_unexpected_errors_total")
    await run(operations, "{ broken }")
    assert counted("stepgraph_unexpected_errors_total") == before + 1


async def test_an_operation_that_nobody_waits_for_is_abandoned(operations: MeasuredOperations) -> None:
    labels = {"type": "query", "name": OTHER, "outcome": ABANDONED}
    before = counted("stepgraph_operations_total", **labels)
    world = World()
    running = asyncio.create_task(run(operations, "{ slow }", world))
    await world.until(sources=1)
    running.cancel()
    await asyncio.wait([running])
    assert counted("stepgraph_operations_total", **labels) == before + 1


async def test_what_cannot_be_prepared_is_refused(operations: MeasuredOperations) -> None:
    labels = {"type": "unknown", "name": OTHER, "outcome": "refused"}
    before = counted("stepgraph_operations_total", **labels)
    for query in ("{", "{ nothing }", "query A { hello } query B { hello }"):
        with pytest.raises(OperationRefused):
            operations.prepare(GraphQLRequest(query))
    assert counted("stepgraph_operations_total", **labels) == before + 3


async def test_a_command_is_counted_and_timed_by_its_field(operations: MeasuredOperations) -> None:
    before = counted("stepgraph_commands_total", kind="change", outcome="done")
    timed = counted("stepgraph_command_seconds_count", kind="change")
    world = World()
    answer = await run(operations, "mutation { one: change(value: 1) two: change(value: 2) }", world)
    assert (answer.data, world.value) == ({"one": 1, "two": 2}, 2)
    assert counted("stepgraph_commands_total", kind="change", outcome="done") == before + 2
    assert counted("stepgraph_command_seconds_count", kind="change") == timed + 2


@pytest.mark.parametrize(
    ("codes", "outcome"),
    [
        ([ErrorCode.TIMEOUT], "timeout"),
        ([ErrorCode.UNAVAILABLE, ErrorCode.TIMEOUT], "unavailable"),
        ([ErrorCode.TIMEOUT, ErrorCode.STORAGE_FULL], "storage_full"),
        ([ErrorCode.BAD_USER_INPUT], "errors"),
        ([ErrorCode.BAD_USER_INPUT, ErrorCode.INTERNAL_SERVER_ERROR], "internal_error"),
    ],
)
def test_outcomes_are_a_few_words(codes: list[ErrorCode], outcome: str) -> None:
    assert outcome_name(ExecutionOutcome(None, [error("", code) for code in codes])) == outcome


def test_nothing_executed_is_refused_unless_there_is_a_worse_reason() -> None:
    assert outcome_name(refused([error("", ErrorCode.BAD_USER_INPUT)])) == "refused"
    assert outcome_name(refused([error("", ErrorCode.FORBIDDEN)])) == "forbidden"
