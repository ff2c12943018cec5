"""What one operation may make of little: places, values, and the size of an answer (`security.md` A4)."""

from typing import Any

import pytest

from schema.projection import executor
from tests.api import Api
from tests.schema.tree_samples import CHECK, sequence

DOUBLING = """
  fragment F{n} on WorkflowExecution {{
    parentWorkflowExecution {{ ...F{m} }} rootWorkflowExecution {{ ...F{m} }}
    childWorkflowExecutions(first: 0, where: $where) {{ totalCount }}
  }}
"""


def doubled(levels: int) -> str:
    """A document of one kilobyte that selects twice as many objects at each level."""
    fragments = "".join(DOUBLING.format(n=n, m=n + 1) for n in range(levels))
    return f"""
      query ($id: ID!, $where: WorkflowExecutionWhere) {{ workflowExecution(id: $id) {{ ...F0 }} }}
      {fragments} fragment F{levels} on WorkflowExecution {{ id }}
    """


async def started(api: Api) -> str:
    await api.publish(sequence("child", CHECK), key="child")
    id_: str = (await api.start("child"))["id"]
    return id_


def refusals(answer: Any) -> list[tuple[str, str]]:
    return [(error["extensions"]["code"], error["message"]) for error in answer.get("errors", ())]


async def test_fragments_that_double_end_at_so_many_objects(api: Api) -> None:
    id_ = await started(api)
    assert refusals(await api.run(doubled(4), {"id": id_, "where": {}})) == []
    ((code, message),) = refusals(await api.run(doubled(10), {"id": id_, "where": {}}))
    assert code == "LIMIT_EXCEEDED"
    assert "2,000 places" in message


async def test_conditions_that_double_end_at_so_many_values(api: Api) -> None:
    where = {"or": [{"name": {"eq": f"n{number}"}} for number in range(50)]}
    ((code, message),) = refusals(await api.run(doubled(8), {"id": await started(api), "where": where}))
    assert code == "LIMIT_EXCEEDED"
    assert "5,000 values" in message


async def test_an_answer_ends_at_its_bound(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    document = "query ($id: ID!) { workflowExecution(id: $id) { id %s } }"
    id_ = await started(api)
    monkeypatch.setattr(executor, "LONGEST_ANSWER", 200)
    assert refusals(await api.run(document % "", {"id": id_})) == []
    many = " ".join(f"a{number}: id" for number in range(10))
    ((code, message),) = refusals(await api.run(document % many, {"id": id_}))
    assert code == "LIMIT_EXCEEDED"
    assert message.startswith("The answer has more than")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_sqlite_makes_no_text_that_is_longer_than_memory_bears(api: Api) -> None:
    """It stops by itself, long before the answer is whole."""
    await api.publish(sequence("child", CHECK), key="child")
    id_ = (await api.start("child", context={"text": "x" * 1_000_000}))["id"]
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on WorkflowExecution { context } } }"
    ((code, _),) = refusals(await api.run(document, {"ids": [id_] * 40}))
    assert code == "LIMIT_EXCEEDED"
