"""JSON Schema 2020-12 documents: whether one may be used, and its compiled form (`runtime.md` I1).

Nothing is ever fetched: the validator's retriever refuses, whatever is asked.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

import orjson
from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError

from db.runtime.json_values import InvalidJSON, check_json, json_pointer
from db.runtime.schema_references import SchemaReferences

MAX_SCHEMA_BYTES = 64 << 10
# What all patterns of one schema may take once compiled; shared out among them.
PATTERN_BYTES = 8 << 20
MAX_MESSAGE = 300


class InvalidSchema(ValueError):
    """A schema that cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class CompiledSchema:
    """`weight`: the most keywords that are applied to one place of a value."""

    validator: Draft202012Validator
    weight: int


def schema_error(schema: object, *, max_bytes: int = MAX_SCHEMA_BYTES) -> str | None:
    """Why a schema is refused (`SCHEMA_INVALID`), or None. Never raises."""
    try:
        compiled_schema(schema, max_bytes=max_bytes)
    except InvalidSchema as error:
        return str(error)
    return None


def compiled_schema(schema: object, *, max_bytes: int = MAX_SCHEMA_BYTES) -> CompiledSchema:
    """The schema ready for use, remembered by its text. Raises `InvalidSchema`."""
    if not isinstance(schema, dict | bool):
        raise InvalidSchema("a JSON Schema is an object or a boolean")
    try:
        check_json(schema, max_bytes=max_bytes)
    except InvalidJSON as error:
        raise InvalidSchema(str(error)) from None
    return _compiled(orjson.dumps(schema))


def accepted_schema(schema: dict[str, Any] | bool) -> CompiledSchema:
    """The same of one that was accepted before: it is not looked through again for what JSON may not hold."""
    return _compiled(orjson.dumps(schema))


@lru_cache(maxsize=256)
def _compiled(text: bytes) -> CompiledSchema:
    schema = orjson.loads(text)
    weight, patterns = 1, 0
    try:
        if isinstance(schema, dict):
            references = SchemaReferences.of(schema)
            weight, patterns = references.check(), references.patterns()
        return CompiledSchema(_validator(schema, patterns), weight)
    except ValidationError as error:
        place = json_pointer(error.instance_path)
        raise InvalidSchema(f"{place or 'the schema'}: {cut(error.message)}") from None
    except ValueError as error:
        raise InvalidSchema(cut(str(error))) from None


def _validator(schema: dict[str, Any] | bool, patterns: int) -> Draft202012Validator:
    share = PATTERN_BYTES // max(patterns, 1)
    # RegexOptions picks the engine that matches in linear time. The mask keeps values out of messages: they
    # may be secret, and megabytes long.
    return Draft202012Validator(
        schema,
        pattern_options=RegexOptions(size_limit=share, dfa_size_limit=share),
        retriever=_refuse,
        mask="the value",
    )


def _refuse(uri: str, /) -> NoReturn:
    raise LookupError(f"{uri} is not part of this schema")


def cut(message: str) -> str:
    """A message of bounded length: a schema's own `enum` may be long."""
    return message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 1] + "…"
