"""A definition as the types that are printed of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from db.runtime.definition import StepType
from db.runtime.schema_documents import schema_error
from server.types.names import Names, joined
from server.types.places import Places
from server.types.refusal import NoTypes
from server.types.shapes import Shape

CONTEXT: Final = "Context"
OUTPUTS: Final = "StepOutputs"

CHILDREN: Final = {
    "type": "object",
    "properties": {
        "children": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "index": {"type": "integer"},
                    "name": {"type": "string"},
                    "runtimeStatus": {"type": "string"},
                    "context": {"type": "object", "description": "Left out where the output is truncated."},
                    "outputs": {
                        "type": "object",
                        "description": "By step id; left out where it is truncated.",
                    },
                },
                "required": ["id", "index", "name", "runtimeStatus"],
            },
        },
        "truncated": {"const": True},
    },
    "required": ["children"],
}
"""The schema of what the runtime completes a sub-workflow with."""


@dataclass(frozen=True, slots=True)
class Outline:
    """`definitions` are types by name, of which `outputs` names each step's; None: any object will do."""

    definitions: Mapping[str, Shape]
    outputs: Mapping[str, str | None]

    def document(self) -> Shape:
        """A JSON Schema named `StepOutputs`, beside whose definitions is `Context`."""
        anything = {"type": "object", "additionalProperties": True}
        return {
            "type": "object",
            "properties": {
                step: anything if name is None else {"$ref": f"#/$defs/{name}"}
                for step, name in self.outputs.items()
            },
            "required": list(self.outputs),
            "additionalProperties": False,
            "$defs": dict(self.definitions),
        }


def outline_of(definition: Mapping[str, Any]) -> Outline:
    """The types of a published version. Raises `NoTypes`."""
    names, definitions = Names(), dict[str, Shape]()
    for taken in (OUTPUTS, CONTEXT):
        names.take(taken)
    _define(definition.get("contextSchema", True), "contextSchema", CONTEXT, names, definitions)
    # All steps' own names first: what is inside of one takes none away from another.
    named = [
        (
            step,
            None if (schema := _output_schema(step)) is None else names.take(joined(step["id"], "Output")),
            schema,
        )
        for step in definition["steps"]
    ]
    for step, name, schema in named:
        if name is not None:
            _define(schema, f"the outputSchema of step {step['id']}", name, names, definitions)
    outputs = {step["id"]: name for step, name, _ in named}
    return Outline(_reached(definitions, [CONTEXT, *filter(None, outputs.values())]), outputs)


def _reached(definitions: Mapping[str, Shape], names: Iterable[str]) -> dict[str, Shape]:
    """Without those that only an alternative of anything at all led to."""
    pending, reached = list(names), set[str]()
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending.extend(_references(definitions[name]))
    return {name: shape for name, shape in definitions.items() if name in reached}


def _references(shape: Any) -> Iterator[str]:
    if isinstance(shape, list):
        for each in shape:
            yield from _references(each)
    elif isinstance(shape, dict):
        if isinstance(shape.get("$ref"), str):
            yield shape["$ref"].rpartition("/")[2]
        for value in shape.values():
            yield from _references(value)


def _output_schema(step: Mapping[str, Any]) -> Any:
    return CHILDREN if step["type"] == StepType.SYS_SUB_WORKFLOW else step.get("outputSchema")


def _define(schema: Any, place: str, name: str, names: Names, definitions: dict[str, Shape]) -> None:
    refusal = schema_error(schema)
    if refusal is not None:
        raise NoTypes(f"{place}: {refusal}")
    try:
        Places(schema if isinstance(schema, dict) else {}, names, definitions).define(schema, name)
    except NoTypes as reason:
        raise NoTypes(f"{place}: {reason}") from None
