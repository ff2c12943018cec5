"""What a definition can be drawn as."""

from enum import StrEnum

from server.definitions.graph import Graph
from server.definitions.mermaid import mermaid
from server.definitions.svg import svg


class Drawing(StrEnum):
    """Formats of drawings."""

    MERMAID = "mermaid"
    SVG = "svg"


def drawn(graph: Graph, drawing: Drawing) -> str:
    """The text of a drawing."""
    return svg(graph) if drawing is Drawing.SVG else mermaid(graph)
