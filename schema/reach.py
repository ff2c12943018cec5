"""How far a selection reaches: whether what it shows can change without its own execution changing (`live.md` H7)."""

from collections.abc import Iterable, Mapping
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


def reaches_others(nodes: Iterable[FieldNode], fragments: Mapping[str, FragmentDefinitionNode]) -> bool:
    """Whether anything below these fields shows other executions of the tree, or the tree itself."""
    pending: list[SelectionNode] = [each for node in nodes for each in _below(node)]
    seen: set[str] = set()
    while pending:
        node = pending.pop()
        if isinstance(node, FieldNode) and node.name.value in _BEYOND:
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
