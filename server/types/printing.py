"""A version's types as text."""

import json
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from server.types.outline import CONTEXT, OUTPUTS, Outline, outline_of
from server.types.programs import pydantic_models, typescript
from server.types.refusal import NoTypes
from server.types.shapes import BOUNDS
from server.types.version import FoundVersion


class Language(StrEnum):
    """What types are printed in."""

    TYPESCRIPT = "typescript"
    PYTHON = "python"


def printed(found: FoundVersion, language: Language) -> str:
    """A module of the types of a version. Raises `NoTypes`."""
    outline = outline_of(found.definition)
    head = f"Types of the context and the step outputs of {found.key} {found.version}, printed by stepgraph types."
    if language is Language.TYPESCRIPT:
        return f"// {head}\n\n{_typescript(outline)}"
    return f'"""{head}"""\n\n{_python(outline)}'


def _typescript(outline: Outline) -> str:
    document = outline.document()
    named = {name: {**_unmeasured(shape), "title": name} for name, shape in outline.definitions.items()}
    text = typescript(
        {
            CONTEXT: {"$ref": f"#/$defs/{CONTEXT}", "$defs": named},
            OUTPUTS: {**document, "title": OUTPUTS, "$defs": named},
        }
    )
    return _complete(text, [*outline.definitions, OUTPUTS], r"^export (?:interface|type) (\w+)\b")


def _python(outline: Outline) -> str:
    text = pydantic_models(outline.document())
    steps = "".join(
        f"    {json.dumps(step)}: {name},\n" for step, name in outline.outputs.items() if name is not None
    )
    by_step = f"STEP_OUTPUTS = {{\n{steps}}}\n" if steps else "STEP_OUTPUTS = {}\n"
    return _complete(f"{text}\n\n{by_step}", outline.definitions, r"^class (\w+)\b")


def _complete(text: str, names: Iterable[str], pattern: str) -> str:
    missing = set(names) - set(re.findall(pattern, text, re.MULTILINE))
    if missing:
        raise NoTypes(
            f"The schemas cannot be turned into types: {min(missing)} is not among what was made of them."
        )
    return text


def _unmeasured(shape: Any) -> Any:
    """Without bounds, which in TypeScript would be long unions of tuples; those of a tuple are its length."""
    if isinstance(shape, list):
        return [_unmeasured(each) for each in shape]
    if not isinstance(shape, dict):
        return shape
    kept = {
        key: value
        for key, value in shape.items()
        if key not in BOUNDS or isinstance(shape.get("items"), list)
    }
    return {key: value if key in {"enum", "required"} else _below(key, value) for key, value in kept.items()}


def _below(key: str, value: Any) -> Any:
    if key == "properties":
        return {name: _unmeasured(each) for name, each in value.items()}
    return _unmeasured(value)
