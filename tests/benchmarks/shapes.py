"""What is read: the rows of each shape, the documents that ask for them, and what the projection is to reach."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.benchmarks import samples

EXECUTIONS = 5_000
_CONTEXT = {"customer": {"name": "Ada", "country": "GB"}, "orders": [1, 2, 3]}

_STEP = "type name status attempt createdAt startedAt completedAt outputData"
_EXECUTION = "name correlationId runtimeStatus createdAt startedAt revision context"
_LISTED = """name correlationId workflowTemplateVersionId{version} runtimeStatus
  createdAt startedAt completedAt lastActivityAt revision"""
_OURS = f"""
  fragment Fields on WorkflowExecution {{ id {_EXECUTION} steps {{ id stepId {_STEP} }} }}
"""
# PostGraphile's name for a column `id` is `rowId`; of a tenant it knows nothing.
_FOREIGN = f"""
  fragment Fields on WorkflowExecution {{
    id: rowId {_EXECUTION}
    steps: stepExecutionsByExecutionIdList(
      condition: {{ tenant: "default", isCurrent: true }}, orderBy: [POSITION_ASC]
    ) {{ id: rowId stepId {_STEP} }}
  }}
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """`root` is where the document begins; `route` is of the hand-written routes."""

    title: str
    rows: Callable[[str], Awaitable[samples.Execution]]
    root: str
    document: str
    foreign_document: str
    route: str
    over_resolvers: float
    over_handwritten: float
    over_postgraphile: float


def _tree(children: int, steps: int) -> Callable[[str], Awaitable[samples.Execution]]:
    """A root with children, each of them and itself with steps, half of which are completed."""

    async def rows(url: str) -> samples.Execution:
        key = await samples.publish(url, samples.sequence(f"read-{children}-{steps}", steps - 2))
        root = await samples.start(url, key, _CONTEXT, completed=steps // 2)
        if children:
            await samples.copies(url, root, children, under=root)
        await samples.settle(url)
        return root

    return rows


async def _many(url: str) -> samples.Execution:
    key = await samples.publish(url, samples.sequence("read-list", 1))
    pattern = await samples.start(url, key, _CONTEXT)
    await samples.copies(url, pattern, EXECUTIONS)
    await samples.settle(url)
    return pattern


TREE = Shape(
    title="1 + 10 executions × 10 steps × 10 fields",
    rows=_tree(children=10, steps=10),
    root="workflowExecution",
    document=f"""query Tree($id: ID!) {{
      workflowExecution(id: $id) {{ ...Fields childWorkflowExecutions(first: 500) {{ nodes {{ ...Fields }} }} }}
    }} {_OURS}""",
    foreign_document=f"""query Tree($id: String!) {{
      workflowExecution: workflowExecutionByRowId(rowId: $id) {{
        ...Fields
        childWorkflowExecutions: workflowExecutionsByParentId(
          first: 500, condition: {{ tenant: "default" }}, orderBy: [CHILD_INDEX_ASC, ROW_ID_ASC]
        ) {{ nodes {{ ...Fields }} }}
      }}
    }} {_FOREIGN}""",
    route="/trees/{id}",
    over_resolvers=10,
    over_handwritten=0.75,
    over_postgraphile=1.5,
)
STEPS = Shape(
    title="1 execution × 100 steps × 10 fields",
    rows=_tree(children=0, steps=100),
    root="workflowExecution",
    document=f"query Execution($id: ID!) {{ workflowExecution(id: $id) {{ ...Fields }} }} {_OURS}",
    foreign_document=f"""query Execution($id: String!) {{
      workflowExecution: workflowExecutionByRowId(rowId: $id) {{ ...Fields }}
    }} {_FOREIGN}""",
    route="/executions/{id}",
    over_resolvers=8,
    over_handwritten=0.75,
    over_postgraphile=1.2,
)
LIST = Shape(
    title=f"50 of {EXECUTIONS:,} executions × 10 fields",
    rows=_many,
    root="workflowExecutions",
    document=f"{{ workflowExecutions(first: 50) {{ nodes {{ id {_LISTED.format(version='')} }} }} }}",
    foreign_document=f"""{{
      workflowExecutions: allWorkflowExecutions(
        first: 50, condition: {{ tenant: "default" }}, orderBy: [CREATED_AT_DESC, ROW_ID_DESC]
      ) {{ nodes {{ id: rowId {_LISTED.format(version=": versionId")} }} }}
    }}""",
    route="/executions",
    over_resolvers=4,
    over_handwritten=0.65,
    over_postgraphile=1.0,
)
SHAPES = {"tree": TREE, "steps": STEPS, "list": LIST}
