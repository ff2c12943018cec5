"""Worlds: templates, versions and executions drawn at random and made through the API."""

from itertools import pairwise
from random import Random
from typing import Any

from db.store import Store
from tests.api import Api
from tests.schema.handmade_rows import add_handmade_rows

WORDS = (
    "alpha",
    "Ünïcødé – 名前",
    'quo"te',
    "it's",
    "back\\slash",
    "line\nbreak",
    "🧭 emoji",
    "<b>&amp;",
    "%_",
    "⟦0⟧ ⟪0⟫",
)
NUMBERS = (0, 1, -1, 2**53 + 1, 2**63 - 1, -(2**63), 0.5, 1.0, -0.0, 1e21, 1e-7, 1.5e300, 0.1)
KEYS = ("a", "b", "", "ключ", "with space", 'q"uote', "$ref", "a.b", "0", "__proto__")
TASKS = ("human.confirm", "human.form", "human.url_redirect", "human.doc_upload", "sys.task")


async def make_world(store: Store, random: Random, tenants: tuple[str, str], stranger: str) -> None:
    """Two tenants with the same keys, and a stranger whom neither may see."""
    for tenant in tenants:
        await _populate(Api(store, tenant), random)
    await store.database.transact(add_handmade_rows(random, tenants, stranger))


async def _populate(api: Api, random: Random) -> None:
    for number in range(random.randint(3, 5)):
        key = f"key-{number}"
        await api.publish(
            random_definition(random, key),
            key=key,
            description=random.choice((None, *WORDS)),
            activate=random.random() < 0.7,
        )
        await _add_versions(api, random, key)
        for _ in range(random.randint(1, 3)):
            await _live_through(api, random, key)
    await api.data(
        "mutation ($input: CreateWorkflowTemplateInput!) { createWorkflowTemplate(input: $input) { __typename } }",
        input={"name": random.choice(WORDS), "key": "draft"},
    )


async def _add_versions(api: Api, random: Random, key: str) -> None:
    create = """
      mutation ($input: CreateWorkflowTemplateVersionInput!) {
        createWorkflowTemplateVersion(input: $input) { ... on TemplateSuccess { version { id } } }
      }
    """
    change = """
      mutation ($id: ID!) { %s(input: {id: $id}) { __typename ... on TemplateSuccess { version { status } } } }
    """
    template = await api.data("query ($key: String!) { workflowTemplate(key: $key) { id } }", key=key)
    for number in range(random.randint(0, 4)):
        given = {
            "workflowTemplateId": template["workflowTemplate"]["id"],
            "version": f"2.{number}.0",
            "versionNote": random.choice((None, *WORDS)),
            "definition": random_definition(random, key),
        }
        made = await api.data(create, input=given)
        id_ = made["createWorkflowTemplateVersion"]["version"]["id"]
        for command in ("publish", "activate", "deprecate")[: random.randint(0, 3)]:
            await api.data(change % f"{command}WorkflowTemplateVersion", id=id_)


async def _live_through(api: Api, random: Random, key: str) -> None:
    """An execution, brought to a random point of its life."""
    version = await api.data(
        "query ($key: String!) { workflowTemplate(key: $key) { versions { nodes { id status } } } }", key=key
    )
    published = [
        each["id"]
        for each in version["workflowTemplate"]["versions"]["nodes"]
        if each["status"] == "PUBLISHED"
    ]
    if not published:
        return
    create = """
      mutation ($input: CreateWorkflowExecutionInput!) {
        createWorkflowExecution(input: $input) { ... on TransitionSuccess { workflowExecution { id } } }
      }
    """
    given = {
        "workflowTemplateVersionId": random.choice(published),
        "context": random_object(random, 3),
        "start": random.random() < 0.85,
        "name": random.choice((None, *WORDS)),
        "correlationId": random.choice((None, *WORDS)),
    }
    made = await api.data(create, input=given)
    id_ = made["createWorkflowExecution"]["workflowExecution"]["id"]
    await _end_steps(api, random, id_)
    if random.random() < 0.3:
        await api.data(
            "mutation ($input: CancelWorkflowExecutionInput!) { cancelWorkflowExecution(input: $input) { __typename } }",
            input={"id": id_, "reason": random.choice((None, *WORDS))},
        )


async def _end_steps(api: Api, random: Random, execution_id: str) -> None:
    waiting = "query ($id: ID!) { workflowExecution(id: $id) { steps { id status } } }"
    complete = """
      mutation ($id: ID!, $output: JSONObject) {
        completeStep(input: {id: $id, outputData: $output}) { __typename }
      }
    """
    fail = "mutation ($input: FailStepInput!) { failStep(input: $input) { __typename } }"
    while random.random() < 0.75:
        steps = (await api.data(waiting, id=execution_id))["workflowExecution"]["steps"]
        current = next((step["id"] for step in steps if step["status"] == "IN_PROGRESS"), None)
        if current is None:
            return
        if random.random() < 0.15:
            given = {"id": current, "message": random.choice(WORDS), "code": random.choice((None, "BROKEN"))}
            await api.data(fail, input=given)
        else:
            await api.data(complete, id=current, output=random_object(random, 3))


def random_definition(random: Random, key: str) -> dict[str, Any]:
    """A sequence of up to ten tasks, some of them in groups."""
    steps = [_task(random, number) for number in range(random.randint(0, 10))]
    ids = ["start", *(step["id"] for step in steps), "end"]
    transitions = [
        {
            "id": f"t{number}",
            "fromStepId": source,
            "toStepId": target,
            **_some(random, label=random.choice(WORDS)),
        }
        for number, (source, target) in enumerate(pairwise(ids))
    ]
    definition = {
        "id": key,
        "name": random.choice(WORDS),
        "steps": [
            {"id": "start", "type": "start", "name": "Start"},
            *steps,
            {"id": "end", "type": "end", "name": "End"},
        ],
        "stepTransitions": random.sample(transitions, len(transitions)),
    }
    groups = _groups(random, steps)
    return definition | ({"stepGroups": groups} if groups else {})


def _task(random: Random, number: int) -> dict[str, Any]:
    return {
        "id": f"step-{number}",
        "type": random.choice(TASKS),
        "name": random.choice(WORDS),
        **_some(
            random,
            dueIn=random.choice(("P3D", "PT10S", "P1M")),
            outputSchema={"type": "object", "title": random.choice(WORDS)},
            ui=random_object(random, 2),
        ),
    }


def _groups(random: Random, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    members: dict[str, list[str]] = {}
    for step in random.sample(steps, len(steps)):
        if random.random() < 0.6:
            group_id = f"g{random.randint(0, 2)}"
            ids = members.setdefault(group_id, [])
            ids.append(step["id"])
            step["group"] = {"groupId": group_id, "order": len(ids)}
    return [{"id": name, "name": random.choice(WORDS), "stepIds": ids} for name, ids in members.items()]


def _some(random: Random, **given: Any) -> dict[str, Any]:
    return {key: value for key, value in given.items() if random.random() < 0.4}


def random_object(random: Random, depth: int) -> dict[str, Any]:
    """A JSON object with whatever JSON admits."""
    return {key: random_json(random, depth - 1) for key in random.sample(KEYS, random.randint(0, 3))}


def random_json(random: Random, depth: int) -> Any:
    """A JSON value."""
    if depth > 0 and random.random() < 0.5:
        if random.random() < 0.5:
            return random_object(random, depth)
        return [random_json(random, depth - 1) for _ in range(random.randint(0, 3))]
    return random.choice((None, True, False, "", *WORDS, *NUMBERS))
