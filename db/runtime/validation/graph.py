"""The rules of the graph: ends, degrees, loops, reach (`runtime.md` section 2, GRAPH)."""

from collections.abc import Iterable

from db.runtime.definition import StepType
from db.runtime.paths import Graph, cycles, reachable, reversed_graph
from db.runtime.validation.issues import IssueCode, Path, Report
from db.runtime.validation.outline import Outline, StepEntry

SHOWN = 10


def check_graph(report: Report, outline: Outline) -> None:
    """Every rule of this module."""
    for rule in (
        _one_start_and_end,
        _endpoints_exist,
        _transitions_unique,
        _degrees,
        _fan_out,
        _reach,
        _cycles_wait,
    ):
        rule(report, outline)


def successors(outline: Outline) -> dict[str, list[str]]:
    """The graph by step ids, in definition order."""
    return {step_id: [str(edge.target.id) for edge in edges] for step_id, edges in outline.outgoing.items()}


def names(ids: Iterable[str]) -> str:
    """Some of the ids, for a message."""
    shown = [repr(each) for each in ids]
    return ", ".join(shown[:SHOWN]) + (f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else "")


def _one_start_and_end(report: Report, outline: Outline) -> None:
    for code, step_type in (
        (IssueCode.GRAPH_EXACTLY_ONE_START, StepType.START),
        (IssueCode.GRAPH_EXACTLY_ONE_END, StepType.END),
    ):
        found = [step for step in outline.steps if step.type is step_type]
        if len(found) != 1:
            there = f"{len(found)}: {names(str(step.id) for step in found)}" if found else "none"
            report.error(code, ("steps",), f"There must be exactly one {step_type} step; there is {there}.")


def _endpoints_exist(report: Report, outline: Outline) -> None:
    for transition in outline.transitions:
        for key in ("fromStepId", "toStepId"):
            step_id = transition.text(key)
            if step_id is not None and step_id not in outline.by_id:
                message = f"There is no step {step_id[:150]!r}."
                report.error(IssueCode.TRANSITION_ENDPOINTS_EXIST, (*transition.path, key), message)


def _transitions_unique(report: Report, outline: Outline) -> None:
    first: dict[tuple[str, str], Path] = {}
    for transition in outline.transitions:
        origin, target = transition.origin, transition.target
        if origin is None or target is None:
            continue
        if origin == target:
            message = f"The transition leads from {origin!r} to itself."
            report.error(IssueCode.NO_SELF_LOOPS, transition.path, message)
        holder = first.setdefault((origin, target), transition.path)
        if holder is not transition.path:
            message = f"stepTransitions/{holder[1]} also leads from {origin!r} to {target!r}."
            report.error(IssueCode.TRANSITIONS_UNIQUE, transition.path, message)


def _degrees(report: Report, outline: Outline) -> None:
    for step in outline.nodes:
        incoming, outgoing = len(outline.incoming[str(step.id)]), len(outline.outgoing[str(step.id)])
        if not incoming and not outgoing:
            report.error(IssueCode.NO_ISOLATED_STEPS, step.path, f"No transition touches {step.id!r}.")
        for code, broken, wanted in _degree_rules(step, incoming, outgoing):
            if broken:
                there = f"{incoming} incoming and {outgoing} outgoing transitions"
                report.error(code, step.path, f"{step.id!r} must have {wanted}; it has {there}.")


def _degree_rules(step: StepEntry, incoming: int, outgoing: int) -> list[tuple[IssueCode, bool, str]]:
    match step.type:
        case StepType.START:
            return [
                (IssueCode.START_STEP_NO_INCOMING, incoming > 0, "nothing incoming"),
                (IssueCode.START_STEP_SINGLE_OUTGOING, outgoing != 1, "exactly one outgoing transition"),
            ]
        case StepType.END:
            return [
                (IssueCode.END_STEP_SINGLE_INCOMING, incoming != 1, "exactly one incoming transition"),
                (IssueCode.END_STEP_NO_OUTGOING, outgoing > 0, "nothing outgoing"),
            ]
        case StepType.GATEWAY_PARALLEL_JOIN:
            broken = incoming < 2 or outgoing != 1
            return [(IssueCode.JOIN_GATEWAY_MANY_IN_SINGLE_OUT, broken, "several incoming and one outgoing")]
        case StepType.GATEWAY_EXCLUSIVE_SPLIT:
            return [(IssueCode.EXCLUSIVE_SPLIT_TWO_OUTGOING, outgoing != 2, "exactly two outgoing")]
        case _:
            return []


def _fan_out(report: Report, outline: Outline) -> None:
    for step in outline.nodes:
        targets = [str(edge.target.id) for edge in outline.outgoing[str(step.id)]]
        if step.type is not None and not step.is_split and len(targets) > 1:
            message = f"Only a split may lead to several steps; {step.id!r} leads to {names(targets)}."
            report.error(IssueCode.ONLY_SPLIT_GATEWAY_CAN_FAN_OUT, step.path, message)


def _reach(report: Report, outline: Outline) -> None:
    forward = successors(outline)
    starts, ends = outline.of_type(StepType.START), outline.of_type(StepType.END)
    unreached = _outside(outline, starts, forward)
    stuck = _outside(outline, ends, reversed_graph(forward))
    for step in unreached:
        message = f"{step.id!r} cannot be reached from the start."
        report.error(IssueCode.EVERY_STEP_REACHABLE, step.path, message)
    for step in stuck:
        message = f"From {step.id!r} the end cannot be reached."
        report.error(IssueCode.END_REACHABLE_FROM_EVERY_STEP, step.path, message)


def _outside(outline: Outline, ends: list[StepEntry], graph: Graph) -> list[StepEntry]:
    """Steps that no path joins to `ends`. Isolated ones have their own issue; without ends, it is all."""
    if not ends:
        return []
    inside = reachable([str(step.id) for step in ends], graph)
    outside = [step for step in outline.nodes if step.id not in inside]
    return [step for step in outside if outline.outgoing[str(step.id)] or outline.incoming[str(step.id)]]


def _cycles_wait(report: Report, outline: Outline) -> None:
    gateways = {str(step.id) for step in outline.nodes if step.is_gateway}
    among = {
        step_id: [each for each in targets if each in gateways]
        for step_id, targets in successors(outline).items()
        if step_id in gateways
    }
    ordered = [str(step.id) for step in outline.nodes if step.id in gateways]
    for component in cycles(ordered, among):
        message = f"The gateways {names(component)} lead to each other with no step between that waits."
        report.error(IssueCode.CYCLE_NEEDS_WAITING_STEP, outline.by_id[component[0]].path, message)
