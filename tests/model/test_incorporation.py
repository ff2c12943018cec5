"""A company is incorporated: the definitions of `tests/data`, over the API, on each database.

Three directors of whom two have no signing certificate yet; a limited liability partnership needs an agreement, which
its policy sees to; the registrar finds issues once; then it is done.
"""

from typing import Any

import pytest

from tests.api import Api, definition
from tests.contract.commands import give, succeed

DIRECTORS = [
    {"id": "d1", "name": "Asha", "hasDsc": True},
    {"id": "d2", "name": "Bela", "hasDsc": False},
    {"id": "d3", "name": "Chen"},
]
SHOW = """
  query ($id: ID!) {
    workflowExecution(id: $id) {
      id name runtimeStatus context
      steps { id stepId status attempt enteredBy disabledBy dueAt retryAt outputData failure { code }
              childWorkflowExecutions { id name runtimeStatus context } }
    }
  }
"""
RETRY = "mutation ($id: ID!) { retryStep(input: {id: $id}) { ... on TransitionSuccess { revision } } }"


class Company:
    """One incorporation, and what its people do; steps are named by their ids."""

    def __init__(self, api: Api, execution_id: str) -> None:
        self.api = api
        self.id = execution_id

    @classmethod
    async def incorporate(cls, api: Api, company_type: str) -> "Company":
        context = {"company": {"name": "Acme", "type": company_type}, "directors": DIRECTORS}
        started = await api.start("incorporation", context=context, name="Acme")
        return cls(api, started["id"])

    async def show(self, execution_id: str | None = None) -> Any:
        execution = (await self.api.data(SHOW, id=execution_id or self.id))["workflowExecution"]
        return {**execution, "steps": {each["stepId"]: each for each in execution["steps"]}}

    async def statuses(self, *step_ids: str, of: str | None = None) -> list[str]:
        steps = (await self.show(of))["steps"]
        return [steps[step_id]["status"] for step_id in step_ids]

    async def complete(self, step_id: str, output: Any = None, *, of: str | None = None) -> None:
        step = (await self.show(of))["steps"][step_id]
        await succeed(self.api, "completeStep", id=step["id"], outputData=output or {})

    async def fail(self, step_id: str, message: str, *, of: str) -> None:
        step = (await self.show(of))["steps"][step_id]
        await succeed(self.api, "failStep", id=step["id"], message=message)

    async def retry(self, step_id: str, *, of: str) -> None:
        step = (await self.show(of))["steps"][step_id]
        assert (await self.api.data(RETRY, id=step["id"]))["retryStep"]

    async def certificates(self) -> list[Any]:
        """The children that are making a certificate for a director."""
        children: list[Any] = (await self.show())["steps"]["dsc-step"]["childWorkflowExecutions"]
        return children


@pytest.fixture
async def api(api: Api) -> Api:
    """The API with both templates published."""
    await api.publish(definition("dsc"), key="dsc")
    await api.publish(definition("incorporation"), key="incorporation")
    return api


async def test_a_partnership_is_incorporated(api: Api) -> None:
    company = await Company.incorporate(api, "llp")

    # The intake says whether it is complete; an answer that does not is refused and changes nothing.
    intake = (await company.show())["steps"]["intake"]
    refused = await give(api, "completeStep", id=intake["id"], outputData={"complete": "yes"})
    assert refused["__typename"] == "ValidationFailed"
    await company.complete("intake", {"complete": True})

    # Everything is prepared at once: the name, the agreement, a certificate for each director who has none.
    assert await company.statuses("name-check", "dsc-step", "llp-agreement") == ["IN_PROGRESS"] * 3
    bela, chen = await company.certificates()
    assert [bela["name"], chen["name"]] == ["DSC for Bela", "DSC for Chen"]
    assert [bela["context"]["directorId"], chen["context"]["directorId"]] == ["d2", "d3"]

    await company.complete("name-check", {"available": True})
    await company.complete("llp-agreement")
    await company.complete("collect-id", {"documents": ["passport.pdf"]}, of=bela["id"])
    await company.complete("issue", {"certificateId": "c-2"}, of=bela["id"])
    assert await company.statuses("dsc-step", "ready", "file") == [
        "IN_PROGRESS",
        "NOT_STARTED",
        "NOT_STARTED",
    ]

    # Chen's certificate fails at first. It is scheduled again; somebody does not want to wait.
    await company.complete("collect-id", {"documents": ["passport.pdf", "photo.png"]}, of=chen["id"])
    await company.fail("issue", "The authority does not answer.", of=chen["id"])
    scheduled = (await company.show(chen["id"]))["steps"]["issue"]
    assert (scheduled["status"], scheduled["failure"]["code"]) == ("FAILED", "FAILED")
    assert scheduled["retryAt"] is not None
    await company.retry("issue", of=chen["id"])
    await company.complete("issue", {"certificateId": "c-3"}, of=chen["id"])

    # The last certificate opens the join, and the papers can be filed.
    assert await company.statuses("dsc-step", "ready", "file") == ["COMPLETED", "COMPLETED", "IN_PROGRESS"]
    output = (await company.show())["steps"]["dsc-step"]["outputData"]
    assert [each["outputs"]["issue"]["certificateId"] for each in output["children"]] == ["c-2", "c-3"]

    # The registrar finds issues once; they are mended, and the papers are filed again.
    await company.complete("file", {"issues": ["The address is missing."]})
    assert await company.statuses("fix-issues", "file", "end") == ["IN_PROGRESS", "COMPLETED", "NOT_STARTED"]
    await company.complete("fix-issues")
    again = (await company.show())["steps"]["file"]
    assert (again["status"], again["attempt"], again["enteredBy"]) == ("IN_PROGRESS", 2, ["t13"])
    await company.complete("file", {"certificateNumber": "U-1234"})

    done = await company.show()
    assert done["runtimeStatus"] == "COMPLETED"
    assert done["steps"]["file"]["outputData"] == {"certificateNumber": "U-1234"}
    assert {each["runtimeStatus"] for each in await company.certificates()} == {"COMPLETED"}


async def test_a_private_limited_company_needs_no_agreement(api: Api) -> None:
    company = await Company.incorporate(api, "private_limited")
    agreement = (await company.show())["steps"]["llp-agreement"]
    assert (agreement["status"], agreement["disabledBy"]) == ("DISABLED", "POLICY")

    await company.complete("intake", {"complete": True})
    await company.complete("name-check", {"available": True})
    for child in await company.certificates():
        await company.complete("collect-id", {"documents": ["passport.pdf"]}, of=child["id"])
        await company.complete("issue", {"certificateId": f"c-{child['name']}"}, of=child["id"])

    # The join has not waited for the agreement: flow went through it.
    assert await company.statuses("llp-agreement", "ready", "file") == [
        "DISABLED",
        "COMPLETED",
        "IN_PROGRESS",
    ]
    await company.complete("file", {"certificateNumber": "U-5678"})
    assert (await company.show())["runtimeStatus"] == "COMPLETED"
