"""Schemas are written by users: nothing of them gets out of a text or a comment, and nothing is fetched or read."""

import ast
import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from db.runtime.schema_documents import schema_error
from server.types.places import MAX_DEFINITIONS
from server.types.printing import Language
from server.types.refusal import NoTypes
from tests.types.hostile import CODE, NAMES, hostile_definition, hostile_schema
from tests.types.modules import code_of, compiler_output, imported, module_of, takes, with_output

MODULES = {"__future__", "pydantic", "typing"}


def test_the_server_takes_the_hostile_schema() -> None:
    assert schema_error(hostile_schema()) is None


def test_python_is_models_alone() -> None:
    text = module_of(hostile_definition(), Language.PYTHON)
    tree = ast.parse(text)
    assert {type(each) for each in tree.body} == {ast.Expr, ast.ImportFrom, ast.ClassDef, ast.Assign}
    assert {each.module for each in tree.body if isinstance(each, ast.ImportFrom)} == MODULES
    called = {ast.unparse(each.func) for each in ast.walk(tree) if isinstance(each, ast.Call)}
    assert called == {"ConfigDict", "Field"}
    assert CODE not in {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module = imported(text)
    for name in NAMES:
        assert takes(module.Context, {name: ["a"], "below": {name: "a"}})
        assert not takes(module.Context, {name: [1]}), name
        assert not takes(module.STEP_OUTPUTS["evil"], {"below": {name: 1}}), name


@pytest.mark.node
def test_typescript_is_types_alone(tmp_path: Path) -> None:
    text = module_of(hostile_definition(), Language.TYPESCRIPT)
    assert compiler_output({"hostile.ts": text}, tmp_path) == ""
    assert code_of(text) == "export {};\n"
    assert code_of(f"{text}\n{CODE}();") != code_of(text)  # what a leak would look like


REFUSED: dict[str, tuple[Any, str]] = {
    "an address": (
        {"properties": {"a": {"$ref": "http://127.0.0.1:9/a.json"}}},
        "leads to nothing in this schema",
    ),
    "a file": ({"properties": {"a": {"$ref": "file:///etc/hosts"}}}, "leads to nothing in this schema"),
    "a file beside it": ({"properties": {"a": {"$ref": "package.json"}}}, "leads to nothing in this schema"),
    "itself, endlessly": ({"allOf": [{"$ref": "#"}]}, "applies itself"),
    "nothing": (False, "accepts no object"),
    "no object": ({"type": "array"}, "accepts no object"),
    "no object in any case": ({"anyOf": [False, {"type": "string"}]}, "accepts nothing"),
    "lists without an end": (
        {
            "properties": {"a": {"$ref": "#/$defs/a0"}},
            "$defs": {f"a{n}": {"type": "array", "items": {"$ref": f"#/$defs/a{n + 1}"}} for n in range(200)}
            | {"a200": True},
        },
        "nests deeper than",
    ),
}


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(("schema", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_no_type_can_say_is_refused_by_the_name_of_its_step(
    schema: Any, reason: str, language: Language
) -> None:
    with pytest.raises(NoTypes, match=f"^the outputSchema of step do: .*{reason}"):
        module_of(with_output(schema), language)


def test_the_number_of_types_of_all_steps_is_bounded() -> None:
    properties = {f"p{n}": {"type": "object", "required": ["x"]} for n in range(500)}
    definition = with_output({"properties": properties})
    ((_, step), more) = definition["steps"], MAX_DEFINITIONS // len(properties)
    definition["steps"] += [json.loads(json.dumps({**step, "id": f"do{n}"})) for n in range(more)]
    with pytest.raises(
        NoTypes, match=r"^the outputSchema of step do\d: more than 2,000 types would be needed$"
    ):
        module_of(definition, Language.PYTHON)
