"""What is drawn of a definition: boxes and arrows, also of one that is not right yet."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from db.runtime.definition import StepType
from db.runtime.validation.outline import Outline, StepEntry, TransitionEntry
from server.definitions.source import BadSource, DefinitionSource

LONGEST_NAME: Final = 60
LONGEST_LABEL: Final = 40


class Shape(Enum):
    """How a step is drawn."""

    EVENT = auto()
    TASK = auto()
    SUB_WORKFLOW = auto()
    GATEWAY = auto()


_MARKS: Final[Mapping[StepType, str]] = {
    StepType.GATEWAY_PARALLEL_SPLIT: "+",
    StepType.GATEWAY_PARALLEL_JOIN: "+",
    StepType.GATEWAY_EXCLUSIVE_SPLIT: "×",
    StepType.GATEWAY_INCLUSIVE_SPLIT: "○",
}


@dataclass(frozen=True, slots=True)
class Box:
    """A step. A gateway's text begins with the mark of its kind."""

    id: str
    text: str
    shape: Shape
    group: str | None


@dataclass(frozen=True, slots=True)
class Arrow:
    """A transition between two boxes; `label` is what is written at it, or the condition, or that it is the default."""

    origin: str
    target: str
    label: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Boxes in the order of the definition, arrows between them, and the names of groups by id."""

    name: str
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
    groups: Mapping[str, str]


def graph_of(source: DefinitionSource) -> Graph:
    """Of steps with the same id the first, of transitions those whose ends are there. Raises `BadSource` without a step."""
    outline = Outline.of(source.value)
    if not outline.nodes:
        raise BadSource(f"{source.name}: There is no step to draw.")
    groups = {each.id: _one_line(each.text("name") or each.id) for each in outline.groups if each.id}
    boxes = [_box(step, groups) for step in outline.nodes]
    arrows = [
        Arrow(edge.origin.id or "", edge.target.id or "", _label(edge.transition)) for edge in outline.edges
    ]
    return Graph(_one_line(str(source.value.get("name") or source.name)), boxes, arrows, groups)


def _box(step: StepEntry, groups: Mapping[str, str]) -> Box:
    text = _one_line(step.text("name") or step.id or "")
    mark = _MARKS.get(step.type) if step.type else None
    group = step.raw.get("group")
    group_id = group.get("groupId") if isinstance(group, dict) else None
    return Box(
        step.id or "",
        f"{mark} {text}" if mark else text,
        _shape(step),
        group_id if isinstance(group_id, str) and group_id in groups else None,
    )


def _shape(step: StepEntry) -> Shape:
    if step.type in {StepType.START, StepType.END}:
        return Shape.EVENT
    if step.type is StepType.SYS_SUB_WORKFLOW:
        return Shape.SUB_WORKFLOW
    return Shape.GATEWAY if step.is_gateway else Shape.TASK


def _label(transition: TransitionEntry) -> str:
    condition: Any = transition.raw.get("condition")
    src = condition.get("src") if isinstance(condition, dict) else None
    text = transition.text("label") or (src if isinstance(src, str) else "")
    return _one_line(text or ("default" if transition.is_default else ""), LONGEST_LABEL)


def _one_line(text: str, longest: int = LONGEST_NAME) -> str:
    """What XML and Mermaid can hold of it, shortened."""
    words = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", " ", text).split())
    return words if len(words) <= longest else f"{words[: longest - 1]}…"
