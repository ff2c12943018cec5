"""Walks over a graph of ids: what can be reached, in what order, and where it turns in circles.

All without recursion: a definition may be a chain of thousands of steps.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

Graph = Mapping[str, Sequence[str]]


def reachable(starts: Iterable[str], graph: Graph) -> set[str]:
    """The nodes that can be come to from `starts`, those included."""
    seen = set(starts)
    pending = list(seen)
    while pending:
        for successor in graph.get(pending.pop(), ()):
            if successor not in seen:
                seen.add(successor)
                pending.append(successor)
    return seen


def postorder(starts: Iterable[str], graph: Graph) -> Iterator[str]:
    """The nodes of depth-first walks from `starts`, each when all that follows it has been told."""
    seen: set[str] = set()
    for start in starts:
        if start in seen:
            continue
        seen.add(start)
        open_nodes = [(start, iter(graph.get(start, ())))]
        while open_nodes:
            node, successors = open_nodes[-1]
            successor = next((each for each in successors if each not in seen), None)
            if successor is None:
                open_nodes.pop()
                yield node
            else:
                seen.add(successor)
                open_nodes.append((successor, iter(graph.get(successor, ()))))


def reversed_graph(graph: Graph) -> dict[str, list[str]]:
    """The same arrows, turned round."""
    turned: dict[str, list[str]] = {}
    for node, successors in graph.items():
        for successor in successors:
            turned.setdefault(successor, []).append(node)
    return turned


def cycles(nodes: Sequence[str], graph: Graph) -> list[list[str]]:
    """The sets of at least two nodes that can all come to each other, in the order of `nodes` (Kosaraju)."""
    turned = reversed_graph(graph)
    rank = {node: index for index, node in enumerate(nodes)}
    seen: set[str] = set()
    found: list[list[str]] = []
    for root in reversed(list(postorder(nodes, graph))):
        if root in seen:
            continue
        component = _component(root, turned, seen)
        if len(component) > 1:
            found.append(sorted(component, key=lambda node: rank.get(node, len(rank))))
    return sorted(found, key=lambda component: rank.get(component[0], len(rank)))


def _component(root: str, turned: Graph, seen: set[str]) -> list[str]:
    """What can come to `root` and was not seen before; now it is."""
    seen.add(root)
    component = [root]
    for node in component:
        for predecessor in turned.get(node, ()):
            if predecessor not in seen:
                seen.add(predecessor)
                component.append(predecessor)
    return component
