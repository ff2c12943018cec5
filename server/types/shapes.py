"""What the schemas that apply to one place say together; pure, without a look at what lies below."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson
from pydantic_core import SchemaError, SchemaValidator, core_schema

Node = dict[str, Any]
"""A schema as it was written."""
Shape = dict[str, Any]
"""What the generators are given of one place."""

TYPES: Final = ("null", "boolean", "integer", "number", "string", "array", "object")
_TYPE_OF_CLASS: Final[dict[type, str]] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
_AT_LEAST: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_AT_MOST: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_BOUNDS_OF: Final = {
    "integer": ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"),
    "number": ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"),
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
}
BOUNDS: Final = frozenset({*_AT_LEAST, *_AT_MOST, "pattern"})
MAX_DESCRIPTION: Final = 2_000
# Control characters but the line feed, and what ends a line or turns its direction in an editor.
_UNSEEN: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
# Classes such as \d mean other characters to Pydantic than to JSON Schema.
_PLAIN_PATTERN: Final = re.compile(r"(?:[^\\]|\\[^A-Za-z0-9])*", re.DOTALL)


def types_of(applied: Iterable[Node]) -> list[str] | None:
    """The types that all of them accept; None where none says any."""
    found: set[str] | None = None
    for said in _said_types(applied):
        found = said if found is None else found & said
    if found is None:
        return None
    if "number" in found:
        found = found - {"integer"}
    return [name for name in TYPES if name in found]


def _said_types(applied: Iterable[Node]) -> Iterator[set[str]]:
    for node in applied:
        if "type" in node:
            types = node["type"]
            yield _with_integers({types} if isinstance(types, str) else set(types))
        if (values := _listed_values(node)) is not None:
            yield _with_integers({_type_of(value) for value in values})


def _with_integers(types: set[str]) -> set[str]:
    return types | {"integer"} if "number" in types else types


def _type_of(value: object) -> str:
    if value is None:
        return "null"
    return _TYPE_OF_CLASS[type(value)]


def values_of(applied: list[Node]) -> list[Any] | None:
    """The values that are allowed, where they are listed and can be told as literals; None: any of the types."""
    lists = [values for node in applied if (values := _listed_values(node)) is not None]
    if not lists:
        return None
    allowed = set.intersection(*({orjson.dumps(value) for value in values} for values in lists))
    values = [value for value in lists[0] if orjson.dumps(value) in allowed]
    if any(isinstance(value, float | list | dict) for value in values):
        return None
    types = _with_integers(set(types_of(applied) or ()))
    return [value for value in values if _type_of(value) in types]


def _listed_values(node: Node) -> list[Any] | None:
    if "const" in node:
        return [node["const"]]
    values: list[Any] | None = node.get("enum")
    return values


def properties_of(applied: list[Node]) -> dict[str, list[Any]]:
    """The schemas of every property that is named, in the order of the text; `true` for one that must only be there."""
    found: dict[str, list[Any]] = {}
    for node in applied:
        for name, schema in node.get("properties", {}).items():
            found.setdefault(name, []).append(schema)
    for name in required_of(applied):
        found.setdefault(name, [True])
    return found


def required_of(applied: Iterable[Node]) -> list[str]:
    """The properties that must be there."""
    return list(dict.fromkeys(name for node in applied for name in node.get("required", ())))


def others_of(applied: Iterable[Node]) -> bool | list[Any]:
    """Whether there may be properties that no one names, or the schemas of those."""
    schemas = [
        node["additionalProperties"]
        for node in applied
        # Beside patterns it holds only for names that match none, which no type can tell.
        if "additionalProperties" in node and not node.get("patternProperties")
    ]
    if any(schema is False for schema in schemas):
        return False
    return [schema for schema in schemas if schema is not True] or True


def tuple_of(applied: list[Node]) -> list[Any] | None:
    """The schemas of the items of a list of fixed length, place by place."""
    found = [node for node in applied if "prefixItems" in node]
    if len(found) != 1 or any("items" in node for node in applied if node is not found[0]):
        return None
    schemas: list[Any] = found[0]["prefixItems"]
    lengths = _bounds("array", applied)
    is_closed = found[0].get("items") is False or lengths.get("maxItems") == len(schemas)
    return schemas if is_closed and lengths.get("minItems") == len(schemas) else None


def items_of(applied: list[Node]) -> list[list[Any]]:
    """What one item of a list may be: alternatives, each of schemas that apply together; empty: anything."""
    prefixes = [node["prefixItems"] for node in applied if "prefixItems" in node]
    if not prefixes:
        schemas = [node["items"] for node in applied if "items" in node]
        return [schemas] if schemas else []
    if len(prefixes) > 1 or sum("items" in node or "prefixItems" in node for node in applied) > 1:
        return []
    rest = next((node["items"] for node in applied if "items" in node), True)
    return [*([schema] for schema in prefixes[0]), [rest]]


def bounds(name: str, applied: list[Node]) -> Shape:
    """The bounds of a scalar's value or a list's length, the tightest of each."""
    found = _bounds(name, applied)
    patterns = [node["pattern"] for node in applied if "pattern" in node] if name == "string" else []
    if len(patterns) == 1 and _is_portable(patterns[0]):
        found["pattern"] = patterns[0]
    return found


def _bounds(name: str, applied: list[Node]) -> Shape:
    found: Shape = {}
    for keyword in _BOUNDS_OF.get(name, ()):
        values = [_whole(node[keyword]) for node in applied if keyword in node]
        if name != "number":
            values = [value for value in values if isinstance(value, int)]
        if values:
            found[keyword] = max(values) if keyword in _AT_LEAST else min(values)
    return found


def _whole(number: float) -> float:
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _is_portable(pattern: str) -> bool:
    if not _PLAIN_PATTERN.fullmatch(pattern):
        return False
    try:
        SchemaValidator(core_schema.str_schema(pattern=pattern))
    except SchemaError:
        return False
    return True


def any_of(shapes: list[Shape]) -> Shape | None:
    """One of these; None where there is none."""
    if len(shapes) > 1:
        return {"anyOf": shapes}
    return shapes[0] if shapes else None


def unbounded(shape: Shape) -> Shape:
    """A shape inside another one: there generators would make a type of their own for a bound."""
    kept = () if isinstance(shape.get("items"), list) else BOUNDS
    return {key: value for key, value in shape.items() if key not in {*kept, "description"}}


def described(shape: Shape, applied: Iterable[Node]) -> Shape:
    """With the first description that one of them has, as text that a comment may hold."""
    texts = (node["description"] for node in applied if isinstance(node.get("description"), str))
    text = _UNSEEN.sub(" ", next(texts, "")).replace("*/", "* /").strip()[:MAX_DESCRIPTION]
    # Beside a reference, a generator would take it for another type.
    return {**shape, "description": text} if text and "$ref" not in shape else shape
