"""What a workflow does not admit, as data and alike over every transport (`runtime.md` I1, I6, S1, S7; 2)."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from db.runtime.validation import IssueCode
from tests.frontend_documents import document
from tests.process.clients import TRANSPORTS, Ask
from tests.process.workflows import Execution, create, send
from tests.servers import ServerProcess

VERIFIED = {"verified": True}
NOBODY = {kind: f"{kind}_01m89ke0fte1m9hverf5hxdyms" for kind in ("exec", "step", "tmpl", "tver")}
NO_IDS = ["", "x", "1", "exec_", "EXEC_01M89KE0FTE1M9HVERF5HXDYMS", "é", "exec_'; drop table journal; --"]


@pytest.fixture(params=TRANSPORTS.values(), ids=TRANSPORTS.keys())
def ask(request: pytest.FixtureRequest) -> Ask:
    """Each transport in turn."""
    asked: Ask = request.param
    return asked


@dataclass(frozen=True, slots=True)
class World:
    """Ids of each kind, and two executions."""

    template: str
    version: str
    waiting: Execution
    cancelled: Execution

    def ids_but(self, kind: str) -> list[str]:
        """What is no id of an object of this kind."""
        real = {
            "tmpl": self.template,
            "tver": self.version,
            "exec": self.waiting.id,
            "step": self.waiting.steps["verify"],
        }
        return [NOBODY[kind], *NO_IDS, *(id_ for other, id_ in real.items() if other != kind)]


@pytest.fixture(scope="session")
def world(server: ServerProcess) -> World:
    """The `verify` demo with an execution that waits and one that was cancelled."""

    async def make() -> World:
        waiting, cancelled = await create(server), await create(server)
        await send(server, "CancelExecution", "TransitionSuccess", input={"id": cancelled.id})
        found = server.graphql('{ workflowTemplate(key: "verify") { id activeVersion { id } } }')
        template = found["workflowTemplate"]
        return World(template["id"], template["activeVersion"]["id"], waiting, cancelled)

    return asyncio.run(make())


async def test_i6_unknown_ids_ids_of_another_type_and_no_ids_are_one_answer(
    server: ServerProcess, world: World, ask: Ask
) -> None:
    """Every command; `NotFound` gives the id back."""
    commands: list[tuple[str, str, dict[str, Any]]] = [
        ("BeginExecution", "exec", {}),
        ("CancelExecution", "exec", {"reason": "x"}),
        ("CompleteStep", "step", {"outputData": VERIFIED}),
        ("FailStep", "step", {"message": "x"}),
        ("PublishVersion", "tver", {}),
        ("ActivateVersion", "tver", {}),
        ("DeprecateVersion", "tver", {}),
        ("DeleteVersion", "tver", {}),
        ("UpdateVersion", "tver", {"versionNote": "x"}),
    ]
    for name, kind, rest in commands:
        for id_ in world.ids_but(kind):
            refusal = await send(server, name, "NotFound", ask, input={"id": id_, **rest})
            assert (refusal["id"], repr(id_) in refusal["message"]) == (id_, True)
    for id_ in world.ids_but("tmpl"):
        given = {"workflowTemplateId": id_, "version": "2.0.0", "definition": {}}
        assert (await send(server, "CreateVersion", "NotFound", ask, input=given))["id"] == id_
    for id_ in world.ids_but("tver"):
        given = {"workflowTemplateVersionId": id_}
        assert (await send(server, "StartExecution", "NotFound", ask, input=given))["id"] == id_


async def test_i6_queries_answer_null_for_them(server: ServerProcess, world: World, ask: Ask) -> None:
    for field, kind in (
        ("workflowExecution", "exec"),
        ("workflowTemplate", "tmpl"),
        ("workflowTemplateVersion", "tver"),
    ):
        for id_ in world.ids_but(kind):
            answer = await ask(server, f"query($id: ID!) {{ {field}(id: $id) {{ id }} }}", id=id_)
            assert answer == {"data": {field: None}}


@pytest.mark.parametrize("transport", ["websocket", "events"])
async def test_i6_a_subscription_to_them_is_an_error_with_a_code(
    server: ServerProcess, world: World, transport: str
) -> None:
    for id_ in world.ids_but("exec"):
        answer = await TRANSPORTS[transport](server, document("WatchExecution"), id=id_)
        (error,) = answer["errors"]
        assert (answer.get("data"), error["extensions"]) == (None, {"code": "NOT_FOUND"})
        assert repr(id_) in error["message"]


async def test_i1_output_that_breaks_its_schema_is_refused_with_json_pointers(
    server: ServerProcess, world: World, ask: Ask
) -> None:
    step = world.waiting.steps["verify"]
    for output, place, fragment in (
        ({"verified": "yes"}, "/outputData/verified", "boolean"),
        ({}, "/outputData", "verified"),
        (None, "/outputData", "verified"),
    ):
        given = {"id": step, "outputData": output}
        refusal = await send(server, "CompleteStep", "ValidationFailed", ask, input=given)
        (issue,) = refusal["issues"]
        assert (issue["code"], issue["path"], issue["severity"]) == ("SCHEMA_VIOLATION", place, "ERROR")
        assert fragment in issue["message"]
    assert await status_of_step(server, world.waiting) == "IN_PROGRESS"


async def test_s7_a_step_that_is_complete_cannot_be_completed_or_failed(
    server: ServerProcess, ask: Ask
) -> None:
    execution = await create(server)
    given = {"id": execution.steps["verify"], "outputData": VERIFIED}
    await send(server, "CompleteStep", "TransitionSuccess", ask, input=given)
    twice = await send(server, "CompleteStep", "InvalidTransition", ask, input=given)
    assert (twice["current"], twice["wanted"], twice["allowed"]) == ("COMPLETED", "COMPLETED", [])
    failed = {"id": execution.steps["verify"], "message": "too late"}
    late = await send(server, "FailStep", "InvalidTransition", ask, input=failed)
    assert (late["current"], late["wanted"]) == ("COMPLETED", "FAILED")


async def test_s7_a_step_of_a_cancelled_execution_cannot_be_completed(
    server: ServerProcess, world: World, ask: Ask
) -> None:
    for step in world.cancelled.steps.values():
        await send(
            server, "CompleteStep", "InvalidTransition", ask, input={"id": step, "outputData": VERIFIED}
        )
    again = await send(server, "CancelExecution", "InvalidTransition", ask, input={"id": world.cancelled.id})
    assert (again["current"], again["allowed"]) == ("CANCELLED", [])
    assert await status_of_step(server, world.cancelled) == "DISABLED"


async def test_s7_steps_that_nobody_waits_for_cannot_be_completed(
    server: ServerProcess, world: World, ask: Ask
) -> None:
    """One that the server has completed itself, and one that was not reached."""
    for step_id, current in (("start", "COMPLETED"), ("end", "NOT_STARTED")):
        given = {"id": world.waiting.steps[step_id]}
        refusal = await send(server, "CompleteStep", "InvalidTransition", ask, input=given)
        assert refusal["current"] == current


async def test_what_passes_a_bound_is_refused_with_the_bound(server: ServerProcess, world: World) -> None:
    """1 MiB of output; over HTTP, for a socket's messages have 64 KiB."""
    given = {"id": world.waiting.steps["verify"], "outputData": {"verified": True, "more": "x" * (1 << 20)}}
    refusal = await send(server, "CompleteStep", "LimitExceeded", input=given)
    assert (refusal["limit"], refusal["maximum"]) == ("bytes of outputData", 1 << 20)
    assert await status_of_step(server, world.waiting) == "IN_PROGRESS"


