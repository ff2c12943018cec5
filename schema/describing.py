"""Descriptions that Strawberry cannot be given where things are declared."""

from enum import Enum
from typing import Any, cast

from strawberry.types.base import StrawberryObjectDefinition, get_object_definition
from strawberry.types.enum import StrawberryEnumDefinition

from schema.enum_values import VALUES


def describe_values(*enums: type[Enum]) -> None:
    """Give each value of these enums, which are the runtime's own, its description."""
    for each in enums:
        definition = cast("StrawberryEnumDefinition", cast("Any", each).__strawberry_definition__)
        for value in definition.values:
            value.description = VALUES[definition.name][value.name]


def describe_inputs(mutations: type) -> None:
    """Describe each argument of these mutations as its input type is described."""
    for field in _definition(mutations).fields:
        for argument in field.arguments:
            argument.description = argument.description or _definition(argument.type).description


def _definition(type_: Any) -> StrawberryObjectDefinition:
    return get_object_definition(type_, strict=True)
