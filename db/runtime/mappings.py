"""Building a child's context by a step's `inputMapping` (C1)."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from db.runtime.effects import Decision, Evaluate, Evaluated
from db.runtime.expressions import NOTHING
from db.runtime.failures import StepFailure, require_evaluated
from db.runtime.sub_workflow import (
    ConstantValue,
    ExpressionValue,
    FieldSource,
    FieldValue,
    InputMapping,
    MappingMode,
)
from db.runtime.tree import JSONObject


def child_contexts(
    mappings: Sequence[InputMapping], inputs: Sequence[JSONObject]
) -> Decision[list[JSONObject]]:
    """The context of each child from its input; every expression of all of them is evaluated in one request."""
    sources = [
        (mapping.value.expression.src, data)
        for data in inputs
        for mapping in mappings
        if isinstance(mapping.value, ExpressionValue)
    ]
    answers: list[Evaluated] = (yield Evaluate(tuple(sources))) if sources else []
    evaluated = iter(answers)
    contexts = []
    for data in inputs:
        context: JSONObject = {}
        for mapping in mappings:
            _apply(context, mapping, _value(mapping, data, evaluated))
        contexts.append(context)
    return contexts


def _value(mapping: InputMapping, data: Mapping[str, Any], evaluated: Any) -> Any:
    match mapping.value:
        case ConstantValue(value):
            return value
        case FieldValue():
            found = _field(mapping.value, data)
            return NOTHING if found is None else found
        case ExpressionValue():
            answer: Evaluated = next(evaluated)
            require_evaluated(
                f"The mapping to {mapping.target_path!r},", mapping.value.expression.src, [answer]
            )
            return NOTHING if answer.value is None else answer.value


def _field(ref: FieldValue, data: Mapping[str, Any]) -> Any:
    """What stands at a dot path; nothing where the path leads nowhere."""
    match ref.source:
        case FieldSource.CONTEXT:
            place: Any = data["__context__"]
        case FieldSource.EACH:
            place = data.get("__each__")
        case FieldSource.STEP:
            place = data["__steps__"].get(ref.step_id, {}).get("outputData")
    for part in filter(None, ref.path.split(".")):
        place = _member(place, part)
    return place


def _member(place: Any, part: str) -> Any:
    if isinstance(place, dict):
        return place.get(part)
    if isinstance(place, list) and part.isdigit() and int(part) < len(place):
        return place[int(part)]
    return None


def _apply(context: JSONObject, mapping: InputMapping, value: Any) -> None:
    """Set or append a value at a dot path, making the objects on the way; a value that is nothing sets nothing (X1)."""
    if value is NOTHING:
        return
    *way, last = mapping.target_path.split(".")
    place = context
    for part in way:
        place = place.setdefault(part, {})
        if not isinstance(place, dict):
            raise _inapplicable(
                f"The mapping to {mapping.target_path!r} meets a value at {part!r} that is no object."
            )
    if mapping.mode is MappingMode.SET:
        place[last] = deepcopy(value)
        return
    present = place.setdefault(last, [])
    if not isinstance(present, list):
        raise _inapplicable(f"The mapping to {mapping.target_path!r} appends to a value that is no list.")
    # As JSONata has it: a list of one and the one are the same, so a list's members are appended.
    present.extend(deepcopy(value if isinstance(value, list) else [value]))


def _inapplicable(message: str) -> StepFailure:
    return StepFailure("EXPRESSION_FAILED", message)
