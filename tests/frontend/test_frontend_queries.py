"""Every operation that frontends send is valid, is named as its file, and works."""

import pytest
from graphql import OperationDefinitionNode, OperationType, parse, validate

from server.demo import demo_definition
from tests.api import SCHEMA, Api, definition
from tests.frontend.frontend import Frontend, by_step, statuses
from tests.frontend_documents import DIRECTORY, document, operation_names, sample_variables

ERRORS = sorted(SCHEMA._schema.get_implementations(SCHEMA._schema.get_type("Error")).objects, key=str)


def operation(name: str) -> OperationDefinitionNode:
    """The operation of a document."""
    (found,) = (
        each for each in parse(document(name)).definitions if isinstance(each, OperationDefinitionNode)
    )
    return found


@pytest.mark.parametrize("name", operation_names())
def test_document_is_valid_and_named_as_its_file(name: str) -> None:
    assert validate(SCHEMA._schema, parse(document(name))) == []
    named = operation(name).name
    assert named is not None
    assert named.value == name


@pytest.mark.parametrize("name", operation_names())
def test_the_sample_variables_are_those_that_the_operation_takes(name: str) -> None:
    taken = operation(name).variable_definitions
    given = sample_variables(name)
    assert given.keys() <= {each.variable.name.value for each in taken}


def test_every_fragment_is_used() -> None:
    everything = "\n".join(document(name) for name in operation_names())
    unused = [
        path.stem
        for path in (DIRECTORY / "fragments").glob("*.graphql")
        if f"fragment {path.stem} on" not in everything
    ]
    assert unused == []


@pytest.mark.parametrize("kind", [OperationType.MUTATION, OperationType.SUBSCRIPTION, OperationType.QUERY])
def test_every_root_field_has_an_operation(kind: OperationType) -> None:
    root = SCHEMA._schema.get_root_type(kind)
    assert root is not None
    used = {
        field.name.value
        for each in map(operation, operation_names())
        if each.operation is kind
        for field in each.selection_set.selections
    }
    assert used == set(root.fields)


@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_every_field_of_every_expected_error_is_asked_for(error: object) -> None:
    """A client can tell a person everything that it was told; only the `node` is asked for by those who need it."""
    told = (DIRECTORY / "fragments" / "ErrorFields.graphql").read_text()
    fields = SCHEMA._schema.get_type(str(error)).fields.keys() - {"message", "node"}
    assert f"... on {error} " in told
    assert [name for name in fields if name not in told] == []


async def test_every_operation_works(api: Api) -> None:
    """A template's life, executions of it, and an incorporation, by nothing but the frontends' own operations."""
    frontend = Frontend(api)
    await _templates(frontend)
    await _executions(frontend)
    await _work(frontend)
    await _an_incorporation(frontend)
    assert frontend.sent == set(operation_names())


async def _templates(frontend: Frontend) -> None:
    """A template is created and described; a second version of it takes the first one's place."""
    created = await frontend.send("CreateTemplate")
    assert created["__typename"] == "TemplateSuccess", created
    template, first = created["workflowTemplate"], created["version"]["id"]
    assert [each["key"] for each in (await frontend.send("TemplateList"))["nodes"]] == [template["key"]]
    assert (await frontend.send("TemplateDetail", key=template["key"]))["id"] == template["id"]
    described = await frontend.send("UpdateTemplate", input={"id": template["id"], "description": "By post"})
    assert described["workflowTemplate"]["description"] == "By post"

    raw = definition("verify")
    assert await frontend.send("ValidateDefinition", definition=raw) == []
    given = {"workflowTemplateId": template["id"], "version": "2.0.0", "definition": raw}
    second = (await frontend.send("CreateVersion", input=given))["version"]["id"]
    note = {"id": second, "versionNote": "Shorter", "definition": raw}
    assert (await frontend.send("UpdateVersion", input=note))["version"]["versionNote"] == "Shorter"
    assert (await frontend.send("VersionDetail", id=second))["status"] == "DRAFT"
    assert (await frontend.send("PublishVersion", input={"id": second}))["version"]["status"] == "PUBLISHED"
    active = await frontend.send("ActivateVersion", input={"id": second})
    assert active["workflowTemplate"]["activeVersion"]["id"] == second
    deprecated = await frontend.send("DeprecateVersion", input={"id": first})
    assert deprecated["version"]["status"] == "DEPRECATED"
    assert (await frontend.send("DeleteVersion", input={"id": first}))["version"] is None


