"""JSON Schemas as the few keywords that both generators read alike, with names that nobody else chose.

A schema is written by whoever wrote the definition, and both generators obey keywords of their own in it (`tsType`,
`customTypePath`, …). So nothing is handed on but what is built here: types, properties, items, unions, enums, bounds
and references to `#/$defs/NAME`.

One place of a value is described by all schemas that apply to it: a schema, what its `$ref` leads to, the members of
its `allOf`. Together they become one shape, an alternative of `anyOf` or `oneOf` with each of them in turn. Keywords
that no type can say (`not`, `if`, `contains`, …) are left out, so that types are wider than the schema, never narrower.
"""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import unquote

from db.runtime.schema_references import SchemaReferences
from server.types import shapes
from server.types.names import Names, joined
from server.types.refusal import NoTypes
from server.types.shapes import Node, Shape

MAX_DEFINITIONS = 2_000
MAX_ALTERNATIVES = 5_000
MAX_DEPTH = 60

_UNIONS = ("anyOf", "oneOf")
# A schema without any of these says nothing of a type; beside others it makes no other place of theirs.
_TELLING = frozenset(
    {"type", "enum", "const", "properties", "patternProperties", "additionalProperties", "required", "items"}
    | {"prefixItems", "anyOf", "oneOf", *shapes.BOUNDS}
)
_OF_TYPE: dict[str, Node] = {name: {"type": name} for name in shapes.TYPES}

Place = frozenset[int]


