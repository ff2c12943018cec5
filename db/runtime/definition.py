"""A published workflow definition as values (`runtime.md` 1). Whether a raw one is right: `validation/`.

What a definition does not say is None or empty here; `ui`, schemas and `legacy*` keys are kept as they came.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from db.runtime.expression import Expression
from db.runtime.paths import postorder, reachable, reversed_graph
from db.runtime.statuses import StepStatus
from db.runtime.sub_workflow import SubWorkflow

JSONSchema = dict[str, Any] | bool


class StepType(StrEnum):
    """What a step does; the value is the definition's spelling, the member's name the API's."""

    START = "start"
    END = "end"
    HUMAN_CONFIRM = "human.confirm"
    HUMAN_FORM = "human.form"
    HUMAN_URL_REDIRECT = "human.url_redirect"
    HUMAN_DOC_UPLOAD = "human.doc_upload"
    SYS_TASK = "sys.task"
    SYS_SUB_WORKFLOW = "sys.sub_workflow"
    GATEWAY_PARALLEL_SPLIT = "gateway.parallel_split"
    GATEWAY_PARALLEL_JOIN = "gateway.parallel_join"
    GATEWAY_EXCLUSIVE_SPLIT = "gateway.exclusive_split"
    GATEWAY_INCLUSIVE_SPLIT = "gateway.inclusive_split"

    @property
    def is_human(self) -> bool:
        """Waits for a person."""
        return self.startswith("human.")

    @property
    def is_task(self) -> bool:
        """Ends by `completeStep` or `failStep`: `human.*` and `sys.task`."""
        return self.is_human or self is StepType.SYS_TASK

    @property
    def waits(self) -> bool:
        """Stays InProgress until something outside the flow ends it: `human.*` and `sys.*`."""
        return self.is_human or self.startswith("sys.")

    @property
    def is_gateway(self) -> bool:
        """Only directs the flow; completes in the same breath."""
        return self.startswith("gateway.")

    @property
    def is_split(self) -> bool:
        """May have several outgoing transitions."""
        return self.is_gateway and self is not StepType.GATEWAY_PARALLEL_JOIN

    @property
    def is_conditional_split(self) -> bool:
        """Chooses by conditions and has a default: exclusive and inclusive."""
        return self in {StepType.GATEWAY_EXCLUSIVE_SPLIT, StepType.GATEWAY_INCLUSIVE_SPLIT}


@dataclass(frozen=True, slots=True)
class GroupMembership:
    """A step's place in its group."""

    group_id: str
    order: float


