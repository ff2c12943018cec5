"""A definition as a picture: boxes in layers from `start` down, laid out by grandalf."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from textwrap import wrap
from typing import Any, Final
from xml.etree import ElementTree as ET

from grandalf.graphs import Edge as LaidEdge
from grandalf.graphs import Graph as LaidGraph
from grandalf.graphs import Vertex
from grandalf.layouts import SugiyamaLayout

from server.definitions.graph import Arrow, Box, Graph, Shape

# Pixels; text is measured by the width of a usual letter.
_LETTER, _LINE, _PADDING, _MARGIN, _TITLE = 7.2, 16.0, 14.0, 24.0, 30.0
_CHARACTERS: Final = 24
_BETWEEN: Final = 46.0
_FONT: Final = "13px system-ui, sans-serif"
_STYLE: Final = f"""
  text {{ font: {_FONT}; fill: #1f2933; text-anchor: middle; dominant-baseline: middle }}
  .title {{ font-weight: 600; text-anchor: start }}
  .label, .group {{ font-size: 11px; fill: #52606d }}
  .label, .group {{ paint-order: stroke; stroke: #ffffff; stroke-width: 4px }}
  .box {{ fill: #f5f7fa; stroke: #3e4c59; stroke-width: 1.4 }}
  .event {{ fill: #e3f8ee }}
  .gateway {{ fill: #fff3d6 }}
  .sub_workflow {{ fill: #e6ecff }}
  .arrow {{ fill: none; stroke: #3e4c59; stroke-width: 1.4; marker-end: url(#head) }}
"""

Point = tuple[float, float]


@dataclass(slots=True)
class View:
    """How large a box is, for grandalf, and where its middle came to stand."""

    w: float
    h: float
    lines: Sequence[str]
    xy: Point = (0.0, 0.0)


@dataclass(slots=True)
class Route:
    """Where grandalf has an arrow bend; it tells by `setpath`."""

    points: Sequence[Point] = ()

    def setpath(self, points: Sequence[Point]) -> None:
        self.points = list(points)


def svg(graph: Graph) -> str:
    """The picture as an SVG document that stands for itself."""
    views = {box.id: _view(box) for box in graph.boxes}
    routes = _laid_out(graph, views)
    left, top, width, height = _frame(views, routes)
    root = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", role="img")
    root.set("viewBox", _numbers(left, top, width, height))
    root.set("width", _numbers(width))
    root.set("height", _numbers(height))
    ET.SubElement(root, "title").text = graph.name
    ET.SubElement(root, "style").text = _STYLE
    _add_head(root)
    ET.SubElement(
        root, "rect", x=_numbers(left), y=_numbers(top), width="100%", height="100%", fill="#ffffff"
    )
    _add_text(root, "title", (left + _MARGIN, top + _MARGIN), graph.name)
    for arrow, route in zip(graph.arrows, routes, strict=True):
        _add_arrow(root, arrow, route.points)
    for box in graph.boxes:
        _add_box(root, box, views[box.id], graph.groups.get(box.group or ""))
    return ET.tostring(root, encoding="unicode") + "\n"


def _view(box: Box) -> View:
    lines = wrap(box.text, _CHARACTERS) or [box.id]
    width = max(map(len, lines)) * _LETTER + 2 * _PADDING
    height = len(lines) * _LINE + 2 * _PADDING
    if box.shape is Shape.GATEWAY:  # the text stands in the middle of a rhombus
        return View(width * 1.5, height * 1.5, lines)
    return View(width, height, lines)


def _laid_out(graph: Graph, views: dict[str, View]) -> list[Route]:
    """Has every view stand somewhere, one part that hangs together beside the other; the ways of the arrows."""
    vertices = {box.id: Vertex(box.id) for box in graph.boxes}
    for id_, vertex in vertices.items():
        vertex.view = views[id_]
    edges = []
    for arrow in graph.arrows:
        edge = LaidEdge(vertices[arrow.origin], vertices[arrow.target])
        edge.view = Route()
        edges.append(edge)
    right = 0.0
    for part in LaidGraph(list(vertices.values()), edges).C:
        layout = SugiyamaLayout(part)
        layout.xspace, layout.yspace = _BETWEEN, _BETWEEN
        layout.init_all(roots=_roots(part), inverted_edges=None)
        layout.draw(3)
        right = _moved(part, right)
    return [_routed(edge) for edge in edges]


def _roots(part: Any) -> list[Any]:
    """Where flow begins; of a part that is nothing but a loop, anywhere."""
    vertices = list(part.sV)
    return [each for each in vertices if not each.e_in()] or vertices[:1]


def _moved(part: Any, right: float) -> float:
    """Move a part to where the one before it ends; returns where this one ends."""
    views = [vertex.view for vertex in part.sV]
    shift = right - min(view.xy[0] - view.w / 2 for view in views)
    for view in views:
        view.xy = (view.xy[0] + shift, view.xy[1])
    for edge in part.sE:
        edge.view.points = [(x + shift, y) for x, y in edge.view.points]
    end: float = max(view.xy[0] + view.w / 2 for view in views)
    return end + _BETWEEN


def _routed(edge: Any) -> Route:
    """From the middle of the lower side to that of the upper one; a way back goes round by the right."""
    origin, target = edge.v[0].view, edge.v[1].view
    if origin.xy[1] < target.xy[1]:
        start = (origin.xy[0], origin.xy[1] + origin.h / 2)
        end = (target.xy[0], target.xy[1] - target.h / 2)
        return Route([start, *edge.view.points[1:-1], end])
    start = (origin.xy[0] + origin.w / 2, origin.xy[1])
    end = (target.xy[0] + target.w / 2, target.xy[1])
    aside = max(start[0], end[0], *(x for x, _ in edge.view.points)) + _BETWEEN
    return Route([start, (aside, start[1]), (aside, end[1]), end])


def _frame(views: dict[str, View], routes: Sequence[Route]) -> tuple[float, float, float, float]:
    """The left and the upper border, width and height, with room for the title and for margins."""
    corners = [(x + way * w / 2, y + way * h / 2) for (x, y), w, h in _places(views) for way in (-1, 1)]
    points = corners + [point for route in routes for point in route.points]
    left, right = min(x for x, _ in points) - _MARGIN, max(x for x, _ in points) + _MARGIN
    top, bottom = min(y for _, y in points) - _MARGIN - _TITLE, max(y for _, y in points) + _MARGIN
    return left, top, right - left, bottom - top


def _places(views: dict[str, View]) -> Iterator[tuple[Point, float, float]]:
    return ((view.xy, view.w, view.h) for view in views.values())


def _add_head(root: ET.Element) -> None:
    size = {"markerWidth": "9", "markerHeight": "9", "refX": "8", "refY": "4.5", "orient": "auto"}
    within = {"id": "head", "markerUnits": "userSpaceOnUse", **size}
    marker = ET.SubElement(ET.SubElement(root, "defs"), "marker", within)
    ET.SubElement(marker, "path", d="M0,0 L9,4.5 L0,9 z", fill="#3e4c59")


def _add_box(root: ET.Element, box: Box, view: View, group: str | None) -> None:
    x, y = view.xy
    w, h = view.w, view.h
    kind = f"box {box.shape.name.lower()}"
    if box.shape is Shape.GATEWAY:
        corners = ((x, y - h / 2), (x + w / 2, y), (x, y + h / 2), (x - w / 2, y))
        ET.SubElement(
            root, "polygon", {"class": kind, "points": " ".join(_numbers(*each) for each in corners)}
        )
    else:
        radius = h / 2 if box.shape is Shape.EVENT else 5
        for inset in (0, 4) if box.shape is Shape.SUB_WORKFLOW else (0,):
            place = {
                "x": x - w / 2 + inset,
                "y": y - h / 2 + inset,
                "width": w - 2 * inset,
                "height": h - 2 * inset,
            }
            attributes = {name: _numbers(number) for name, number in {**place, "rx": radius}.items()}
            ET.SubElement(root, "rect", {"class": kind, **attributes})
    first = y - (len(view.lines) - 1) * _LINE / 2
    for number, line in enumerate(view.lines):
        _add_text(root, None, (x, first + number * _LINE), line)
    if group:
        _add_text(root, "group", (x, y - h / 2 - 8), group)


def _add_arrow(root: ET.Element, arrow: Arrow, points: Sequence[Point]) -> None:
    way = "M" + " L".join(_numbers(*point) for point in points)
    ET.SubElement(root, "path", {"class": "arrow", "d": way})
    if arrow.label:
        (x0, y0), (x1, y1) = max(pairwise(points), key=_length)
        _add_text(root, "label", ((x0 + x1) / 2, (y0 + y1) / 2), arrow.label)


def _length(ends: tuple[Point, Point]) -> float:
    (x0, y0), (x1, y1) = ends
    return abs(x1 - x0) + abs(y1 - y0)


def _add_text(root: ET.Element, kind: str | None, place: Point, text: str) -> None:
    attributes = {"class": kind} if kind else {}
    ET.SubElement(root, "text", {**attributes, "x": _numbers(place[0]), "y": _numbers(place[1])}).text = text


def _numbers(*numbers: float) -> str:
    return ",".join(f"{number:.1f}" for number in numbers)
