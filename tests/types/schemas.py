"""Random JSON Schemas of an object, and values for them."""

from typing import Any

from hypothesis import strategies as st

_NAMES = st.sampled_from(
    ["a", "b", "x-y", "list", "str", "Field", "class", "_p", "json", "items", "enum", "$ref", "type", "root"]
)
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from(["", "a", "AB", "*/"]),
    st.sampled_from([0.5, 1.5]),
)
VALUES = st.recursive(
    _SCALARS,
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(_NAMES, below, max_size=4)),
    max_leaves=8,
)
OBJECTS = st.dictionaries(_NAMES, VALUES, max_size=4)
_TYPES = st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null"])


def _schemas_of(below: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(below, min_size=1, max_size=3)
    keywords: dict[str, st.SearchStrategy[Any]] = {
        "type": st.one_of(_TYPES, st.lists(_TYPES, min_size=1, max_size=3, unique=True)),
        "enum": st.lists(VALUES, min_size=1, max_size=3),
        "const": _SCALARS,
        "properties": st.dictionaries(_NAMES, below, max_size=4),
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "b$"]), below, max_size=1),
        "additionalProperties": below,
        "required": st.lists(_NAMES, max_size=2, unique=True),
        "items": below,
        "prefixItems": some,
        "minItems": st.integers(0, 3),
        "maxItems": st.integers(0, 3),
        "minimum": st.sampled_from([-1, 0, 0.5, 1]),
        "maximum": st.sampled_from([0, 1, 1.5]),
        "minLength": st.integers(0, 2),
        "pattern": st.sampled_from(["^a", "^[A-Z]+$", r"\d"]),
        "anyOf": some,
        "oneOf": some,
        "allOf": some,
        "not": below,
        "$ref": st.sampled_from(["#/$defs/A", "#/$defs/B", "#"]),
    }
    models = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(_NAMES, below, min_size=1, max_size=4)},
        optional={name: keywords[name] for name in ("required", "additionalProperties")},
    )
    return st.one_of(
        models,
        st.fixed_dictionaries({}, optional=keywords),
        st.fixed_dictionaries({"$ref": keywords["$ref"]}),
    )


_SCHEMAS = st.recursive(
    st.one_of(st.booleans(), _TYPES.map(lambda name: {"type": name})), _schemas_of, max_leaves=10
)
SCHEMAS = st.fixed_dictionaries(
    {
        "type": st.just("object"),
        "properties": st.dictionaries(_NAMES, _SCHEMAS, min_size=1, max_size=4),
        "$defs": st.fixed_dictionaries({"A": _SCHEMAS, "B": _SCHEMAS}),
    },
    optional={"required": st.lists(_NAMES, max_size=1), "additionalProperties": st.booleans()},
)
