"""Writers: each drives one tree after the other to its end, and every command until it is acknowledged."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

import httpx

from server.backoff import Backoff
from tests.live.chaos.log import Log
from tests.live.chaos.streams import JSON
from tests.live.chaos.wire import Wire
from tests.model.story import workflow
from tests.servers import NO_TLS

PARALLEL = {"type": "gateway.parallel_split"}
JOIN = {"type": "gateway.parallel_join"}
CHILDREN = {
    "type": "sys.sub_workflow",
    "mode": "BATCH",
    "childWorkflowTemplateKey": "chaos-child",
    "iterable": {"type": "EXPRESSION", "expr": {"src": "__context__.items"}},
}
# A parent may be run where the context has items, and each item's child is born when the flow comes to it.
DEFINITIONS: list[JSON] = [
    workflow(
        "start > do > check > end", key="chaos-child", do={"type": "sys.task", "retry": {"maxAttempts": 2}}
    ),
    workflow(
        "start > both > ask > join > last > end",
        "both > children > join",
        key="chaos-root",
        both=PARALLEL,
        join=JOIN,
        children=CHILDREN,
        ask={"activationPolicy": {"enabledWhen": {"src": "$not(__context__.skip = true)"}}},
    ),
]

PUBLISH = """
  mutation ($input: CreateWorkflowTemplateInput!) {
    createWorkflowTemplate(input: $input) { __typename ... on ValidationFailed { issues { message path } } }
  }
"""
LOOK = """
  query ($id: ID!) {
    workflowExecution(id: $id) { ...Fields descendantWorkflowExecutions(first: 40) { nodes { ...Fields } } }
  }
  fragment Fields on WorkflowExecution { id runtimeStatus steps { id type status } }
