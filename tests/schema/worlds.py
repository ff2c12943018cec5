"""Worlds: templates, versions and trees of executions drawn at random and made through the API."""

from random import Random
from typing import Any

from db.store import Store
from tests.api import Api
from tests.schema.handmade_rows import add_handmade_rows
from tests.schema.lives import Life
from tests.schema.random_definitions import Child, random_definition
from tests.schema.random_values import WORDS, random_context

TEMPLATES = 5


async def make_world(store: Store, random: Random, tenants: tuple[str, str], stranger: str) -> None:
    """Two tenants with the same keys, and a stranger whom neither may see."""
    for tenant in tenants:
        await _populate(Api(store, tenant), random)
    await store.database.transact(add_handmade_rows(random, tenants, stranger))


async def _populate(api: Api, random: Random) -> None:
    """Templates, each of which may run those before it as children; so trees are as deep as there are templates."""
    children: list[Child] = []
    for number in range(TEMPLATES):
        key = f"key-{number}"
        await api.publish(
            random_definition(random, key, children[-2:]),
            key=key,
            description=random.choice((None, *WORDS)),
            activate=random.random() < 0.9,
        )
        await _add_versions(api, random, key, children[-2:])
        published = await _published(api, key)
        for _ in range(random.randint(1, 3)):
            if published:
                await _live_through(api, random, random.choice(published))
        children.append(Child(key, tuple(published)))
    await api.data(
        "mutation ($input: CreateWorkflowTemplateInput!) { createWorkflowTemplate(input: $input) { __typename } }",
        input={"name": random.choice(WORDS), "key": "draft"},
    )


async def _add_versions(api: Api, random: Random, key: str, children: list[Child]) -> None:
    create = """
      mutation ($input: CreateWorkflowTemplateVersionInput!) {
        createWorkflowTemplateVersion(input: $input) { ... on TemplateSuccess { version { id } } }
      }
    """
    change = """
      mutation ($id: ID!) { %s(input: {id: $id}) {
        ... on TemplateSuccess { version { status } } ... on ValidationFailed { issues { message } }
      } }
    """
    template = await api.data("query ($key: String!) { workflowTemplate(key: $key) { id } }", key=key)
    for number in range(random.randint(0, 3)):
        given = {
            "workflowTemplateId": template["workflowTemplate"]["id"],
            "version": f"2.{number}.0",
            "versionNote": random.choice((None, *WORDS)),
            "definition": random_definition(random, key, children),
        }
        made = await api.data(create, input=given)
        id_ = made["createWorkflowTemplateVersion"]["version"]["id"]
        for command in ("publish", "activate", "deprecate")[: random.choice((0, 1, 2, 2, 3))]:
            done = await api.data(change % f"{command}WorkflowTemplateVersion", id=id_)
            assert "issues" not in done[f"{command}WorkflowTemplateVersion"], done


async def _published(api: Api, key: str) -> list[str]:
    document = "query ($key: String!) { workflowTemplate(key: $key) { versions { nodes { id status } } } }"
    found = await api.data(document, key=key)
    versions = found["workflowTemplate"]["versions"]["nodes"]
    return [each["id"] for each in versions if each["status"] == "PUBLISHED"]


async def _live_through(api: Api, random: Random, version_id: str) -> None:
    """A tree, brought to a random point of its life."""
    create = """
      mutation ($input: CreateWorkflowExecutionInput!) {
        createWorkflowExecution(input: $input) { ... on TransitionSuccess { workflowExecution { id } } }
      }
    """
    given: dict[str, Any] = {
        "workflowTemplateVersionId": version_id,
        "context": random_context(random),
        "start": random.random() < 0.9,
        "name": random.choice((None, *WORDS)),
        "correlationId": random.choice((None, *WORDS)),
    }
    made = await api.data(create, input=given)
    life = Life(api, random, made["createWorkflowExecution"]["workflowExecution"]["id"])
    await life.live(random.choice((1, 5, 20, 30)))
    if random.random() < 0.2:
        await life.cancel()
