"""A definition as a flowchart of Mermaid, which many pages and editors draw."""

import re
from collections.abc import Iterator
from typing import Final

from server.definitions.graph import Box, Graph, Shape

_BRACKETS: Final = {
    Shape.EVENT: ("([", "])"),
    Shape.TASK: ("[", "]"),
    Shape.SUB_WORKFLOW: ("[[", "]]"),
    Shape.GATEWAY: ("{", "}"),
}
# Mermaid's own way to write a character by its number.
_SPECIAL: Final = re.compile(r"[^\w\s.,:()=?!/+×○…'-]")


def mermaid(graph: Graph) -> str:
    """The text of the flowchart; boxes have numbers for names, for an id may be a word of Mermaid."""
    names = {box.id: f"n{number}" for number, box in enumerate(graph.boxes)}
    lines = ["flowchart TD"]
    lines += [f"    {_box(names, box)}" for box in graph.boxes if box.group is None]
    for number, (group_id, title) in enumerate(graph.groups.items()):
        members = [box for box in graph.boxes if box.group == group_id]
        if members:
            lines.append(f"    subgraph g{number}[{_quoted(title)}]")
            lines += [f"        {_box(names, box)}" for box in members]
            lines.append("    end")
    lines += [f"    {line}" for line in _arrows(names, graph)]
    return "\n".join(lines) + "\n"


def _box(names: dict[str, str], box: Box) -> str:
    opening, closing = _BRACKETS[box.shape]
    return f"{names[box.id]}{opening}{_quoted(box.text)}{closing}"


def _arrows(names: dict[str, str], graph: Graph) -> Iterator[str]:
    for arrow in graph.arrows:
        label = f"|{_quoted(arrow.label)}|" if arrow.label else ""
        yield f"{names[arrow.origin]} -->{label} {names[arrow.target]}"


def _quoted(text: str) -> str:
    return '"' + _SPECIAL.sub(lambda found: f"#{ord(found[0])};", text) + '"'
