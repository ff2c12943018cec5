"""Values against JSON Schemas (`runtime.md` I1, I2). The schemas themselves: `schema_documents.py`."""

from dataclasses import dataclass
from itertools import islice
from typing import Any

from jsonschema_rs import ValidationError

from db.runtime.errors import ValidationFailed
from db.runtime.json_values import json_pointer, json_size
from db.runtime.schema_documents import CompiledSchema, accepted_schema, cut, schema_error
from db.runtime.validation import Issue, Severity

__all__ = ["Violation", "require_valid", "schema_error", "violations"]

MAX_VIOLATIONS = 100
# The library gathers every error with a copy of its value before it hands out the first.
MAX_COPIED_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where a value breaks its schema; a missing property is told at the object that lacks it."""

    pointer: str
    message: str


def violations(schema: dict[str, Any] | bool, value: object) -> list[Violation]:
    """Every violation, at most 100; of a value so large that telling all would cost too much, the first.

    `value` and `schema` have passed `check_json`. Raises `InvalidSchema` for a schema that `schema_error` would refuse.
    """
    compiled = accepted_schema(schema)
    if compiled.validator.is_valid(value):
        return []
    errors = (
        compiled.validator.iter_errors(value) if _affordable(compiled, value) else _first(compiled, value)
    )
    return [
        Violation(json_pointer(each.instance_path), cut(each.message))
        for each in islice(errors, MAX_VIOLATIONS)
    ]


def require_valid(
    schema: dict[str, Any] | bool | None, value: object, subject: str, pointer: str = ""
) -> None:
    """Refuse a value that breaks its schema: `ValidationFailed`, an issue per violation, below `pointer`."""
    found = [] if schema is None else violations(schema, value)
    if found:
        issues = [
            Issue("SCHEMA_VIOLATION", Severity.ERROR, each.message, pointer + each.pointer) for each in found
        ]
        raise ValidationFailed(subject, issues)


def _affordable(compiled: CompiledSchema, value: object) -> bool:
    return json_size(value) * compiled.weight <= MAX_COPIED_BYTES


def _first(compiled: CompiledSchema, value: object) -> list[ValidationError]:
    try:
        compiled.validator.validate(value)
    except ValidationError as error:
        return [error]
    return []
