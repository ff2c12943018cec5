"""Which process evaluates (`runtime.md` X3): light expressions here, the rest in workers that may be lost."""

import asyncio
import os
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from db.evaluation.driver import HERE_WORK, Evaluations
from db.evaluation.pool import PoolClosed, WorkersUnavailable
from db.evaluation.worker_process import WorkerProcess
from db.runtime.expressions import (
    NOTHING,
    Evaluation,
    EvaluationRequest,
    ExpressionFailed,
    ExpressionInput,
    FailureCode,
    Outcome,
)
from tests.contract.evaluation.endless import ENDLESS
from tests.hostile_expressions import CONTEXT, HOSTILE

NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
LIGHT = "__context__.company.type = 'llp'"
HEAVY = "$map([0..2], function($x) { $x * 2 })"
GIVEN = ExpressionInput(context=CONTEXT)

pytestmark = pytest.mark.timeout(120)


def request_for(src: str, given: ExpressionInput = GIVEN, *, record_reads: bool = False) -> EvaluationRequest:
    return EvaluationRequest(src, given, NOW, record_reads)


def value(outcome: Outcome) -> Any:
    assert isinstance(outcome, Evaluation), outcome
    return outcome.value


def code(outcome: Outcome) -> FailureCode:
    assert isinstance(outcome, ExpressionFailed), outcome
    return outcome.code


async def test_x3_a_light_expression_needs_no_worker(evaluations: Evaluations) -> None:
    (outcome,) = await evaluations.evaluate_many([request_for(LIGHT)])
    assert value(outcome) is True
    assert evaluations.pool.pids == []


async def test_x3_what_is_not_light_goes_to_a_worker_which_the_next_one_finds_there(
    evaluations: Evaluations,
) -> None:
    assert [value(each) for each in await evaluations.evaluate_many([request_for(HEAVY)])] == [[0, 2, 4]]
    pids = evaluations.pool.pids
    assert len(pids) == 1
    await evaluations.evaluate_many([request_for(HEAVY)])
    assert evaluations.pool.pids == pids


async def test_x3_what_is_light_but_takes_much_work_goes_to_a_worker(evaluations: Evaluations) -> None:
    src = "__context__.people[id > 10][0].id"
    (outcome,) = await evaluations.evaluate_many([request_for(src)])
    assert isinstance(outcome, Evaluation)
    assert outcome.work > HERE_WORK
    assert len(evaluations.pool.pids) == 1


async def test_outcomes_come_in_the_order_of_their_requests(evaluations: Evaluations) -> None:
    sources = [
        HEAVY,
        LIGHT,
        ENDLESS,
        "1 +",
        "$error('no')",
        "missing",
        "$now() & ''",
        "$match('a', /a/).match",
    ]
    outcomes = await evaluations.evaluate_many([request_for(src) for src in sources])
    assert value(outcomes[0]) == [0, 2, 4]
    assert value(outcomes[1]) is True
    assert code(outcomes[2]) is FailureCode.LIMIT_EXCEEDED
    assert code(outcomes[3]) is FailureCode.EXPRESSION_SYNTAX
    assert code(outcomes[4]) is FailureCode.EXPRESSION_FAILED
    assert value(outcomes[5]) is NOTHING
    assert value(outcomes[6]) == "2024-05-06T07:08:09.000Z"
    assert value(outcomes[7]) == "a"


async def test_no_requests_have_no_outcomes(evaluations: Evaluations) -> None:
    assert await evaluations.evaluate_many([]) == []
    assert evaluations.evaluate_many_blocking([]) == []


@pytest.mark.parametrize("src", [LIGHT, "$map([1], function($x) { $$.__context__.company.type })", "1 +"])
async def test_a_thread_gets_the_same_outcomes_as_the_loop(evaluations: Evaluations, src: str) -> None:
    request = request_for(src, record_reads=True)
    (here,) = await evaluations.evaluate_many([request])
    (there,) = await asyncio.to_thread(evaluations.evaluate_many_blocking, [request])
    assert (here == there) or (str(here) == str(there))


async def test_s5_reads_come_back_from_a_worker(evaluations: Evaluations) -> None:
    src = "$map([1], function($x) { [__context__.company.type, __each__.no] })"
    (outcome,) = await evaluations.evaluate_many([request_for(src, record_reads=True)])
    assert isinstance(outcome, Evaluation)
    assert [(read.path, read.value) for read in outcome.reads] == [
        ("__context__.company.type", "llp"),
        ("__each__.no", NOTHING),
    ]


