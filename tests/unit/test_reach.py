"""H7: a subscription that shows other executions of the tree fires after every change in the tree."""

import pytest
from graphql import FieldNode, FragmentDefinitionNode, OperationDefinitionNode, parse

from schema.reach import reaches_others


def reaches(selection: str, fragments: str = "") -> bool:
    document = parse(f"subscription {{ workflowExecution(id: 1) {{ {selection} }} }} {fragments}")
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    nodes = [node for node in operation.selection_set.selections if isinstance(node, FieldNode)]
    named = {
        each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
    }
    return reaches_others(nodes, named)


@pytest.mark.parametrize(
    "selection",
    [
        "treeRevision",
        "steps { childWorkflowExecutions { id } }",
        "x: descendantWorkflowExecutions { totalCount }",
        "... on WorkflowExecution { parentStep { id } }",
        "step(stepId: 1) { workflowExecution { rootWorkflowExecution { id } } }",
    ],
)
def test_h7_what_lies_beyond_the_execution_is_seen(selection: str) -> None:
    assert reaches(selection)


def test_h7_through_fragments_that_use_each_other() -> None:
    fragments = "fragment A on X { steps { ...B } } fragment B on Y { id ...C } fragment C on Y { childProgress { total } }"
    assert reaches("...A", fragments)


@pytest.mark.parametrize("selection", ["id", "steps { id attempts { id } workflowExecution { id } }", "...A"])
def test_h7_the_execution_and_its_steps_are_its_own(selection: str) -> None:
    assert not reaches(selection, "fragment A on X { id ...A }")