async def _executions(frontend: Frontend) -> None:
    """One execution is completed, one is created and then cancelled, one fails and is retried."""
    key = (await frontend.send("TemplateList"))["nodes"][0]["key"]
    execution = await frontend.do("StartExecution", workflowTemplateKey=key)
    step = by_step(execution)["verify"]
    shown = await frontend.send("StepDetail", executionId=execution["id"], stepId="verify")
    assert shown["step"]["id"] == step["id"]
    date = "2100-01-01T00:00:00.000000Z"
    dated = await frontend.do("SetStepDueDate", id=step["id"], dueAt=date)
    assert by_step(dated)["verify"]["dueAt"] == date
    changed = await frontend.do("UpdateContext", id=execution["id"], patch={"customerId": "customer-3"})
    tried = {"executionId": execution["id"], "src": "__context__.customerId"}
    assert await frontend.send("TryExpression", **tried) == {"value": "customer-3", "error": None}
    late = await frontend.refused("UpdateContext", id=execution["id"], patch={}, ifRevision=1)
    assert late["__typename"] == "RevisionConflict"
    assert (late["expectedRevision"], late["currentRevision"]) == (1, changed["revision"])
    done = await frontend.do("CompleteStep", id=step["id"], outputData={"verified": True})
    assert done["runtimeStatus"] == "COMPLETED"
    assert (await frontend.send("ExecutionDetail", id=execution["id"]))["runtimeStatus"] == "COMPLETED"
    assert (await frontend.watch("WatchExecution", id=execution["id"]))["runtimeStatus"] == "COMPLETED"

    waiting = await frontend.do("CreateExecution", workflowTemplateKey=key, start=False, idempotencyKey="c-1")
    other = await frontend.refused("CreateExecution", workflowTemplateKey=key, idempotencyKey="c-1")
    assert (other["__typename"], other["key"]) == ("IdempotencyConflict", "c-1")
    begun = await frontend.do("BeginExecution", id=waiting["id"])
    assert begun["runtimeStatus"] == "IN_PROGRESS"
    cancelled = await frontend.do("CancelExecution", id=waiting["id"], reason="Not wanted")
    assert cancelled["runtimeStatus"] == "CANCELLED"

    third = await frontend.do("StartExecution", workflowTemplateKey=key)
    step = by_step(third)["verify"]
    failed = await frontend.do("FailStep", id=step["id"], message="Nobody there")
    assert failed["runtimeStatus"] == "FAILED"
    retried = await frontend.do("RetryStep", id=step["id"], reason="Somebody came")
    assert retried["runtimeStatus"] == "IN_PROGRESS"
    history = await frontend.send("StepAttempts", executionId=third["id"], stepId="verify")
    attempts = [(each["attempt"], each["status"]) for each in history["step"]["attempts"]]
    assert attempts == [(1, "FAILED"), (2, "IN_PROGRESS")]
    await _lists(frontend, third["id"], by_step(retried)["verify"]["id"])
    await _many(frontend, key)
    await _the_history(frontend, third["id"])


async def _many(frontend: Frontend, key: str) -> None:
    """Of two executions one fails and is retried with all that failed, then both are cancelled."""
    assert (
        (await frontend.send("CancelExecutions"))["done"] == (await frontend.send("RetrySteps"))["done"] == 0
    )
    given = {"workflowTemplateKey": key, "correlationId": "many"}
    one, other = [await frontend.do("StartExecution", **given) for _ in range(2)]
    step = by_step(one)["verify"]
    await frontend.do("FailStep", id=step["id"], message="Nobody there")
    executions = {"correlationId": {"eq": "many"}}
    retried = await frontend.send("RetrySteps", input={"where": {"workflowExecution": executions}})
    assert (retried["matched"], retried["done"], retried["remaining"]) == (1, 1, 0)
    assert retried["results"][0]["step"]["id"] == step["id"]
    cancelled = await frontend.send("CancelExecutions", input={"where": executions, "limit": 500})
    shown = [each["workflowExecution"]["id"] for each in cancelled["results"]]
    assert (cancelled["done"], shown) == (2, [one["id"], other["id"]])


