"""Which types there are, by which names, and what becomes of the keywords that no type can say."""

from typing import Any

import pytest

from server.types.names import Names, joined
from server.types.outline import Outline, outline_of
from tests.types.modules import with_output


def with_steps(*ids: str, schema: Any = None) -> dict[str, Any]:
    """Tasks with these ids, each with a schema of its own."""
    schemas = [{"type": "object", "required": ["x"]} if schema is None else schema for _ in ids]
    steps = [
        {"id": each, "type": "sys.task", "outputSchema": own} for each, own in zip(ids, schemas, strict=True)
    ]
    return {"id": "tried", "name": "Tried", "steps": steps}


def property_of(schema: Any) -> Any:
    """What is made of the schema of a property."""
    definition = with_output({"properties": {"p": schema}, "$defs": {"Owner": {"type": "string"}}})
    return outline_of(definition).definitions["DoOutput"]["properties"]["p"]


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (("verify-identity", "Output"), "VerifyIdentityOutput"),
        (("Context", "homeAddress"), "ContextHomeAddress"),
        (("2fa.check_it", "Output"), "Step2FaCheckItOutput"),
        (("Context", "имя"), "ContextImia"),
        (("Context", "*/ '"), "Context"),
        (("-", "Output"), "Output"),
    ],
)
def test_names_are_identifiers(texts: tuple[str, ...], name: str) -> None:
    assert joined(*texts) == name
    assert name.isidentifier()


def test_a_name_is_handed_out_once() -> None:
    names = Names()
    assert [names.take("A"), names.take("A"), names.take("A2"), names.take("A")] == ["A", "A2", "A22", "A3"]


def test_ids_that_come_to_one_name_are_numbered_in_the_order_of_the_definition() -> None:
    outline = outline_of(with_steps("name-check", "name_check", "nameCheck", "name.check"))
    assert list(outline.outputs.values()) == [f"NameCheckOutput{n}" for n in ("", 2, 3, 4)]


def test_what_is_inside_of_a_step_takes_no_name_from_another_step() -> None:
    inner = {"properties": {"output": {"type": "object", "required": ["x"]}}}
    definition = with_steps("a", "a-output", schema=inner)
    outline = outline_of(definition)
    assert outline.outputs == {"a": "AOutput", "a-output": "AOutputOutput"}
    assert {"AOutputOutput2", "AOutputOutputOutput"} < outline.definitions.keys()


def test_a_step_without_a_schema_may_have_any_object() -> None:
    outline = outline_of({"id": "x", "name": "X", "steps": [{"id": "start", "type": "start"}]})
    assert outline == Outline({"Context": {"type": "object", "additionalProperties": True}}, {"start": None})


def test_a_sub_workflow_has_the_output_of_the_runtime_whatever_its_schema() -> None:
    step = {"id": "sub", "type": "sys.sub_workflow", "outputSchema": {"type": "object", "required": ["x"]}}
    outline = outline_of({"id": "x", "name": "X", "steps": [step]})
    assert outline.definitions["SubOutput"]["properties"].keys() == {"children", "truncated"}


OBJECT = {"type": "object", "additionalProperties": True}

SHAPES: dict[str, tuple[Any, Any]] = {
    "no type": ({"minLength": 2, "properties": {"a": True}}, {}),
    "not": ({"type": "string", "not": {"const": "a"}}, {"type": "string"}),
    "if": ({"type": "string", "if": {"const": "a"}, "then": {"minLength": 2}}, {"type": "string"}),
    "format": ({"type": "string", "format": "date"}, {"type": "string"}),
    "pattern": ({"type": "string", "pattern": "^[A-Z]+$"}, {"type": "string", "pattern": "^[A-Z]+$"}),
    "pattern of classes": ({"type": "string", "pattern": r"^\D$"}, {"type": "string"}),
    "reference": ({"$ref": "#/$defs/Owner", "minLength": 1}, {"type": "string", "minLength": 1}),
    "allOf": (
        {
            "allOf": [
                {"type": ["string", "null"]},
                {"type": ["string", "number"], "minLength": 1},
                {"minLength": 3},
            ]
        },
        {"type": "string", "minLength": 3},
    ),
    "enum and type": ({"type": ["string", "integer"], "enum": ["a", 1, None]}, {"enum": ["a", 1]}),
    "enums": ({"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}, {"enum": ["b"]}),
    "enum of fractions": ({"enum": [0.5, 1.5]}, {"type": "number"}),
    "enum of objects": ({"enum": [{"a": 1}]}, OBJECT),
    "several types": ({"type": ["string", "null"]}, {"anyOf": [{"type": "null"}, {"type": "string"}]}),
    "union of the same": (
        {"type": "string", "oneOf": [{"minLength": 1}, {"maxLength": 0}]},
        {"type": "string"},
    ),
    "union with a false": ({"anyOf": [False, {"type": "null"}]}, {"type": "null"}),
    "union with anything": ({"anyOf": [{"type": "string"}, {}]}, {}),
    "map": (
        {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}},
        {"type": "object", "additionalProperties": {"type": "integer"}},
    ),
    "patterns of names": (
        {"type": "object", "patternProperties": {"^x": {"type": "null"}}, "additionalProperties": False},
        OBJECT,
    ),
    "list": ({"type": "array", "items": {"type": "null"}}, {"type": "array", "items": {"type": "null"}}),
    "tuple": (
        {"type": "array", "prefixItems": [{"type": "null"}], "items": False, "minItems": 1},
        {
            "type": "array",
            "items": [{"type": "null"}],
            "additionalItems": False,
            "minItems": 1,
            "maxItems": 1,
        },
    ),
    "tuple that may be shorter": (
        {"type": "array", "prefixItems": [{"type": "null"}], "items": False},
        {"type": "array", "items": {"type": "null"}},
    ),
    "description": (
        {"type": "null", "description": "a */ b\u2028c\nd"},
        {"type": "null", "description": "a * / b c\nd"},
    ),
}


@pytest.mark.parametrize(("schema", "shape"), SHAPES.values(), ids=SHAPES.keys())
def test_a_schema_becomes_a_shape(schema: Any, shape: Any) -> None:
    assert property_of(schema) == shape


def test_an_object_with_a_choice_is_one_type_for_each() -> None:
    schema = {
        "type": "object",
        "properties": {"kind": {"type": "string"}},
        "oneOf": [
            {"properties": {"kind": {"const": "card"}}, "required": ["number"]},
            {"properties": {"kind": {"const": "cash"}}},
        ],
    }
    outline = outline_of(with_output(schema))
    assert outline.definitions["DoOutput"] == {
        "anyOf": [{"$ref": "#/$defs/DoOutput2"}, {"$ref": "#/$defs/DoOutput3"}]
    }
    assert outline.definitions["DoOutput2"]["properties"] == {"kind": {"enum": ["card"]}, "number": {}}
    assert outline.definitions["DoOutput3"]["properties"] == {"kind": {"enum": ["cash"]}}


def test_a_list_of_itself_is_named() -> None:
    schema = {
        "properties": {"tree": {"$ref": "#/$defs/tree"}},
        "$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
    }
    outline = outline_of(with_output(schema))
    assert outline.definitions["DoOutputTree"] == {"type": "array", "items": {"$ref": "#/$defs/DoOutputTree"}}
