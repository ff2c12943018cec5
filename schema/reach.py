"""How far a selection reaches: whose changes it can show beside those of its own object (`live.md` H6, H7)."""

from collections.abc import Iterable, Mapping, Set
from enum import Enum
from typing import Any, Final

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, SelectionNode

# By name alone: that a field of another type is called the same costs a read too many, never one too few.
_BEYOND: Final = frozenset(
    {
        "childProgress",
        "childWorkflowExecutions",
        "descendantWorkflowExecutions",
        "parentStep",
        "parentWorkflowExecution",
        "rootWorkflowExecution",
        "treeRevision",
        "workflowExecutions",
    }
)
# From a step: what its own revision does not tell.
_AROUND: Final = frozenset({"attempts", "workflowExecution"})


class Reach(Enum):
    """Whose changes a selection can show."""

    OWN = "of the object itself"
    EXECUTION = "of its execution and of all steps of that"
    TREE = "of its tree"


def reach_of(nodes: Iterable[FieldNode], fragments: Mapping[str, FragmentDefinitionNode]) -> Reach:
    """How far from the object what is selected below these fields lies."""
    nodes = list(nodes)
    if reaches_others(nodes, fragments):
        return Reach.TREE
    return Reach.EXECUTION if _selects(_AROUND, nodes, fragments) else Reach.OWN


def reaches_others(nodes: Iterable[FieldNode], fragments: Mapping[str, FragmentDefinitionNode]) -> bool:
    """Whether anything below these fields shows other executions of the tree, or the tree itself."""
    return _selects(_BEYOND, nodes, fragments)


def _selects(
    names: Set[str], nodes: Iterable[FieldNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> bool:
    pending: list[SelectionNode] = [each for node in nodes for each in _below(node)]
    seen: set[str] = set()
    while pending:
        node = pending.pop()
        if isinstance(node, FieldNode) and node.name.value in names:
            return True
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name not in seen:
                seen.add(name)
                pending.extend(fragments[name].selection_set.selections)
            continue
        pending.extend(_below(node))
    return False


def _below(node: Any) -> Iterable[SelectionNode]:
    return node.selection_set.selections if node.selection_set else ()
