"""Templates and their versions (`runtime.md` D1–D5)."""

from typing import Any

import pytest

from tests.api import Api
from tests.contract.commands import codes, refuse, run_of, succeed
from tests.contract.samples import ONE, TWO, sequence
from tests.contract.tables import everything

# Several rules broken at once, each in a place of its own.
BROKEN = {
    "id": "broken",
    "name": "Broken",
    "colour": "red",
    "contextSchema": {"type": "nonsense"},
    "steps": [
        {"id": "start", "type": "start", "name": "Start"},
        {"id": "a", "type": "human.form", "name": "A", "dueIn": "soon"},
        {"id": "a", "type": "human.form", "name": "A again"},
        {"id": "lonely", "type": "sys.task", "name": "Lonely"},
    ],
    "stepTransitions": [
        {"id": "t1", "fromStepId": "start", "toStepId": "a"},
        {"id": "t2", "fromStepId": "a", "toStepId": "nowhere"},
    ],
}


async def template_of(api: Api, **given: Any) -> Any:
    """A new template and its version."""
    return await succeed(api, "createWorkflowTemplate", **({"name": "Some Template"} | given))


async def add_version(api: Api, template: Any, number: str, definition: Any = ONE, **given: Any) -> Any:
    """Another DRAFT."""
    template_id = template["workflowTemplate"]["id"]
    input_ = {"workflowTemplateId": template_id, "version": number, "definition": definition} | given
    return (await succeed(api, "createWorkflowTemplateVersion", **input_))["version"]


async def test_a_key_is_made_from_the_name_where_there_is_none(api: Api) -> None:
    answer = await template_of(api, name="Überprüfung des Kunden, 2. Fassung")
    assert answer["workflowTemplate"]["key"] == "uberprufung-des-kunden-2-fassung"


async def test_a_key_made_from_the_longest_name_is_a_key(api: Api) -> None:
    made = (await template_of(api, name="x" * 99 + " " + "y" * 100))["workflowTemplate"]["key"]
    assert made == "x" * 99
    assert (await template_of(api, name="Other", key="y" * 100))["workflowTemplate"]["key"] == "y" * 100


@pytest.mark.parametrize("key", ["", "A", "a_b", "a b", "é", "-a", "a-", "a--b", "k" * 101, "a\n", "../a"])
async def test_d5_key_invalid(api: Api, tenant: str, key: str) -> None:
    answer = await refuse(api, "createWorkflowTemplate", name="Some Template", key=key)
    assert codes(answer) == ["KEY_INVALID"]
    assert answer["issues"][0]["path"] == "/key"
    assert not (await everything(api.store.database, tenant))["workflow_template"]


async def test_d5_a_name_of_which_no_key_can_be_made_needs_one(api: Api) -> None:
    assert codes(await refuse(api, "createWorkflowTemplate", name="!?")) == ["KEY_INVALID"]
    assert (await template_of(api, name="!?", key="what"))["workflowTemplate"]["name"] == "!?"


@pytest.mark.parametrize("name", ["", "   ", "n" * 201])
async def test_a_name_has_1_to_200_characters(api: Api, name: str) -> None:
    answer = await refuse(api, "createWorkflowTemplate", name=name)
    assert [issue["path"] for issue in answer["issues"]] == ["/name"]


async def test_d5_key_taken_and_another_tenant_may_have_it(api: Api, tenant: str) -> None:
    await template_of(api, key="same")
    before = await everything(api.store.database, tenant)
    answer = await refuse(api, "createWorkflowTemplate", name="Another", key="same")
    assert codes(answer) == ["KEY_TAKEN"]
    assert answer["issues"][0]["path"] == "/key"
    assert await everything(api.store.database, tenant) == before
    await template_of(api.as_tenant(f"{tenant}-other"), key="same")


@pytest.mark.parametrize(
    "number", ["", "1", "1.0", "v1.0.0", "1.0.0.0", "01.0.0", "1.0.0 ", "1.0.0-", "9" * 101]
)
async def test_d5_version_not_semver(api: Api, number: str) -> None:
    answer = await refuse(api, "createWorkflowTemplate", name="T", version=number)
    assert codes(answer) == ["VERSION_NOT_SEMVER"]
    assert answer["issues"][0]["path"] == "/version"
    template = await template_of(api)
    given = {"workflowTemplateId": template["workflowTemplate"]["id"], "version": number, "definition": ONE}
    answer = await refuse(api, "createWorkflowTemplateVersion", **given)
    assert codes(answer) == ["VERSION_NOT_SEMVER"]