async def status_of_step(server: ServerProcess, execution: Execution) -> str:
    """The status of the step that waits, or has waited."""
    found = server.graphql(document("StepDetail"), executionId=execution.id, stepId="verify")
    status: str = found["workflowExecution"]["step"]["status"]
    return status


# ---- A definition that breaks every rule


def step(step_id: str, kind: str = "human.form", **more: Any) -> dict[str, Any]:
    return {"id": step_id, "type": kind, "name": step_id, **more}


def transition(transition_id: str, source: str, target: str, **more: Any) -> dict[str, Any]:
    return {"id": transition_id, "fromStepId": source, "toStepId": target, **more}


BROKEN = {
    "id": "broken",
    "name": "Broken",
    "steps": [
        step("start", "start", group={"groupId": "g", "order": 1}),
        step("another_start", "start"),
        step("end", "end"),
        step("another_end", "end", activationPolicy={"defaultStatus": "Disabled"}),
        step("a", outputSchema={"type": "nonsense"}),
        step("a", dueIn="3 days"),
        step("not an id", name=5),
        step("unknown_key", key=1, activationPolicy={"defaultStatus": "Completed"}),
        step("one_way", "gateway.exclusive_split"),
        step("both", "gateway.parallel_split", retry={"maxAttempts": 3}),
        step("join", "gateway.parallel_join"),
        step("meeting"),
        step("b"),
        step("c"),
        step("d"),
        step("batch", "sys.sub_workflow", mode="BATCH", childWorkflowTemplateKey="nobody"),
        step("itself", "sys.sub_workflow", mode="SINGLE", childWorkflowTemplateKey="broken"),
        step("after_the_end"),
        step("turn", "gateway.exclusive_split"),
        step("return", "gateway.exclusive_split"),
        step("unreachable"),
    ],
    "stepTransitions": [
        transition("t1", "start", "a"),
        transition("t2", "start", "b"),
        transition("t3", "a", "start"),
        transition("t4", "a", "b"),
        transition("t5", "a", "b"),
        transition("t6", "b", "b"),
        transition("t7", "b", "nowhere"),
        transition("t8", "b", "one_way"),
        transition("t9", "one_way", "c"),
        transition("t10", "c", "both", condition={"src": "__context__.yes"}),
        transition("t11", "both", "d", isDefault=True),
        transition("t12", "both", "meeting"),
        transition("t13", "d", "meeting"),
        transition("t14", "meeting", "join", onArrival={"status": "Disabled"}),
        transition("t15", "join", "end"),
        transition("t16", "join", "batch"),
        transition("t17", "batch", "end"),
        transition("t18", "end", "itself"),
        transition("t18", "itself", "after_the_end"),
        transition("t20", "after_the_end", "turn"),
        transition("t21", "turn", "return", condition={"src": "((("}),
        transition("t22", "return", "turn", isDefault=True),
        transition("t23", "unreachable", "b"),
    ],
    "stepGroups": [
        {"id": "g", "name": "G", "stepIds": ["start", "ghost"]},
        {"id": "g", "name": "G again", "stepIds": ["c"]},
        {"id": "h", "name": "H", "stepIds": ["c"]},
        {"id": "i", "name": "I", "stepIds": []},
    ],
}
# What passes a bound is too large for a socket's message.
ELSEWHERE = {IssueCode.LIMIT_EXCEEDED}