async def test_x1_nothing_null_and_items_of_every_kind_survive_the_way_to_a_worker_and_back(
    evaluations: Evaluations,
) -> None:
    items = [NOTHING, None, 0, "é\u2028", [None], {"a": None}, 2**63 - 1, 1e300, {"each": [[]]}]
    src = "(function($x) { __each__ })(1)"
    requests = [request_for(src, ExpressionInput(each=item)) for item in items]
    assert [value(each) for each in await evaluations.evaluate_many(requests)] == items


async def test_x3_a_batch_of_10_000_items_is_one_call(evaluations: Evaluations) -> None:
    requests = [
        request_for(
            "'DSC for ' & __each__.name", ExpressionInput(context=CONTEXT, each={"name": str(number)})
        )
        for number in range(10_000)
    ]
    outcomes = await evaluations.evaluate_many(requests, deadline_seconds=60)
    assert [value(each) for each in outcomes] == [f"DSC for {number}" for number in range(10_000)]


@pytest.mark.parametrize("src", HOSTILE)
async def test_x3_a_worker_refuses_a_hostile_expression_and_lives(evaluations: Evaluations, src: str) -> None:
    hostile, other = await evaluations.evaluate_many([request_for(src), request_for(HEAVY)])
    assert code(hostile) is FailureCode.LIMIT_EXCEEDED
    assert value(other) == [0, 2, 4]
    assert len(evaluations.pool.pids) == 1


async def test_x3_an_evaluation_that_looks_at_no_bound_is_ended_with_its_worker(
    boundless: Evaluations,
) -> None:
    before = await boundless.evaluate_many([request_for(HEAVY)])
    pids = boundless.pool.pids
    first, endless, last = await boundless.evaluate_many(
        [request_for(src) for src in (HEAVY, ENDLESS, HEAVY)]
    )
    assert code(endless) is FailureCode.LIMIT_EXCEEDED
    assert "takes too long, or too much memory" in str(endless)
    assert value(first) == value(last) == value(before[0])
    assert boundless.pool.pids != pids


async def test_x3_the_memory_of_a_worker_is_bounded(boundless: Evaluations) -> None:
    huge, other = await boundless.evaluate_many(
        [request_for("$length($pad('', 3000000000))"), request_for(HEAVY)]
    )
    assert code(huge) is FailureCode.LIMIT_EXCEEDED
    assert "memory" in str(huge)
    assert value(other) == [0, 2, 4]


async def test_x3_one_commands_evaluations_are_bounded_together(evaluations: Evaluations) -> None:
    outcomes = await evaluations.evaluate_many([request_for(ENDLESS)] * 50, deadline_seconds=0.000_001)
    assert {code(each) for each in outcomes} == {FailureCode.LIMIT_EXCEEDED}
    assert "of one command" in str(outcomes[-1])


async def test_x3_a_hostile_command_costs_others_nothing(evaluations: Evaluations) -> None:
    attack = asyncio.create_task(evaluations.evaluate_many([request_for(ENDLESS)] * 40, deadline_seconds=60))
    light = [await evaluations.evaluate_many([request_for(LIGHT)]) for _ in range(50)]
    assert not attack.done()
    heavy = await evaluations.evaluate_many([request_for(HEAVY)])
    assert not attack.done()
    assert {value(outcome) for (outcome,) in light} == {True}
    assert value(heavy[0]) == [0, 2, 4]
    assert {code(each) for each in await attack} == {FailureCode.LIMIT_EXCEEDED}


async def test_x3_with_one_worker_commands_take_turns() -> None:
    evaluations = Evaluations(workers=1)
    try:
        attack = asyncio.create_task(
            evaluations.evaluate_many([request_for(ENDLESS)] * 100, deadline_seconds=60)
        )
        heavy = await evaluations.evaluate_many([request_for(HEAVY)])
        assert value(heavy[0]) == [0, 2, 4]
        assert not attack.done()
        await attack
    finally:
        evaluations.close()


