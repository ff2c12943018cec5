"""JSON Schema 2020-12: which schemas are usable, and what a value breaks (`runtime.md` I1)."""

import socket
from pathlib import Path
from typing import Any

import pytest

from db.runtime.errors import ValidationFailed
from db.runtime.schema_documents import InvalidSchema, compiled_schema
from db.runtime.schemas import Violation, require_valid, schema_error, violations

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def chain(length: int, keyword: str, times: int) -> dict[str, Any]:
    """`$defs` of which each applies the next `times` times."""
    defs: dict[str, Any] = {
        f"a{index}": {keyword: [{"$ref": f"#/$defs/a{index + 1}"}] * times} for index in range(length)
    }
    return {"$defs": {**defs, f"a{length}": {"type": "string"}}, "$ref": "#/$defs/a0"}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        True,
        False,
        {"type": "object", "properties": {"a": {"type": "string", "format": "date"}}, "x-note": 1},
        {"$schema": DIALECT, "$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}},
        {"$ref": "#/$defs/a%25b~1c", "$defs": {"a%b/c": True}},
        {"$ref": "#here", "$defs": {"a": {"$anchor": "here"}}},
        {"$dynamicRef": "#node", "$defs": {"a": {"$dynamicAnchor": "node"}}},
        {
            "$id": "https://example.org/a",
            "$ref": "b#/$defs/x",
            "$defs": {"b": {"$id": "b", "$defs": {"x": {}}}},
        },
        {"$id": "urn:example:a", "properties": {"next": {"$ref": "#"}}},
        {"properties": {"tree": {"items": {"$ref": "#"}}, "$ref": {"type": "string"}}},
        {"const": {"$ref": "https://example.org/not-a-reference"}},
        {"pattern": "^[a-z]+$", "patternProperties": {"^x-\\d{3}$": {}}},
        {"pattern": "^\\p{L}[\\p{L} '-]{0,50}$"},
        {"oneOf": [{"const": index, "title": str(index)} for index in range(1_500)]},
        chain(500, "allOf", 1),
    ],
)
def test_a_usable_schema_has_no_error(schema: Any) -> None:
    assert schema_error(schema) is None


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (None, "object or a boolean"),
        ([], "object or a boolean"),
        ("{}", "object or a boolean"),
        ({"type": "text"}, "/type"),
        ({"properties": {"a/b": {"minLength": -1}}}, "/properties/a~1b/minLength"),
        ({"required": "a"}, "/required"),
        ({"multipleOf": 0}, "/multipleOf"),
        ({"pattern": "["}, "/pattern"),
        ({"pattern": "(?=a)b"}, "/pattern"),
        ({"patternProperties": {"(?<!a)b": {}}}, "/patternProperties"),
        ({"pattern": "(((a{100}){100}){100}){100}"}, "/pattern"),
        ({"allOf": [{"pattern": f"\\pL{{20}}{index}"} for index in range(1_000)]}, "/pattern"),
        ({"$ref": 1}, "/$ref"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "$schema must be"),
        ({"properties": {"a": {"$schema": 7}}}, "$schema must be"),
        ({"const": float("nan")}, "/const"),
        ({"description": "\ud800"}, "lone surrogate"),
        ({"enum": ["x" * (64 << 10)]}, "65536 bytes"),
    ],
)
def test_what_is_no_schema_is_refused_where_it_is_wrong(schema: Any, message: str) -> None:
    error = schema_error(schema)
    assert error is not None
    assert message in error
    assert len(error) < 400


@pytest.mark.parametrize(
    "reference",
    [
        "#/$defs/gone",
        "#gone",
        "#/$defs",
        "#/const",
        "#/x-own/a",
        "other.json",
        "http://127.0.0.1:9/schema",
        "https://example.org/schema",
        "file:///etc/hostname",
        "urn:other",
        DIALECT,
        "http://json-schema.org/draft-07/schema",
        "http://[",
        "#/$defs/%zz",
    ],
)
@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef"])
@pytest.mark.parametrize("unused", [False, True])
def test_i1_a_reference_that_leads_out_of_the_document_is_refused(
    reference: str, keyword: str, unused: bool
) -> None:
    node = {keyword: reference}
    schema = {"$defs": {"a": node if unused else {}}, "const": {}, "x-own": {"a": {}}}
    schema["properties"] = {"a": {} if unused else node}
    error = schema_error(schema)
    assert error is not None
    assert reference in error


