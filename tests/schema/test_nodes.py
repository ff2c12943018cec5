"""`node` and `nodes`: anything that has an id, by one statement, null where there is nothing."""

from typing import Any

from db.ids import IdKind, new_id
from tests.api import Api, definition
from tests.schema.answers import answer, refused

NODE = "query ($id: ID!) { node(id: $id) { __typename id ... on WorkflowTemplate { key } } }"
NODES = """
  query ($ids: [ID!]!) {
    nodes(ids: $ids) {
      __typename id
      ... on WorkflowExecution { name steps { stepId } }
      ... on WorkflowStepExecution { stepId workflowExecution { name } }
      ... on WorkflowTemplate { key versions { totalCount } }
      ... on WorkflowTemplateVersion { version }
    }
  }
"""


async def _one_of_each(api: Api) -> list[dict[str, Any]]:
    template = await api.publish(definition("verify"), key="verify")
    execution = await api.start("verify", name="x")
    return [
        {"__typename": "WorkflowStepExecution", "id": execution["steps"][1]["id"]},
        {"__typename": "WorkflowExecution", "id": execution["id"]},
        {"__typename": "WorkflowTemplateVersion", "id": template["activeVersion"]["id"]},
        {"__typename": "WorkflowTemplate", "id": template["id"]},
    ]


async def test_everything_that_has_an_id_is_a_node(api: Api) -> None:
    for node in await _one_of_each(api):
        more = {"key": "verify"} if node["__typename"] == "WorkflowTemplate" else {}
        assert await answer(api, NODE, 1, id=node["id"]) == {"node": node | more}


async def test_what_is_not_there_malformed_or_not_yours_is_null(api: Api, tenant: str) -> None:
    """Which of these it is nobody is told; a malformed id is not even looked for."""
    stranger = api.as_tenant(f"{tenant}-other")
    nodes = await _one_of_each(stranger)
    for node in nodes:
        assert await answer(api, NODE, 1, id=node["id"]) == {"node": None}
    for kind in IdKind:
        assert await answer(api, NODE, 1, id=new_id(kind)) == {"node": None}
    malformed = ["", "exec_", "nonsense", nodes[0]["id"].upper(), f"{nodes[0]['id']} ", "a\0b", "\ud800"]
    malformed.append(f"user_{nodes[0]['id'].partition('_')[2]}")
    for id_ in malformed:
        assert await answer(api, NODE, 0, id=id_) == {"node": None}
    ids = [*malformed, *(node["id"] for node in nodes)]
    assert await answer(api, NODES, 1, ids=ids) == {"nodes": [None] * len(ids)}


async def test_nodes_come_in_the_order_of_the_ids(api: Api) -> None:
    """Of mixed types, one twice, nulls in their places, nested lists too: one statement."""
    step, execution, version, template = await _one_of_each(api)
    ids = [
        template["id"],
        "nonsense",
        step["id"],
        execution["id"],
        new_id(IdKind.EXECUTION),
        version["id"],
        step["id"],
    ]
    shown_step = step | {"stepId": "verify", "workflowExecution": {"name": "x"}}
    steps = [{"stepId": each} for each in ("start", "verify", "end")]
    assert await answer(api, NODES, 1, ids=ids) == {
        "nodes": [
            template | {"key": "verify", "versions": {"totalCount": 1}},
            None,
            shown_step,
            execution | {"name": "x", "steps": steps},
            None,
            version | {"version": "1.0.0"},
            shown_step,
        ]
    }
    assert await answer(api, NODES, 1, ids=[]) == {"nodes": []}


async def test_there_may_be_as_many_nodes_as_entries_on_a_page(api: Api) -> None:
    """One statement for all of them; one more is refused."""
    (node, *_) = await _one_of_each(api)
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert await answer(api, document, 1, ids=[node["id"]] * 500) == {"nodes": [{"id": node["id"]}] * 500}
    assert await refused(api, document, ids=[node["id"]] * 501) == "ids has 501 ids; at most 500 are allowed."