async def _work(frontend: Frontend) -> None:
    """A worker claims two steps one after another, and gives up a third."""
    key = (await frontend.send("TemplateList"))["nodes"][0]["key"]
    started = [await frontend.do("StartExecution", workflowTemplateKey=key) for _ in range(2)]
    steps = [by_step(execution)["verify"]["id"] for execution in started]
    given = {"worker": "ann", "ids": steps}
    (claimed,) = (await frontend.send("ClaimSteps", input=given))["claimed"]
    held = {"id": steps[0], "claimToken": claimed["claimToken"]}
    assert (claimed["step"]["id"], claimed["step"]["claim"]["worker"]) == (steps[0], "ann")
    lost = await frontend.refused("CompleteStep", id=steps[0], outputData={"verified": True})
    assert (lost["__typename"], lost["claim"]["worker"]) == ("ClaimLost", "ann")
    (extended,) = (await frontend.send("HeartbeatStep", input={**held, "leaseSeconds": 600}))["claimed"]
    assert extended["leaseExpiresAt"] > claimed["leaseExpiresAt"]
    done = {**held, "outputData": {"verified": True}, "claimNext": given}
    following = (await frontend.send("CompleteStepAndClaimNext", input=done))["next"]
    assert following["step"]["id"] == steps[1]
    released = await frontend.do("ReleaseStep", id=steps[1], claimToken=following["claimToken"])
    assert by_step(released)["verify"]["status"] == "IN_PROGRESS"
    await frontend.do("CancelExecution", id=released["id"])


async def _lists(frontend: Frontend, execution_id: str, step_id: str) -> None:
    """What waits is found as work, as executions and by its ids."""
    assert (await frontend.send("WorkQueue"))["nodes"][0]["id"] == step_id
    where = {"claimedBy": {"eq": "nobody"}}
    assert (await frontend.send("WorkQueue", where=where))["totalCount"] == 0
    assert (await frontend.send("ExecutionList"))["nodes"] == []
    where = {"step": {"id": {"eq": step_id}}}
    listed = await frontend.send("ExecutionList", where=where, first=1)
    assert [each["id"] for each in listed["nodes"]] == [execution_id]
    watched = await frontend.watch("WatchExecutions", where=where, first=1)
    assert [(each["kind"], each["id"]) for each in watched["entries"]] == [("INITIAL", execution_id)]
    watched = await frontend.watch("WatchWorkQueue")
    assert watched["entries"][0]["step"]["id"] == step_id
    assert (await frontend.send("NodeById", id=step_id))["stepName"] == "Verify"
    nodes = await frontend.send("NodesByIds", ids=[step_id, "nothing", execution_id])
    assert [each and each["id"] for each in nodes] == [step_id, None, execution_id]


async def _the_history(frontend: Frontend, execution_id: str) -> None:
    """What happened, as the execution and as the journal tell it."""
    told = (await frontend.send("ExecutionHistory", id=execution_id))["changes"]["nodes"]
    assert [each["revision"] for each in told] == list(range(1, len(told) + 1))
    failed = next(each for each in told if each["kind"] == "STEP_FAILED")
    assert (failed["step"]["stepId"], failed["toStatus"]) == ("verify", "FAILED")
    listed = await frontend.send("Journal", rootId=execution_id, kinds=["STEP_CREATED"])
    assert [(each["reason"], each["attempt"]) for each in listed["nodes"]] == [("Somebody came", 2)]
    missed = await frontend.watch("FollowTree", rootId=execution_id, after=failed["revision"] - 1)
    assert missed["changes"][0]["kind"] == "STEP_FAILED"
    assert missed["revision"] == len(told)
    made = await frontend.watch("FollowChanges", after=listed["pageInfo"]["endCursor"])
    assert made["revision"] == listed["nodes"][0]["revision"] + 1
    then = await frontend.send("ExecutionAsOf", id=execution_id, asOf=failed["revision"])
    assert (by_step(then)["verify"]["status"], then["treeRevision"]) == ("FAILED", failed["revision"])
    viewed = await frontend.send("ExecutionViewAsOf", id=execution_id, asOf=failed["revision"])
    assert [each["status"] for each in by_step(viewed)["verify"]["attempts"]] == ["FAILED"]
    viewed = await frontend.watch("WatchExecutionView", id=execution_id)
    assert [each["status"] for each in by_step(viewed)["verify"]["attempts"]] == ["FAILED", "IN_PROGRESS"]
    tail = await frontend.send("JournalTail", rootId=execution_id, last=2)
    assert [each["revision"] for each in tail["nodes"]] == [len(told) - 1, len(told)]
    following = await frontend.watch("FollowJournal", rootId=execution_id, after=tail["nodes"][0]["cursor"])
    assert (following["revision"], following["workflowExecution"]["id"]) == (len(told), execution_id)
    changed = await frontend.send(
        "ExecutionDiff", id=execution_id, **{"from": failed["revision"], "to": len(told)}
    )
    differs = [(each["step"] and each["step"]["attempt"], each["toStatus"]) for each in changed]
    assert differs == [(None, "IN_PROGRESS"), (2, "IN_PROGRESS")]
    now = await frontend.send("ExecutionAfterCommand", id=execution_id, revision=len(told))
    assert (by_step(now)["verify"]["status"], now["treeRevision"]) == ("IN_PROGRESS", len(told))