async def test_a_definition_that_breaks_every_rule_gets_every_issue_at_once(
    server: ServerProcess, ask: Ask
) -> None:
    """Each with a JSON Pointer, and nothing is created."""
    given = {"name": "Broken", "key": "broken", "definition": BROKEN, "publish": True}
    refusal = await send(server, "CreateTemplate", "ValidationFailed", ask, input=given)
    assert {issue["code"] for issue in refusal["issues"]} == set(IssueCode) - ELSEWHERE
    assert all(points_into(BROKEN, issue["path"]) for issue in refusal["issues"]), refusal["issues"]
    answer = await ask(server, '{ workflowTemplate(key: "broken") { id } }')
    assert answer == {"data": {"workflowTemplate": None}}


def points_into(value: Any, pointer: str) -> bool:
    """Whether a JSON Pointer leads to a place in a value (RFC 6901)."""
    for part in pointer.split("/")[1:]:
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, ValueError, TypeError):
            return False
    return True


async def test_a_definition_that_is_no_definition_is_refused_as_well(server: ServerProcess, ask: Ask) -> None:
    for definition in ({}, {"steps": 1}, {"steps": [1, None, []]}, {"steps": [{"id": []}]}):
        given = {"name": "Broken", "key": "broken", "definition": definition, "publish": True}
        refusal = await send(server, "CreateTemplate", "ValidationFailed", ask, input=given)
        assert refusal["issues"]