@pytest.mark.parametrize("number", ["0.0.0", "1.2.3-alpha.1+build.5", "1.0.0+a"])
async def test_d5_versions_are_semver(api: Api, number: str) -> None:
    assert (await template_of(api, version=number))["version"]["version"] == number


async def test_d5_version_taken_in_its_template_only(api: Api) -> None:
    template, other = await template_of(api, key="one"), await template_of(api, key="two")
    await add_version(api, template, "2.0.0")
    given = {"workflowTemplateId": template["workflowTemplate"]["id"], "version": "2.0.0", "definition": ONE}
    answer = await refuse(api, "createWorkflowTemplateVersion", **given)
    assert codes(answer) == ["VERSION_TAKEN"]
    assert answer["issues"][0]["path"] == "/version"
    await add_version(api, other, "2.0.0")


async def test_d5_no_definition_is_start_to_end_and_runs_to_completed_at_once(api: Api) -> None:
    answer = await template_of(api, key="least", publish=True, activate=True)
    assert [step["type"] for step in answer["version"]["definition"]["steps"]] == ["start", "end"]
    execution = await run_of(api, "least")
    assert execution["runtimeStatus"] == "COMPLETED"
    assert [step["status"] for step in execution["steps"]] == ["COMPLETED", "COMPLETED"]


async def test_d5_a_draft_shows_no_steps_a_published_version_shows_them(api: Api) -> None:
    grouped = sequence(
        "grouped", ("a", "human.form"), stepGroups=[{"id": "g", "name": "G", "stepIds": ["a"]}]
    )
    grouped["steps"][1]["group"] = {"groupId": "g", "order": 1}
    draft = (await template_of(api, definition=grouped))["version"]
    assert (draft["status"], draft["publishedAt"]) == ("DRAFT", None)
    assert (draft["steps"], draft["transitions"], draft["stepGroups"]) == ([], [], [])
    published = (await succeed(api, "publishWorkflowTemplateVersion", id=draft["id"]))["version"]
    assert published["status"] == "PUBLISHED"
    assert published["publishedAt"]
    assert [step["stepId"] for step in published["steps"]] == ["start", "a", "end"]
    assert [each["transitionId"] for each in published["transitions"]] == ["t1", "t2"]
    assert published["stepGroups"] == [{"groupId": "g"}]


async def test_d3_every_issue_comes_back_together_and_nothing_is_created(api: Api, tenant: str) -> None:
    answer = await refuse(api, "createWorkflowTemplate", name="Broken", definition=BROKEN, publish=True)
    assert {
        "UNKNOWN_KEY",
        "SCHEMA_INVALID",
        "GRAPH_EXACTLY_ONE_END",
        "STEP_IDS_UNIQUE",
        "DURATION_INVALID",
        "NO_ISOLATED_STEPS",
        "TRANSITION_ENDPOINTS_EXIST",
    } <= set(codes(answer))
    assert not any((await everything(api.store.database, tenant)).values())


async def test_d3_a_draft_may_be_wrong_until_it_is_published(api: Api, tenant: str) -> None:
    draft = (await template_of(api, definition=BROKEN))["version"]
    before = await everything(api.store.database, tenant)
    answer = await refuse(api, "publishWorkflowTemplateVersion", id=draft["id"])
    assert "GRAPH_EXACTLY_ONE_END" in codes(answer)
    assert await everything(api.store.database, tenant) == before
    await succeed(api, "updateWorkflowTemplateVersion", id=draft["id"], definition=ONE)
    published = (await succeed(api, "publishWorkflowTemplateVersion", id=draft["id"]))["version"]
    assert published["definition"] == ONE


async def test_d3_editing_a_published_definition_says_to_create_a_new_version(api: Api) -> None:
    version = (await template_of(api, definition=ONE, publish=True))["version"]
    answer = await refuse(api, "updateWorkflowTemplateVersion", id=version["id"], definition=TWO)
    assert answer["__typename"] == "InvalidTransition"
    assert "new version" in answer["message"]
    noted = await succeed(api, "updateWorkflowTemplateVersion", id=version["id"], versionNote="typo")
    assert (noted["version"]["versionNote"], noted["version"]["definition"]) == ("typo", ONE)