class Places:
    """The places of one schema's values, each described once; `definitions` get the named ones."""

    def __init__(self, schema: Node, names: Names, definitions: dict[str, Shape]) -> None:
        self._references = SchemaReferences.of(schema)
        self._bases = {id(node): base for base, node in self._references.nodes}
        self._names = names
        self._definitions = definitions
        self._named: dict[Place, str] = {}
        self._open: set[Place] = set()
        self._pending: deque[tuple[str, list[Node]]] = deque()
        # By the node and its union, kept since places are told by identity.
        self._rests: dict[tuple[int, str], Node] = {}
        self._alternatives = 0
        self._depth = 0
        self._root = ""

    def define(self, schema: Node | bool, name: str) -> None:
        """Describe an object under a name that was taken for it. Raises `NoTypes`."""
        applied = self._applied([schema])
        if applied is not None and shapes.types_of(applied) != ["object"]:
            applied.append(_OF_TYPE["object"])
        if applied is None or shapes.types_of(applied) == []:
            raise NoTypes(f"its schema accepts no object, so there is no type {name}")
        self._root = name
        self._named[_place(applied)] = name
        self._pending.append((name, applied))
        while self._pending:
            name, applied = self._pending.popleft()
            shape = self._shape(applied, name)
            if shape is None:
                raise NoTypes(f"its schema accepts nothing where there would be the type {name}")
            self._definitions[name] = shapes.described(shape, applied)

    def _at(self, schemas: Sequence[Any], hint: str) -> Shape | None:
        """The shape of a place that these schemas apply to, or None where they accept nothing."""
        applied = self._applied(schemas)
        if applied is None or shapes.types_of(applied) == []:
            return None
        hint = self._hint(schemas, hint)
        place = _place(applied)
        if place not in self._named and (place in self._open or _is_model(applied)):
            self._name(place, applied, hint, is_pending=place not in self._open)
        if place in self._named:
            return _reference(self._named[place])
        return self._inline(place, applied, hint)

    def _inline(self, place: Place, applied: list[Node], hint: str) -> Shape | None:
        """Its shape; a reference where it turned out to contain itself, and so needed a name."""
        self._open.add(place)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NoTypes(f"its schema nests deeper than {MAX_DEPTH} levels without an object")
        shape = self._shape(applied, hint)
        self._depth -= 1
        self._open.discard(place)
        shape = shape if shape is None else shapes.described(shape, applied)
        if place not in self._named:
            return shape
        self._definitions[self._named[place]] = {} if shape is None else shape
        return _reference(self._named[place])

    def _name(self, place: Place, applied: list[Node], hint: str, *, is_pending: bool) -> None:
        if len(self._definitions) + len(self._pending) >= MAX_DEFINITIONS:
            raise NoTypes(f"more than {MAX_DEFINITIONS:,} types would be needed")
        self._named[place] = self._names.take(hint)
        if is_pending:
            self._pending.append((self._named[place], applied))

    def _applied(self, schemas: Iterable[Any]) -> list[Node] | None:
        """Every schema that applies where these do, or None where one of them is `false`."""
        found: dict[int, Node] = {}
        pending = deque(schemas)
        while pending:
            schema = pending.popleft()
            if schema is False:
                return None
            if schema is True or id(schema) in found:
                continue
            found[id(schema)] = schema
            if isinstance(schema.get("$ref"), str):
                pending.append(self._references.target(self._bases[id(schema)], schema["$ref"]))
            pending.extend(schema.get("allOf", ()))
        return list(found.values())

    def _shape(self, applied: list[Node], hint: str) -> Shape | None:
        alternatives = self._alternatives_of(applied)
        if alternatives is not None:
            return self._any_of(alternatives, hint)
        if (values := shapes.values_of(applied)) is not None:
            return {"enum": values} if values else None
        return self._typed(applied, hint)

    def _typed(self, applied: list[Node], hint: str) -> Shape | None:
        match shapes.types_of(applied):
            case None:
                return {}
            case ["object"]:
                return self._object(applied, hint)
            case ["array"]:
                return self._array(applied, hint)
            case [scalar]:
                return {"type": scalar} | shapes.bounds(scalar, applied)
            case types:
                return self._any_of([[*applied, _OF_TYPE[name]] for name in types], hint)

    def _alternatives_of(self, applied: list[Node]) -> list[list[Any]] | None:
        """What applies in each case of the first union; None where there is none."""
        for node in applied:
            for union in _UNIONS:
                if union in node and self._alternatives < MAX_ALTERNATIVES:
                    rest = [self._rest(each, union if each is node else "") for each in applied]
                    return [[*rest, member] for member in node[union]]
        return None

    def _any_of(self, alternatives: Iterable[Sequence[Any]], hint: str) -> Shape | None:
        found: list[Shape] = []
        for schemas in alternatives:
            self._alternatives += 1
            shape = self._at(schemas, hint)
            if shape is not None and shapes.unbounded(shape) not in found:
                found.append(shapes.unbounded(shape))
        if {} in found:
            return {}
        return shapes.any_of(found)

    def _object(self, applied: list[Node], hint: str) -> Shape:
        properties: dict[str, Shape] = {}
        for name, schemas in shapes.properties_of(applied).items():
            shape = self._at(schemas, joined(hint, name or "Empty"))
            if shape is not None:
                properties[name] = shape
        others = shapes.others_of(applied)
        made: Shape = {"type": "object", "additionalProperties": others}
        if isinstance(others, list):
            value = self._at(others, joined(hint, "Value"))
            made["additionalProperties"] = False if value is None else shapes.unbounded(value) or True
        if properties:
            made["properties"] = properties
            made["required"] = [name for name in shapes.required_of(applied) if name in properties]
        return made

    def _array(self, applied: list[Node], hint: str) -> Shape:
        if (schemas := shapes.tuple_of(applied)) is not None:
            places = [shapes.unbounded(self._at([each], joined(hint, "Item")) or {}) for each in schemas]
            # The older spelling of `prefixItems`, which both generators read.
            made = {"type": "array", "items": places, "additionalItems": False}
            return made | {"minItems": len(places), "maxItems": len(places)}
        alternatives = shapes.items_of(applied)
        members = self._any_of(alternatives, joined(hint, "Item")) if alternatives else None
        items = {} if members is None else shapes.unbounded(members)
        return {"type": "array", "items": items} | shapes.bounds("array", applied)

    def _hint(self, schemas: Sequence[Any], hint: str) -> str:
        """What is referred to alone is named after its definition, and after the type that it is for."""
        last = schemas[-1]
        if not isinstance(last, dict) or not isinstance(last.get("$ref"), str):
            return hint
        part = re.split(r"[/#]", unquote(last["$ref"]))[-1]
        return joined(self._root, part) if part else hint

    def _rest(self, node: Node, union: str) -> Node:
        """A schema beside one alternative of its union; what it refers to is there already."""
        followed = {"$ref", "allOf", union}
        if not followed & node.keys():
            return node
        rest = {key: value for key, value in node.items() if key not in followed}
        return self._rests.setdefault((id(node), union), rest)


def _place(applied: Iterable[Node]) -> Place:
    return frozenset(id(node) for node in applied if node.keys() & _TELLING)


def _is_model(applied: list[Node]) -> bool:
    """Whether it is an object whose properties are known, in one form."""
    if shapes.types_of(applied) != ["object"] or shapes.values_of(applied) is not None:
        return False
    if any(union in node for node in applied for union in _UNIONS):
        return False
    return bool(shapes.properties_of(applied)) or shapes.others_of(applied) is False


def _reference(name: str) -> Shape:
    return {"$ref": f"#/$defs/{name}"}
