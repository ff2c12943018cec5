"""Every operation that frontends send is valid, is named as its file, and works."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse, validate

from tests.api import SCHEMA, Api, definition
from tests.frontend_documents import DIRECTORY, document, operation_names, sample_variables


@pytest.mark.parametrize("name", operation_names())
def test_document_is_valid_and_named_as_its_file(name: str) -> None:
    parsed = parse(document(name))
    assert validate(SCHEMA._schema, parsed) == []
    operations = [each for each in parsed.definitions if isinstance(each, OperationDefinitionNode)]
    assert [each.name.value for each in operations if each.name] == [name]


def test_every_fragment_is_used() -> None:
    everything = "\n".join(document(name) for name in operation_names())
    unused = [
        path.stem
        for path in (DIRECTORY / "fragments").glob("*.graphql")
        if f"fragment {path.stem} on" not in everything
    ]
    assert unused == []


class Frontend:
    """Sends the documents of `frontend_queries/` by name."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.sent: set[str] = set()

    async def send(self, name: str, **variables: Any) -> Any:
        """The only root field of an operation's answer."""
        self.sent.add(name)
        data = await self._api.data(document(name), **(variables or sample_variables(name)))
        return next(iter(data.values()))


async def test_every_operation_works(api: Api) -> None:
    """A template's life and two executions, by nothing but the frontends' own operations."""
    frontend = Frontend(api)
    created = await frontend.send("CreateTemplate")
    assert created["__typename"] == "TemplateSuccess", created
    template, version = created["workflowTemplate"], created["version"]
    assert [each["key"] for each in (await frontend.send("TemplateList"))["nodes"]] == [template["key"]]
    assert (await frontend.send("TemplateDetail", key=template["key"]))["id"] == template["id"]
    await _versions(frontend, template["id"], version["id"])
    await _executions(frontend, template["key"])
    watched = {"WatchExecution"}
    assert frontend.sent | watched == set(operation_names())


async def _versions(frontend: Frontend, template_id: str, active_id: str) -> None:
    raw = definition("verify")
    assert await frontend.send("ValidateDefinition", definition=raw) == []
    given = {"workflowTemplateId": template_id, "version": "2.0.0", "definition": raw}
    second = (await frontend.send("CreateVersion", input=given))["version"]["id"]
    note = {"id": second, "versionNote": "Shorter", "definition": raw}
    assert (await frontend.send("UpdateVersion", input=note))["version"]["versionNote"] == "Shorter"
    assert (await frontend.send("VersionDetail", id=second))["status"] == "DRAFT"
    assert (await frontend.send("PublishVersion", input={"id": second}))["version"]["status"] == "PUBLISHED"
    active = await frontend.send("ActivateVersion", input={"id": second})
    assert active["workflowTemplate"]["activeVersion"]["id"] == second
    deprecated = await frontend.send("DeprecateVersion", input={"id": active_id})
    assert deprecated["version"]["status"] == "DEPRECATED"
    assert (await frontend.send("DeleteVersion", input={"id": active_id}))["version"] is None


async def _executions(frontend: Frontend, key: str) -> None:
    started = await frontend.send("StartExecution", input={"workflowTemplateKey": key})
    execution = started["workflowExecution"]
    step = next(each for each in execution["steps"] if each["status"] == "IN_PROGRESS")
    assert (await frontend.send("StepDetail", executionId=execution["id"], stepId=step["stepId"])) is not None
    done = await frontend.send("CompleteStep", input={"id": step["id"], "outputData": {"verified": True}})
    assert done["workflowExecution"]["runtimeStatus"] == "COMPLETED"
    assert (await frontend.send("ExecutionDetail", id=execution["id"]))["runtimeStatus"] == "COMPLETED"
    waiting = await frontend.send("CreateExecution", input={"workflowTemplateKey": key, "start": False})
    waiting_id = waiting["workflowExecution"]["id"]
    begun = await frontend.send("BeginExecution", input={"id": waiting_id})
    assert begun["workflowExecution"]["runtimeStatus"] == "IN_PROGRESS"
    cancelled = await frontend.send("CancelExecution", input={"id": waiting_id, "reason": "Not wanted"})
    assert cancelled["workflowExecution"]["runtimeStatus"] == "CANCELLED"
    third = (await frontend.send("StartExecution", input={"workflowTemplateKey": key}))["workflowExecution"]
    step = next(each for each in third["steps"] if each["status"] == "IN_PROGRESS")
    failed = await frontend.send("FailStep", input={"id": step["id"], "message": "Nobody there"})
    assert failed["workflowExecution"]["runtimeStatus"] == "FAILED"