async def test_d2_by_key_the_active_version_runs(api: Api) -> None:
    template = await template_of(api, key="versions", definition=ONE, publish=True, activate=True)
    newer = await add_version(api, template, "2.0.0", TWO)
    await succeed(api, "publishWorkflowTemplateVersion", id=newer["id"])
    assert len((await run_of(api, "versions"))["steps"]) == 3
    activated = await succeed(api, "activateWorkflowTemplateVersion", id=newer["id"])
    assert activated["workflowTemplate"]["activeVersion"]["version"] == "2.0.0"
    assert len((await run_of(api, "versions"))["steps"]) == 4


async def test_d2_deprecating_the_active_version_leaves_the_template_without_one(api: Api) -> None:
    template = await template_of(api, key="gone", definition=ONE, publish=True, activate=True)
    running = await run_of(api, "gone")
    answer = await succeed(api, "deprecateWorkflowTemplateVersion", id=template["version"]["id"])
    assert answer["workflowTemplate"]["activeVersion"] is None
    assert answer["version"]["status"] == "DEPRECATED"
    refusal = await refuse(api, "createWorkflowExecution", workflowTemplateKey="gone")
    assert codes(refusal) == ["NO_ACTIVE_VERSION"]
    done = await succeed(api, "completeStep", id=running["steps"][1]["id"])
    assert done["workflowExecution"]["runtimeStatus"] == "COMPLETED"


async def test_d2_deprecating_another_version_leaves_the_active_one(api: Api) -> None:
    template = await template_of(api, key="stays", definition=ONE, publish=True, activate=True)
    other = await add_version(api, template, "2.0.0")
    await succeed(api, "publishWorkflowTemplateVersion", id=other["id"])
    answer = await succeed(api, "deprecateWorkflowTemplateVersion", id=other["id"])
    assert answer["workflowTemplate"]["activeVersion"]["version"] == "1.0.0"


async def test_d2_activating_needs_publishing(api: Api, tenant: str) -> None:
    answer = await refuse(api, "createWorkflowTemplate", name="T", activate=True)
    assert codes(answer) == ["ACTIVATE_NEEDS_PUBLISH"]
    assert not any((await everything(api.store.database, tenant)).values())


async def test_d2_a_template_that_was_never_activated_has_no_active_version(api: Api) -> None:
    await template_of(api, key="never", publish=True)
    refusal = await refuse(api, "createWorkflowExecution", workflowTemplateKey="never")
    assert codes(refusal) == ["NO_ACTIVE_VERSION"]
    assert refusal["issues"][0]["path"] == "/workflowTemplateKey"


async def test_d4_a_version_with_executions_cannot_be_deleted(api: Api, tenant: str) -> None:
    version = (await template_of(api, key="used", definition=ONE, publish=True))["version"]
    await succeed(api, "createWorkflowExecution", workflowTemplateVersionId=version["id"])
    before = await everything(api.store.database, tenant)
    answer = await refuse(api, "deleteWorkflowTemplateVersion", id=version["id"])
    assert (answer["__typename"], answer["current"]) == ("InvalidTransition", "PUBLISHED")
    assert "executions" in answer["message"]
    assert await everything(api.store.database, tenant) == before


async def test_d4_an_unused_version_goes_with_its_steps_transitions_and_groups(api: Api, tenant: str) -> None:
    grouped = sequence(
        "grouped", ("a", "human.form"), stepGroups=[{"id": "g", "name": "G", "stepIds": ["a"]}]
    )
    grouped["steps"][1]["group"] = {"groupId": "g", "order": 1}
    version = (await template_of(api, definition=grouped, publish=True))["version"]
    answer = await succeed(api, "deleteWorkflowTemplateVersion", id=version["id"])
    assert answer["version"] is None
    left = {name: len(rows) for name, rows in (await everything(api.store.database, tenant)).items() if rows}
    assert left == {"workflow_template": 1}
    again = await refuse(api, "deleteWorkflowTemplateVersion", id=version["id"])
    assert again["__typename"] == "NotFound"


async def test_updating_a_template_changes_what_is_given_and_nothing_else(api: Api) -> None:
    template = (await template_of(api, key="stable", description="For tests."))["workflowTemplate"]
    renamed = await succeed(api, "updateWorkflowTemplate", id=template["id"], name="Renamed")
    assert renamed["workflowTemplate"] == template | {"name": "Renamed"}
    cleared = await succeed(api, "updateWorkflowTemplate", id=template["id"], description=None)
    assert cleared["workflowTemplate"] == template | {"name": "Renamed", "description": None}
    refusal = await refuse(api, "updateWorkflowTemplate", id=template["id"], name="")
    assert [issue["path"] for issue in refusal["issues"]] == ["/name"]