"""
TASKS = ("SYS_TASK", "HUMAN_FORM")
# What is tried, by weight: mostly what leads to the end.
WEIGHTS = {
    "completeStep": 12,
    "failStep": 3,
    "retryStep": 4,
    "disableStep": 1,
    "enableStep": 1,
    "updateWorkflowContext": 2,
    "cancelWorkflowExecution": 1,
}
PATCHES: list[JSON] = [{"skip": True}, {"skip": None}, {"note": "x" * 500}, {"items": [1]}]
MOST_COMMANDS = 40

Created = Callable[[str], Awaitable[None]]


class Unexpected(Exception):
    """The server has answered a command with what no fault explains."""


class Writer:
    """One writer. `acknowledged` are commands and what they were answered; `sent` is by key what was asked. Of the
    `repeated` operations so many were `refused` for the moment; the others had no answer."""

    patience = 4.0  # seconds

    def __init__(self, name: str, ports: Sequence[int], chance: random.Random, log: Log) -> None:
        self.name = name
        self.wire = Wire()
        self.is_to_stop = False
        self.acknowledged: list[JSON] = []
        self.sent: dict[str, tuple[str, JSON]] = {}
        self.repeated = 0
        self.refused = 0
        self.trees: list[str] = []
        self._ports = ports
        self._chance = chance
        self._log = log
        self._number = 0

    async def __aenter__(self) -> Self:
        await self.wire.__aenter__()
        self.wire.target = self._chance.choice(self._ports)
        self._http = httpx.AsyncClient(
            base_url=self.wire.url, trust_env=False, timeout=self.patience, verify=NO_TLS
        )
        return self

    async def __aexit__(self, *raised: Any) -> None:
        await self._http.aclose()
        await self.wire.__aexit__(*raised)

    async def publish(self) -> None:
        """The definitions."""
        for raw in DEFINITIONS:
            given = {
                "name": raw["name"],
                "key": raw["id"],
                "definition": raw,
                "publish": True,
                "activate": True,
            }
            answer = await self.ask(PUBLISH, {"input": given})
            if answer["createWorkflowTemplate"]["__typename"] != "TemplateSuccess":
                raise Unexpected(json.dumps(answer))

    async def run(self, created: Created, others: Callable[[], Sequence[str]]) -> None:
        """Create trees and drive them, now and then one of another writer's, until told to stop."""
        while not self.is_to_stop:
            root_id = await self.create()
            await created(root_id)
            for _ in range(MOST_COMMANDS):
                if self.is_to_stop:
                    break
                other = self._chance.random() < 0.15
                if not await self.step(self._chance.choice(others()) if other else root_id) and not other:
                    break

    async def create(self) -> str:
        """A new tree; the id of its root."""
        items = list(range(self._chance.randint(0, 3)))
        given = {"workflowTemplateKey": "chaos-root", "context": {"items": items}, "start": True}
        answer = await self.command("createWorkflowExecution", "CreateWorkflowExecutionInput", given)
        root_id: str = answer["workflowExecution"]["id"]
        self.trees.append(root_id)
        return root_id

    async def update(self, execution_id: str, patch: JSON) -> None:
        """Change a context."""
        given = {"id": execution_id, "patch": patch}
        await self.command("updateWorkflowContext", "UpdateWorkflowContextInput", given)

    async def step(self, root_id: str) -> bool:
        """One random command on a tree; False where nothing is left to do. Now and then by another server."""
        self.move()
        root = (await self.ask(LOOK, {"id": root_id}))["workflowExecution"]
        executions = [root, *root["descendantWorkflowExecutions"]["nodes"]]
        possible = {name: targets for name in WEIGHTS if (targets := _targets(name, executions))}
        if not possible.keys() & {"completeStep", "retryStep"}:
            return False
        name = self._chance.choices(list(possible), [WEIGHTS[each] for each in possible])[0]
        given: JSON = {"id": self._chance.choice(possible[name])}
        match name:
            case "completeStep":
                given["outputData"] = {"ok": True}
            case "failStep":
                given["message"] = "It broke."
            case "updateWorkflowContext":
                given["patch"] = self._chance.choice(PATCHES)
        await self.command(name, f"{name[0].upper()}{name[1:]}Input", given)
        return True

    def move(self) -> None:
        """To another server, now and then."""
        if self._chance.random() < 0.2:
            self.wire.target = self._chance.choice(self._ports)
            self.wire.cut()

    async def command(self, name: str, input_type: str, given: JSON) -> JSON:
        """Give a command until it is answered, under one idempotency key."""
        if name in ("retryStep", "disableStep", "enableStep"):
            input_type = "StepInput"
        self._number += 1
        key = f"{self.name}-{self._number}"
        self._log.write(writer=self.name, sends=name, key=key, input=given)
        sent = document_of(name, input_type), {"input": {**given, "idempotencyKey": key}}
        answer: JSON = (await self.ask(*sent))[name]
        self._log.write(writer=self.name, key=key, answer=answer)
        if answer["__typename"] == "TransitionSuccess":
            execution = answer["workflowExecution"]
            root_id = execution["rootWorkflowExecutionId"] or execution["id"]
            self.acknowledged.append({"key": key, "root": root_id, **answer})
            self.sent[key] = sent
        elif answer["__typename"] not in ("InvalidTransition", "LimitExceeded"):
            raise Unexpected(f"{name} {given}: {answer}")
        return answer

    async def ask(self, document: str, variables: JSON) -> JSON:
        """The data; asked again, of any server, where no answer came."""
        again = Backoff(0.05, 0.5)
        while (data := await self._answer(document, variables)) is None:
            self.repeated += 1
            await asyncio.sleep(again.next_delay())
        return data

    async def _answer(self, document: str, variables: JSON) -> JSON | None:
        """The data; None where there is no answer, or one that says to ask again."""
        try:
            response = await self._http.post("/graphql", json={"query": document, "variables": variables})
            answer: dict[str, Any] = json.loads(response.text)
        except (httpx.TransportError, json.JSONDecodeError) as error:
            text = error.doc if isinstance(error, json.JSONDecodeError) else ""
            self._log.write(writer=self.name, unanswered=type(error).__name__, text=text)
            self.wire.target = self._chance.choice(self._ports)
            return None
        if "errors" not in answer:
            data: JSON = answer["data"]
            return data
        codes = {each.get("extensions", {}).get("code") for each in answer["errors"]}
        self._log.write(writer=self.name, errors=answer["errors"])
        if not codes <= {"UNAVAILABLE", "TIMEOUT"}:
            raise Unexpected(json.dumps(answer["errors"]))
        self.refused += 1
        return None


def document_of(name: str, input_type: str) -> str:
    """The mutation of a command."""
    return f"""
      mutation ($input: {input_type}!) {{
        {name}(input: $input) {{
          __typename
          ... on TransitionSuccess {{
            revision changeCount changes {{ revision kind }} workflowExecution {{ id rootWorkflowExecutionId }}
          }}
          ... on Error {{ message }}
        }}
      }}
    """


def _targets(name: str, executions: list[JSON]) -> list[str]:
    open_ = ("IN_PROGRESS", "FAILED")
    running = [each for each in executions if each["runtimeStatus"] in open_]
    if executions[0]["runtimeStatus"] not in open_:
        return []
    if name == "cancelWorkflowExecution":
        return [each["id"] for each in executions if each["runtimeStatus"] == "IN_PROGRESS"]
    if name == "updateWorkflowContext":
        return [each["id"] for each in running]
    statuses = {
        "completeStep": ("IN_PROGRESS",),
        "failStep": ("IN_PROGRESS",),
        "retryStep": ("FAILED",),
        "disableStep": ("NOT_STARTED", "IN_PROGRESS"),
        "enableStep": ("DISABLED",),
    }[name]
    steps = [step for each in running for step in each["steps"] if step["status"] in statuses]
    if name in ("completeStep", "failStep"):
        return [step["id"] for step in steps if step["type"] in TASKS]
    if name == "disableStep":
        return [step["id"] for step in steps if step["type"] in (*TASKS, "SYS_SUB_WORKFLOW")]
    return [step["id"] for step in steps]
