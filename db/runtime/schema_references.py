"""Where the references of a JSON Schema lead, and what following them costs (`runtime.md` I1).

Only 2020-12's own keywords hold schemas; what stands in `const`, `enum` or `default` is data.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# Keywords applied to the same place in the value, and so multiplied by each other.
# `dependencies` is an older draft's, which the library still applies.
IN_PLACE = frozenset(
    {"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"}
)
DEEPER = frozenset(
    {"prefixItems", "items", "contains", "properties", "patternProperties", "additionalProperties"}
    | {"propertyNames", "unevaluatedItems", "unevaluatedProperties", "contentSchema", "$defs", "definitions"}
)
SCHEMA_MAPS = frozenset(
    {"properties", "patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions"}
)
REFERENCES = ("$ref", "$dynamicRef")
MAX_WEIGHT = 10_000

Node = dict[str, Any]


@dataclass(slots=True)
class SchemaReferences:
    """A schema's subschemas with their base URIs, gathered once."""

    nodes: list[tuple[str, Node]] = field(default_factory=list)
    resources: dict[str, Node] = field(default_factory=dict)
    anchors: dict[tuple[str, str], Node] = field(default_factory=dict)

    @classmethod
    def of(cls, schema: Node) -> "SchemaReferences":
        """Gather an object schema whose nesting is bounded. Raises `ValueError` for another dialect."""
        found = cls(resources={"": schema})
        pending = [("", schema)]
        while pending:
            base, node = pending.pop()
            base = found._enter(base, node)
            for _, subschema in _subschemas(node):
                pending.append((base, subschema))
        return found

    def _enter(self, base: str, node: Node) -> str:
        if node.get("$schema", DIALECT) not in {DIALECT, DIALECT + "#"}:
            raise ValueError(f"$schema must be {DIALECT}, or be left out")
        if isinstance(node.get("$id"), str):
            base = urldefrag(_joined(base, node["$id"]))[0]
            self.resources.setdefault(base, node)
        for keyword in ("$anchor", "$dynamicAnchor"):
            if isinstance(node.get(keyword), str):
                self.anchors.setdefault((base, node[keyword]), node)
        self.nodes.append((base, node))
        return base

    def target(self, base: str, reference: str) -> object:
        """What a reference leads to; raises `LookupError` if that is not in this document."""
        uri, fragment = urldefrag(_joined(base, reference))
        fragment = unquote(fragment)
        if fragment and not fragment.startswith("/"):
            return self.anchors[uri, fragment]
        place: Any = self.resources[uri]
        for part in fragment.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            place = place[_index(key)] if isinstance(place, list) else _member(place, key)
        return place

    def patterns(self) -> int:
        """How many regular expressions the schema holds."""
        return sum(
            ("pattern" in node) + len(_mapping(node.get("patternProperties"))) for _, node in self.nodes
        )

    def check(self) -> int:
        """The most keywords that are applied to one place of a value.

        Raises `ValueError` for a reference that leads out of the document, for a schema that applies itself
        to the same place again, and for one whose references multiply beyond `MAX_WEIGHT`.
        """
        own = {id(node): 1 + len(node) for _, node in self.nodes}
        applied = {id(node): list(self._applied(base, node, own.keys())) for base, node in self.nodes}
        weights: dict[int, int] = {}
        try:
            for place in TopologicalSorter(applied).static_order():
                weights[place] = own.get(place, 1) + sum(weights[each] for each in applied.get(place, ()))
        except CycleError:
            raise ValueError("a schema applies itself to the same value again, endlessly") from None
        heaviest = max(weights.values())
        if heaviest > MAX_WEIGHT:
            raise ValueError(
                f"references multiply: more than {MAX_WEIGHT:,} keywords would apply to one value"
            )
        return heaviest

    def _applied(self, base: str, node: Node, known: Set[int]) -> Iterator[int]:
        yield from (id(subschema) for keyword, subschema in _subschemas(node) if keyword in IN_PLACE)
        for reference in (node[keyword] for keyword in REFERENCES if isinstance(node.get(keyword), str)):
            target = self._resolved(base, reference)
            # What stands outside the known keywords was not gathered, so its own references are not known.
            if id(target) not in known and not isinstance(target, bool):
                raise ValueError(f"the reference {reference[:200]!r} does not lead to a schema")
            yield id(target)

    def _resolved(self, base: str, reference: str) -> object:
        try:
            return self.target(base, reference)
        except (LookupError, ValueError):
            raise ValueError(f"the reference {reference[:200]!r} leads to nothing in this schema") from None


def _subschemas(node: Node) -> Iterator[tuple[str, Node]]:
    """The object schemas directly within a schema, by keyword."""
    for keyword in node.keys() & (IN_PLACE | DEEPER):
        value = node[keyword]
        values = _mapping(value).values() if keyword in SCHEMA_MAPS else _listed(value)
        yield from ((keyword, each) for each in values if isinstance(each, dict))


def _joined(base: str, reference: str) -> str:
    # `urljoin` knows no relative references to a `urn:`; those with a fragment alone are the common ones.
    if reference.startswith("#"):
        return base + reference
    return urljoin(base, reference)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _member(place: object, key: str) -> object:
    if not isinstance(place, dict):
        raise LookupError(key)
    return place[key]


def _index(key: str) -> int:
    if not (key.isascii() and key.isdigit()):
        raise LookupError(key)
    return int(key)