def test_i1_nothing_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text('{"type": "string"}')
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        for reference in (f"http://127.0.0.1:{port}/schema", (tmp_path / "schema.json").as_uri()):
            for schema in ({"$ref": reference}, {"$id": reference, "$ref": f"{reference}/x"}):
                assert schema_error(schema) is not None
            # An older draft's keyword, which the library still applies.
            assert schema_error({"dependencies": {"a": {"$ref": reference}}}) is not None
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"not": {"anyOf": [{"$ref": "#"}]}},
        {"$dynamicAnchor": "x", "if": {"$dynamicRef": "#x"}},
        {"dependentSchemas": {"a": {"$ref": "#"}}},
        {"dependencies": {"a": {"$ref": "#"}, "b": ["c"]}},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
    ],
)
def test_a_schema_that_applies_itself_to_the_same_value_is_refused(schema: Any) -> None:
    error = schema_error(schema)
    assert error is not None
    assert "itself" in error


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_references_that_multiply_are_refused(keyword: str) -> None:
    assert schema_error(chain(8, keyword, 2)) is None
    error = schema_error(chain(200, keyword, 2))
    assert error is not None
    assert "multiply" in error


def test_i1_every_violation_is_told_with_its_pointer() -> None:
    schema = {
        "type": "object",
        "properties": {
            "verified": {"type": "boolean"},
            "a/b~c": {"type": "array", "items": {"type": "string"}},
            "kind": {"enum": ["llp", "private"]},
        },
        "required": ["verified", "name"],
        "additionalProperties": False,
    }
    value = {"a/b~c": ["x", 1], "kind": "other", "more": None}
    found = {(each.pointer, each.message) for each in violations(schema, value)}
    assert found == {
        ("", '"verified" is a required property'),
        ("", '"name" is a required property'),
        ("", "Additional properties are not allowed ('more' was unexpected)"),
        ("/a~1b~0c/1", 'the value is not of type "string"'),
        ("/kind", 'the value is not one of "llp" or "private"'),
    }


def test_a_right_value_violates_nothing() -> None:
    assert violations({"type": "object"}, {"a": [1, None]}) == []
    assert violations(True, None) == []
    assert len(violations(False, None)) == 1


def test_violations_are_capped() -> None:
    assert len(violations({"items": {"type": "string"}}, [1] * 5_000)) == 100


def test_values_are_not_in_messages() -> None:
    secret = "s3cret" * 10_000
    found = violations({"const": 1, "enum": ["y" * 50_000], "type": "integer", "maxLength": 3}, secret)
    assert len(found) == 4
    assert all("s3cret" not in each.message and len(each.message) <= 300 for each in found)


def test_of_a_large_value_and_a_large_schema_the_first_violation_is_told() -> None:
    schema = {"allOf": [{"type": "string", "minLength": index} for index in range(1_000)]}
    assert violations(schema, ["x" * 100] * 10_000) == [Violation("", 'the value is not of type "string"')]


def test_i1_patterns_match_in_linear_time() -> None:
    assert len(violations({"pattern": "^(a+)+$"}, "a" * 500_000 + "b")) == 1


def test_a_schema_is_compiled_once_whatever_object_it_comes_in() -> None:
    first = compiled_schema({"type": "object", "properties": {"once": {"type": "string"}}})
    again = compiled_schema({"type": "object", "properties": {"once": {"type": "string"}}})
    assert again is first


def test_a_value_is_not_held_against_a_broken_schema() -> None:
    with pytest.raises(InvalidSchema, match="/type"):
        violations({"type": "text"}, 1)


def test_a_refusal_holds_one_issue_per_violation_below_its_place() -> None:
    require_valid(None, {"anything": 1}, "The output")
    require_valid({"type": "object"}, {}, "The output")
    with pytest.raises(ValidationFailed) as caught:
        require_valid({"properties": {"a": {"type": "string"}}}, {"a": 1}, "The output", "/outputData")
    (issue,) = caught.value.issues
    assert (issue.code, issue.severity, issue.path) == ("SCHEMA_VIOLATION", "ERROR", "/outputData/a")