async def test_x3_many_light_expressions_at_once_let_the_loop_go_round(evaluations: Evaluations) -> None:
    """Each by itself is light; a hundred in one round of the loop would not be."""
    small = ExpressionInput(context={"people": [{"id": number} for number in range(100)]})
    request = request_for("$count(__context__.people.id)", small)
    (outcome,) = await evaluations.evaluate_many([request])
    assert isinstance(outcome, Evaluation)
    log: list[str] = []

    async def evaluate() -> None:
        await evaluations.evaluate_many([request])
        log.append("evaluated")

    async def turn() -> None:
        while True:
            log.append("turn")
            await asyncio.sleep(0)

    turning = asyncio.ensure_future(turn())
    await asyncio.gather(*(evaluate() for _ in range(100)))
    turning.cancel()
    rounds = [len(of_round.split()) for of_round in " ".join(log).split("turn")]
    assert evaluations.pool.pids == []
    assert max(rounds) <= 2 + HERE_WORK // outcome.work < 20
    assert sum(rounds) == 100


class Killing:
    """Kills a worker, as soon as there is one, before it has answered."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
        self.killed: list[int] = []
        ask = WorkerProcess.ask

        def asked(worker: WorkerProcess, payload: bytes) -> Any:
            frames = ask(worker, payload)
            if len(self.killed) < times:
                self.killed.append(worker.pid)
                os.kill(worker.pid, 9)
            return frames

        monkeypatch.setattr(WorkerProcess, "ask", asked)


async def test_x3_a_worker_that_is_killed_is_replaced_and_its_command_goes_on(
    boundless: Evaluations, monkeypatch: pytest.MonkeyPatch
) -> None:
    killing = Killing(monkeypatch, times=1)
    slow = "$count($map([1..10000], function($x) { $x }))"
    outcomes = await boundless.evaluate_many([request_for(slow), request_for(HEAVY)])
    assert [value(each) for each in outcomes] == [10_000, [0, 2, 4]]
    assert len(killing.killed) == 1
    assert boundless.pool.pids
    assert killing.killed[0] not in boundless.pool.pids


async def test_x3_two_workers_lost_over_one_request_are_held_to_be_its_fault(
    boundless: Evaluations, monkeypatch: pytest.MonkeyPatch
) -> None:
    killing = Killing(monkeypatch, times=2)
    slow = "$count($map([1..10000], function($x) { $x }))"
    outcomes = await boundless.evaluate_many([request_for(slow), request_for(HEAVY)])
    assert len(killing.killed) == 2
    assert code(outcomes[0]) is FailureCode.LIMIT_EXCEEDED
    assert value(outcomes[1]) == [0, 2, 4]


async def test_x3_a_killed_worker_does_not_disturb_the_other(
    evaluations: Evaluations, monkeypatch: pytest.MonkeyPatch
) -> None:
    killing = Killing(monkeypatch, times=1)
    outcomes = await asyncio.gather(*(evaluations.evaluate_many([request_for(HEAVY)]) for _ in range(20)))
    assert [value(each) for (each,) in outcomes] == [[0, 2, 4]] * 20
    assert len(killing.killed) == 1


def test_after_closing_nothing_runs_and_commands_are_told(boundless: Evaluations) -> None:
    started = threading.Event()
    caught: list[BaseException] = []
    spawned = WorkerProcess.ask

    def waiting() -> None:
        try:
            boundless.evaluate_many_blocking([request_for(ENDLESS)] * 1_000, deadline_seconds=600)
        except WorkersUnavailable as error:
            caught.append(error)

    def asked(worker: WorkerProcess, payload: bytes) -> Any:
        started.set()
        return spawned(worker, payload)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(WorkerProcess, "ask", asked)
        thread = threading.Thread(target=waiting)
        thread.start()
        assert started.wait(60)
        boundless.close()
        thread.join(60)
    assert isinstance(caught[0], PoolClosed)
    assert boundless.pool.pids == []
    with pytest.raises(PoolClosed):
        boundless.evaluate_many_blocking([request_for(HEAVY)])


def test_a_worker_that_cannot_start_fails_the_call_and_not_the_expression(
    evaluations: Evaluations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(WorkersUnavailable, match="ended while it was starting"):
        evaluations.evaluate_many_blocking([request_for(HEAVY)])
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(WorkersUnavailable, match="can be started"):
        evaluations.evaluate_many_blocking([request_for(HEAVY)])
    monkeypatch.undo()
    assert [value(each) for each in evaluations.evaluate_many_blocking([request_for(HEAVY)])] == [[0, 2, 4]]
