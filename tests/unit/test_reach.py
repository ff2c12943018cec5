"""H6, H7: a subscription that shows more than its own object fires after every change of that."""

import pytest
from graphql import FieldNode, FragmentDefinitionNode, OperationDefinitionNode, parse

from schema.reach import Reach, reach_of, reaches_others

Selected = tuple[list[FieldNode], dict[str, FragmentDefinitionNode]]


def reaches(selection: str, fragments: str = "") -> bool:
    return reaches_others(*selected(selection, fragments))


def selected(selection: str, fragments: str = "") -> Selected:
    document = parse(f"subscription {{ workflowExecution(id: 1) {{ {selection} }} }} {fragments}")
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    nodes = [node for node in operation.selection_set.selections if isinstance(node, FieldNode)]
    named = {
        each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
    }
    return nodes, named


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


@pytest.mark.parametrize(
    ("selection", "reach"),
    [
        ("entries { step { id output: outputData claim { worker } definition { name } } }", Reach.OWN),
        ("entries { step { attempts { id } } }", Reach.EXECUTION),
        ("entries { ... on Entry { step { workflowExecution { name } } } }", Reach.EXECUTION),
        ("entries { step { workflowExecution { name steps { childProgress { total } } } } }", Reach.TREE),
        ("entries { workflowExecution { treeRevision } }", Reach.TREE),
    ],
)
def test_h6_how_far_an_entry_reaches(selection: str, reach: Reach) -> None:
    assert reach_of(*selected(selection)) is reach
