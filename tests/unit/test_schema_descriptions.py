"""Whatever the API shows says of itself what it is, and may be deprecated."""

import re
from collections.abc import Iterator
from enum import Enum

import pytest
import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLSchema,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
)
from strawberry.printer import print_schema

from schema.schema import build_schema as build_ours

OURS = build_schema(print_schema(build_ours()))
FEWEST_WORDS = 3
SAYS_NOTHING = {"a", "an", "and", "for", "is", "its", "of", "the"}


def described(schema: GraphQLSchema) -> Iterator[tuple[str, str, str | None]]:
    """Every type and member: where it is, its own name, its description."""
    for name, type_ in schema.type_map.items():
        if is_introspection_type(type_) or is_specified_scalar_type(type_):
            continue
        yield name, name, type_.description
        for value, definition in getattr(type_, "values", {}).items():
            yield f"{name}.{value}", value, definition.description
        for field, definition in getattr(type_, "fields", {}).items():
            yield f"{name}.{field}", field, definition.description
            arguments: dict[str, GraphQLArgument] = getattr(definition, "args", {})
            for argument, given in arguments.items():
                yield f"{name}.{field}({argument}:)", argument, given.description


def says_something(name: str, description: str | None) -> bool:
    """Whether a description is a few words, of which one at least is not of the name."""
    words = {word.lower() for word in re.findall(r"[\w`'’/-]+", description or "")}
    of_the_name = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
    return len(words) >= FEWEST_WORDS and bool(words - of_the_name - SAYS_NOTHING)


def test_everything_has_a_description_that_says_something() -> None:
    silent = {
        place: description
        for place, name, description in described(OURS)
        if not says_something(name, description)
    }
    assert silent == {}


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("totalCount", None),
        ("totalCount", ""),
        ("totalCount", "Count."),
        ("totalCount", "The total count."),
        ("NOT_STARTED", "Not started."),
        ("WorkflowExecution", "A workflow's execution."),
    ],
)
def test_a_name_said_again_is_no_description(name: str, description: str | None) -> None:
    said = (description or "").replace("'s", "")
    assert not says_something(name, said)


def test_deprecated_members_are_shown_with_their_reasons() -> None:
    """Fields, arguments, inputs and enum values: how an API changes without breaking its clients."""

    @strawberry.enum
    class Colour(Enum):
        RED = strawberry.enum_value("red", deprecation_reason="Use CRIMSON.")
        CRIMSON = "crimson"

    @strawberry.input
    class Paint:
        colour: Colour | None = strawberry.field(default=None, deprecation_reason="Paint has one colour.")

    @strawberry.type
    class Query:
        old: int | None = strawberry.field(default=1, deprecation_reason="Use new.")

        @strawberry.field
        def new(self, paint: Paint | None = None) -> int:
            return 2

    printed = print_schema(strawberry.Schema(query=Query))
    assert 'old: Int @deprecated(reason: "Use new.")' in printed
    assert 'RED @deprecated(reason: "Use CRIMSON.")' in printed
    assert 'colour: Colour = null @deprecated(reason: "Paint has one colour.")' in printed
