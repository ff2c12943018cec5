"""Ids that name nothing: malformed, of another type, unknown, another tenant's are one answer (`runtime.md` I6)."""

from typing import Any

import pytest

from db.ids import IdKind, new_id
from tests.api import Api
from tests.contract.commands import MUTATIONS, give, ids_of, run_of
from tests.contract.samples import ONE
from tests.contract.tables import everything

# Mutation → the kind of id that it takes, the field, and what else it needs.
TAKES: dict[str, tuple[IdKind, str, dict[str, Any]]] = {
    "updateWorkflowTemplate": (IdKind.TEMPLATE, "id", {"name": "N"}),
    "createWorkflowTemplateVersion": (
        IdKind.TEMPLATE,
        "workflowTemplateId",
        {"version": "9.0.0", "definition": ONE},
    ),
    "updateWorkflowTemplateVersion": (IdKind.TEMPLATE_VERSION, "id", {"versionNote": "n"}),
    "publishWorkflowTemplateVersion": (IdKind.TEMPLATE_VERSION, "id", {}),
    "activateWorkflowTemplateVersion": (IdKind.TEMPLATE_VERSION, "id", {}),
    "deprecateWorkflowTemplateVersion": (IdKind.TEMPLATE_VERSION, "id", {}),
    "deleteWorkflowTemplateVersion": (IdKind.TEMPLATE_VERSION, "id", {}),
    "createWorkflowExecution": (IdKind.TEMPLATE_VERSION, "workflowTemplateVersionId", {}),
    "startWorkflowExecution": (IdKind.EXECUTION, "id", {}),
    "cancelWorkflowExecution": (IdKind.EXECUTION, "id", {}),
    "completeStep": (IdKind.STEP_EXECUTION, "id", {}),
    "failStep": (IdKind.STEP_EXECUTION, "id", {"message": "m"}),
}
MALFORMED = ["", " ", "x", "exec_", "step_01m89ke0fte1m9hverf5hxdym", "' or 1=1 --", "é" * 5_000]


async def objects_of(api: Api) -> dict[IdKind, str]:
    """One object of every kind."""
    template = await api.publish(ONE, key="one")
    execution = await run_of(api, "one")
    return {
        IdKind.TEMPLATE: template["id"],
        IdKind.TEMPLATE_VERSION: template["activeVersion"]["id"],
        IdKind.EXECUTION: execution["id"],
        IdKind.STEP_EXECUTION: ids_of(execution)["a"],
    }


def test_every_mutation_that_takes_an_id_is_tried() -> None:
    assert set(TAKES) | {"createWorkflowTemplate"} == set(MUTATIONS)


@pytest.mark.parametrize("mutation", TAKES)
async def test_i6_ids_that_name_nothing_of_ours_are_one_answer(api: Api, tenant: str, mutation: str) -> None:
    kind, field, rest = TAKES[mutation]
    ours = await objects_of(api)
    theirs = await objects_of(api.as_tenant(f"{tenant}-other"))
    other_types = [id_ for other, id_ in ours.items() if other is not kind]
    before = [await everything(api.store.database, name) for name in (tenant, f"{tenant}-other")]
    for id_ in [*MALFORMED, *other_types, new_id(kind), theirs[kind]]:
        answer = await give(api, mutation, **rest, **{field: id_})
        message = f"There is no object with the id {id_[:100]!r}."
        assert answer == {"__typename": "NotFound", "id": id_, "message": message}
    assert [await everything(api.store.database, name) for name in (tenant, f"{tenant}-other")] == before
    assert api.announcer.committed[1:] == []


@pytest.mark.parametrize("key", ["", "unknown", "One", "é", "one "])
async def test_i6_a_key_that_no_template_has_is_not_found(api: Api, key: str) -> None:
    await api.publish(ONE, key="one")
    answer = await give(api, "createWorkflowExecution", workflowTemplateKey=key)
    message = f"There is no workflow template with the key {key!r}."
    assert answer == {"__typename": "NotFound", "id": key, "message": message}


async def test_i6_another_tenants_key_is_not_found(api: Api, tenant: str) -> None:
    await api.publish(ONE, key="one")
    other = api.as_tenant(f"{tenant}-other")
    answer = await give(other, "createWorkflowExecution", workflowTemplateKey="one")
    assert (answer["__typename"], answer["id"]) == ("NotFound", "one")


@pytest.mark.parametrize(
    "field", ["workflowExecution(id: $id)", "workflowTemplate(id: $id)", "workflowTemplateVersion(id: $id)"]
)
async def test_i6_queries_answer_null(api: Api, tenant: str, field: str) -> None:
    ours = await objects_of(api)
    theirs = await objects_of(api.as_tenant(f"{tenant}-other"))
    kind = {
        "workflowExecution": IdKind.EXECUTION,
        "workflowTemplate": IdKind.TEMPLATE,
        "workflowTemplateVersion": IdKind.TEMPLATE_VERSION,
    }[field.split("(", maxsplit=1)[0]]
    other_types = [id_ for other, id_ in ours.items() if other is not kind]
    document = f"query ($id: ID!) {{ found: {field} {{ id }} }}"
    for id_ in [*MALFORMED, *other_types, new_id(kind), theirs[kind]]:
        assert await api.data(document, id=id_) == {"found": None}
    assert await api.data(document, id=ours[kind]) == {"found": {"id": ours[kind]}}
