"""A raw definition read with forbearance: what of its graph can be told, whatever else is wrong with it."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from db.runtime.definition import StepType
from db.runtime.validation.issues import Path


@dataclass(frozen=True)
class Entry:
    """An object in one of the definition's lists; `id` is None where it has none that is a string."""

    path: Path
    raw: dict[str, Any]

    @property
    def id(self) -> str | None:
        return self.text("id")

    def text(self, key: str) -> str | None:
        """The string at a key, if there is one."""
        value = self.raw.get(key)
        return value if isinstance(value, str) else None


@dataclass(frozen=True)
class StepEntry(Entry):
    """A step; `type` is None where it is not a known one."""

    @cached_property
    def type(self) -> StepType | None:
        value = self.text("type")
        return StepType(value) if value in set(StepType) else None

    @property
    def is_join(self) -> bool:
        return self.type is StepType.GATEWAY_PARALLEL_JOIN

    @property
    def is_gateway(self) -> bool:
        return self.type is not None and self.type.is_gateway

    @property
    def is_split(self) -> bool:
        return self.type is not None and self.type.is_split

    @property
    def is_conditional_split(self) -> bool:
        return self.type is not None and self.type.is_conditional_split


@dataclass(frozen=True)
class TransitionEntry(Entry):
    """A transition."""

    @property
    def origin(self) -> str | None:
        return self.text("fromStepId")

    @property
    def target(self) -> str | None:
        return self.text("toStepId")

    @property
    def is_default(self) -> bool:
        return self.raw.get("isDefault") is True


@dataclass(frozen=True)
class Edge:
    """A transition whose ends both exist and differ."""

    transition: TransitionEntry
    origin: StepEntry
    target: StepEntry


@dataclass
class Outline:
    """Steps, transitions and groups as far as they are objects, and the graph that they make.

    Of steps with the same id the first counts, and of transitions between the same two steps: the others
    have an issue of their own, and would only repeat it.
    """

    steps: list[StepEntry]
    transitions: list[TransitionEntry]
    groups: list[Entry]
    by_id: dict[str, StepEntry] = field(init=False, default_factory=dict)
    edges: list[Edge] = field(init=False, default_factory=list)
    outgoing: dict[str, list[Edge]] = field(init=False)
    incoming: dict[str, list[Edge]] = field(init=False)

    def __post_init__(self) -> None:
        for step in self.steps:
            if step.id is not None:
                self.by_id.setdefault(step.id, step)
        self.outgoing = {step_id: [] for step_id in self.by_id}
        self.incoming = {step_id: [] for step_id in self.by_id}
        seen: set[tuple[str, str]] = set()
        for transition in self.transitions:
            origin, target = transition.origin or "", transition.target or ""
            if origin != target and (origin, target) not in seen and {origin, target} <= self.by_id.keys():
                seen.add((origin, target))
                edge = Edge(transition, self.by_id[origin], self.by_id[target])
                self.edges.append(edge)
                self.outgoing[origin].append(edge)
                self.incoming[target].append(edge)

    @property
    def nodes(self) -> list[StepEntry]:
        """The steps of the graph, in definition order: each id once."""
        return list(self.by_id.values())

    def of_type(self, step_type: StepType) -> list[StepEntry]:
        return [step for step in self.nodes if step.type is step_type]

    @classmethod
    def of(cls, raw: object) -> "Outline":
        """The outline of any JSON value; of one that is no definition it is empty."""
        definition = raw if isinstance(raw, dict) else {}
        return cls(
            steps=[StepEntry(path, item) for path, item in _objects(definition, "steps")],
            transitions=[
                TransitionEntry(path, item) for path, item in _objects(definition, "stepTransitions")
            ],
            groups=[Entry(path, item) for path, item in _objects(definition, "stepGroups")],
        )


def _objects(definition: dict[str, Any], collection: str) -> list[tuple[Path, dict[str, Any]]]:
    found = definition.get(collection)
    members = enumerate(found) if isinstance(found, list) else ()
    return [((collection, index), item) for index, item in members if isinstance(item, dict)]