async def _an_incorporation(frontend: Frontend) -> None:
    """The demo's incorporation, from its start to its end, and what is asked on the way."""
    for key in ("dsc", "incorporation"):
        given = {
            "name": key,
            "key": key,
            "definition": demo_definition(key),
            "publish": True,
            "activate": True,
        }
        assert (await frontend.send("CreateTemplate", input=given))["__typename"] == "TemplateSuccess"
    execution = await frontend.do("StartIncorporation")
    steps = by_step(execution)
    await _the_policy(frontend, execution["id"], steps["llp-agreement"]["id"])

    split = await frontend.do("CompleteStep", id=steps["intake"]["id"], outputData={"complete": True})
    assert statuses(split)["ready"] == "NOT_STARTED"
    explained = await frontend.send("ExplainStep", id=steps["ready"]["id"])
    assert [each["stepId"] for each in explained["waitingFor"]] == ["name-check", "dsc-step", "llp-agreement"]
    await frontend.do("CompleteStep", id=steps["name-check"]["id"], outputData={"available": True})
    await frontend.do("DisableStep", id=steps["llp-agreement"]["id"], reason="Signed before")
    await _the_certificates(frontend, execution["id"])

    execution = await frontend.watch("WatchTree", id=execution["id"])
    below = execution["descendantWorkflowExecutions"]["nodes"]
    assert {each["runtimeStatus"] for each in below} == {"COMPLETED"}
    file = by_step(execution)["file"]
    rework = await frontend.do("CompleteStep", id=file["id"], outputData={"issues": ["The address"]})
    again = await frontend.do("CompleteStep", id=by_step(rework)["fix-issues"]["id"])
    file = by_step(again)["file"]
    assert file["attempt"] == 2
    done = await frontend.do("CompleteStep", id=file["id"], outputData={"certificateNumber": "U-1"})
    assert done["runtimeStatus"] == "COMPLETED"
    runtime = (await frontend.send("RuntimeJSON", id=done["id"]))["runtime"]
    assert (runtime["runtimeStatus"], runtime["steps"]["file"]["attempt"]) == ("Completed", 2)


async def _the_policy(frontend: Frontend, execution_id: str, agreement_id: str) -> None:
    """S5: the policy of the agreement follows the context; commands outrank it."""
    private = {"company": {"type": "private_limited"}}
    without = await frontend.do("UpdateContext", id=execution_id, patch=private)
    assert by_step(without)["llp-agreement"]["disabledBy"] == "POLICY"
    explained = await frontend.send("ExplainStep", id=agreement_id)
    assert explained["expression"] == "__context__.company.type = 'llp'"
    assert explained["reads"] == [{"path": "__context__.company.type", "value": "private_limited"}]
    enabled = await frontend.do("EnableStep", id=agreement_id, reason="Needed all the same")
    assert statuses(enabled)["llp-agreement"] == "NOT_STARTED"
    again = await frontend.do("UpdateContext", id=execution_id, patch=private)
    assert statuses(again)["llp-agreement"] == "NOT_STARTED"


async def _the_certificates(frontend: Frontend, execution_id: str) -> None:
    """C1, S4: two of three directors need a certificate; issuing one fails, is scheduled, and is retried at once."""
    tree = await frontend.send("ExecutionTree", id=execution_id)
    children = tree["childWorkflowExecutions"]["nodes"]
    assert [each["name"] for each in children] == ["DSC for Ben", "DSC for Chen"]
    assert tree["descendantWorkflowExecutions"]["totalCount"] == 2
    for child in children:
        detail = await frontend.send("ExecutionDetail", id=child["id"])
        assert detail["parentStep"]["stepId"] == "dsc-step"
        documents = {"documents": ["passport.pdf"]}
        issuing = await frontend.do(
            "CompleteStep", id=by_step(detail)["collect-id"]["id"], outputData=documents
        )
        failed = await frontend.do("FailStep", id=by_step(issuing)["issue"]["id"], message="Not reachable")
        assert by_step(failed)["issue"]["retryAt"] is not None
        retried = await frontend.do("RetryStep", id=by_step(failed)["issue"]["id"])
        issue = by_step(retried)["issue"]
        await frontend.do("CompleteStep", id=issue["id"], outputData={"certificateId": child["name"]})