@dataclass(frozen=True, slots=True)
class ActivationPolicy:
    """Whether an attempt begins Disabled, and what enables it (S5)."""

    default_status: StepStatus | None = None
    enabled_when: Expression | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        status = raw.get("defaultStatus")
        return cls(StepStatus(status) if status else None, Expression.parse_optional(raw.get("enabledWhen")))


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often `failStep` is answered by a new attempt, and after what wait: an ISO 8601 duration (S4)."""

    max_attempts: int = 1
    backoff: str | None = None
    backoff_rate: float = 1

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        return cls(raw["maxAttempts"], raw.get("backoff"), raw.get("backoffRate", 1))


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """One step. `due_in` is an ISO 8601 duration; `sub_workflow` is there for `sys.sub_workflow` alone."""

    id: str
    type: StepType
    name: str
    output_schema: JSONSchema | None = None
    group: GroupMembership | None = None
    activation_policy: ActivationPolicy | None = None
    due_in: str | None = None
    retry: RetryPolicy | None = None
    sub_workflow: SubWorkflow | None = None
    ui: Any = None
    legacy: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        step_type = StepType(raw["type"])
        group, policy, retry = raw.get("group"), raw.get("activationPolicy"), raw.get("retry")
        return cls(
            id=raw["id"],
            type=step_type,
            name=raw["name"],
            output_schema=raw.get("outputSchema"),
            group=None if group is None else GroupMembership(group["groupId"], group["order"]),
            activation_policy=None if policy is None else ActivationPolicy.parse(policy),
            due_in=raw.get("dueIn"),
            retry=None if retry is None else RetryPolicy.parse(retry),
            sub_workflow=SubWorkflow.parse(raw) if step_type is StepType.SYS_SUB_WORKFLOW else None,
            ui=raw.get("ui"),
            legacy=_legacy(raw),
        )


@dataclass(frozen=True, slots=True)
class Transition:
    """One arrow. `on_arrival` is the status that the step it enters takes, where it is not the usual one."""

    id: str
    from_step_id: str
    to_step_id: str
    condition: Expression | None = None
    is_default: bool = False
    label: str | None = None
    on_arrival: StepStatus | None = None
    ui: Any = None
    legacy: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        arrival = raw.get("onArrival", {}).get("status")
        return cls(
            id=raw["id"],
            from_step_id=raw["fromStepId"],
            to_step_id=raw["toStepId"],
            condition=Expression.parse_optional(raw.get("condition")),
            is_default=raw.get("isDefault", False),
            label=raw.get("label"),
            on_arrival=StepStatus(arrival) if arrival else None,
            ui=raw.get("ui"),
            legacy=_legacy(raw),
        )


@dataclass(frozen=True, slots=True)
class StepGroup:
    """Steps that are shown together."""

    id: str
    name: str
    step_ids: tuple[str, ...]
    legacy: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        return cls(raw["id"], raw["name"], tuple(raw["stepIds"]), _legacy(raw))


@dataclass(frozen=True, slots=True)
class WorkflowDefinition:
    """A definition that validation accepted, indexed for those who walk it."""

    id: str
    name: str
    steps: tuple[StepDefinition, ...]
    transitions: tuple[Transition, ...]
    groups: tuple[StepGroup, ...] = ()
    context_schema: JSONSchema | None = None
    legacy: Mapping[str, Any] = field(default_factory=dict)
    start: StepDefinition = field(init=False, repr=False, compare=False)
    end: StepDefinition = field(init=False, repr=False, compare=False)
    _steps: dict[str, StepDefinition] = field(init=False, repr=False, compare=False)
    _outgoing: dict[str, tuple[Transition, ...]] = field(init=False, repr=False, compare=False)
    _incoming: dict[str, tuple[Transition, ...]] = field(init=False, repr=False, compare=False)
    _groups: dict[str, StepGroup] = field(init=False, repr=False, compare=False)
    # Joins in flow order: reverse postorder of the depth-first walk from `start` (F5).
    joins: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _reaching: dict[str, frozenset[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index: dict[str, Any] = {
            "start": next(step for step in self.steps if step.type is StepType.START),
            "end": next(step for step in self.steps if step.type is StepType.END),
            "_steps": {step.id: step for step in self.steps},
            "_outgoing": _collected((each.from_step_id, each) for each in self.transitions),
            "_incoming": _collected((each.to_step_id, each) for each in self.transitions),
            "_groups": {step_id: group for group in self.groups for step_id in group.step_ids},
        }
        for name, value in index.items():
            object.__setattr__(self, name, value)  # frozen for everyone else
        self._index_joins()

    def _index_joins(self) -> None:
        forward = {step.id: [each.to_step_id for each in self.outgoing(step.id)] for step in self.steps}
        backward = reversed_graph(forward)
        joins = [
            step_id
            for step_id in postorder([self.start.id], forward)
            if self.step(step_id).type is StepType.GATEWAY_PARALLEL_JOIN
        ]
        object.__setattr__(self, "joins", tuple(reversed(joins)))
        reaching = {}
        for join in joins:
            # A path that goes through the join ends there, so the walk back does not enter it again.
            around = {step_id: [] if step_id == join else before for step_id, before in backward.items()}
            reaching[join] = frozenset(reachable(backward.get(join, ()), around))
        object.__setattr__(self, "_reaching", reaching)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """The values of a raw definition in which `validate_definition` finds no error; others may raise."""
        return cls(
            id=raw["id"],
            name=raw["name"],
            steps=tuple(StepDefinition.parse(step) for step in raw["steps"]),
            transitions=tuple(Transition.parse(each) for each in raw["stepTransitions"]),
            groups=tuple(StepGroup.parse(group) for group in raw.get("stepGroups", ())),
            context_schema=raw.get("contextSchema"),
            legacy=_legacy(raw),
        )

    def step(self, step_id: str) -> StepDefinition:
        """The step with this id; raises `KeyError` if there is none."""
        return self._steps[step_id]

    def outgoing(self, step_id: str) -> tuple[Transition, ...]:
        """The transitions that leave a step, in definition order."""
        return self._outgoing.get(step_id, ())

    def incoming(self, step_id: str) -> tuple[Transition, ...]:
        """The transitions that enter a step, in definition order."""
        return self._incoming.get(step_id, ())

    def reaching(self, join_id: str) -> frozenset[str]:
        """The steps from which a join can be reached without passing through it (F5)."""
        return self._reaching[join_id]

    def group_of(self, step_id: str) -> StepGroup | None:
        """The group that lists a step."""
        return self._groups.get(step_id)


def minimal_definition(key: str, name: str) -> dict[str, Any]:
    """The raw definition of a version that was given none: start → end (D5)."""
    return {
        "id": key,
        "name": name,
        "steps": [
            {"id": "start", "type": StepType.START.value, "name": "Start"},
            {"id": "end", "type": StepType.END.value, "name": "End"},
        ],
        "stepTransitions": [{"id": "t1", "fromStepId": "start", "toStepId": "end"}],
    }


def _collected(pairs: Iterable[tuple[str, Transition]]) -> dict[str, tuple[Transition, ...]]:
    found: dict[str, list[Transition]] = defaultdict(list)
    for step_id, transition in pairs:
        found[step_id].append(transition)
    return {step_id: tuple(transitions) for step_id, transitions in found.items()}


def _legacy(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if key.startswith("legacy")}
