"""Random input objects: what `where` and `orderBy` take, of what the rows hold."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from graphql import GraphQLInputObjectType, GraphQLSchema, get_named_type

WRONG_TEXTS = ("a\0b", "\ud800", "\udfff!")
ODD_TEXTS = ("", "no such", "Ünï 🧭", "' or 1=1 --", "⟦0⟧", "%", "_", "ALPHA", "ü", "\\")
ODD_SCALARS = (0, 1, -1, 1.0, 0.5, True, False, "", "1", "true", "null", 2**53 + 1)
WRONG_PATHS = ("", ".", "a.", ".a", "a..b", "a[0]", "$.a", 'a"b', "a b", "*", "a'--", ".".join("a" * 65))
MOST_LEVELS, MOST_HOPS = 3, 2
# Drawn so many times more often than others.
HARD = {
    "context": 8,
    "outputData": 8,
    "isClaimed": 3,
    "claimedBy": 3,
    "workflowTemplateKey": 3,
    "rootWorkflowExecutionId": 3,
}


class Label(str):
    """A member of an enum."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value inside an input object, which a variable may give as well."""

    draw: Callable[[], Any]


Tree = Any  # dict, list or Leaf


def plain(tree: Tree) -> Any:
    """The tree with a value for each leaf."""
    match tree:
        case Leaf():
            return tree.draw()
        case dict():
            return {name: plain(each) for name, each in tree.items()}
        case list():
            return [plain(each) for each in tree]
    return tree


def literal(value: Any) -> str:
    """A value in GraphQL's own syntax."""
    match value:
        case Label():
            return str(value)
        case dict():
            return "{" + ", ".join(f"{name}: {literal(each)}" for name, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(literal, value)) + "]"
    return json.dumps(value)


def is_unwritable(value: Any) -> bool:
    """GraphQL's own syntax has no lone surrogates."""
    if isinstance(value, list):
        return any(map(is_unwritable, value))
    return isinstance(value, str) and any("\ud800" <= each <= "\udfff" for each in value)


@dataclass(slots=True)
class Inputs:
    """Draws input objects for one document; `values` by input type and member, `documents` as paths with scalars."""

    schema: GraphQLSchema
    random: Random
    values: Mapping[str, Sequence[Any]]
    documents: Mapping[str, Sequence[tuple[str, Any]]]
    has_wrong: bool = False

    def where(self, type_name: str, levels: int = 0, hops: int = 0) -> Tree:
        """A `where`, seldom one that nests as deep as it may, or deeper."""
        fields = self._fields(type_name)
        if levels == 0 and "not" in fields and self._chance(8):
            return self._chain(type_name, self.random.choice((3, 4) if self.has_wrong else (3,)))
        names = [name for name in fields if self._may_nest(name, levels, hops)]
        hard = [name for name in names if name in HARD for _ in range(HARD[name])]
        count = self.random.choice((0, 1, 1, 1, 2, 2, 3))
        drawn = list(dict.fromkeys(self.random.choice(names + hard) for _ in range(count)))
        # Below other members it is rare that anything is left.
        if levels == 0 and self._chance(40) and "not" in fields:
            drawn = [
                self.random.choice(("and", "or", "not", "step" if "step" in fields else "workflowExecution"))
            ]
        return {name: self._member(type_name, name, levels, hops) for name in drawn}

    def _chain(self, type_name: str, levels: int, hops: int = 0) -> Tree:
        """Nested so many levels deep, with something at the end."""
        if levels == 0:
            return self.where(type_name, MOST_LEVELS, MOST_HOPS)
        relation = "step" if type_name == "WorkflowExecutionWhere" else "workflowExecution"
        may_go = self.has_wrong or hops < MOST_HOPS
        name = self.random.choice(("and", "or", "not", relation) if may_go else ("and", "or", "not"))
        if name == relation:
            other = f"Workflow{'Step' if relation == 'step' else ''}ExecutionWhere"
            return {name: self._chain(other, levels - 1, hops + 1)}
        below = self._chain(type_name, levels - 1, hops)
        return {name: below if name == "not" else [below]}

    def _may_nest(self, name: str, levels: int, hops: int) -> bool:
        if self.has_wrong:
            return levels <= MOST_LEVELS + 1
        if name in ("and", "or", "not"):
            return levels < MOST_LEVELS
        if name in ("step", "workflowExecution"):
            return levels < MOST_LEVELS and hops < MOST_HOPS
        return True

    def _member(self, type_name: str, name: str, levels: int, hops: int) -> Tree:
        if self._chance(4):
            return None
        match name:
            case "and" | "or":
                return [self.where(type_name, levels + 1, hops) for _ in range(self.random.randint(0, 3))]
            case "not":
                return self.where(type_name, levels + 1, hops)
            case "step":
                return self.where("WorkflowStepExecutionWhere", levels + 1, hops + 1)
            case "workflowExecution":
                return self.where("WorkflowExecutionWhere", levels + 1, hops + 1)
        kind = get_named_type(self._fields(type_name)[name].type).name
        if kind == "Boolean":
            return Leaf(lambda: self.random.random() < 0.5)
        member = f"{type_name}.{name}"
        if kind == "JSONPathFilter":
            return [self._search(member) for _ in range(self.random.choice((0, 1, 1, 1, 2)))]
        operators = self._fields(kind)
        drawn = self.random.sample(list(operators), self.random.choice((0, 1, 1, 1, 1, 2)))
        return {operator: self._operand(operator, member, kind) for operator in drawn}

    def _operand(self, operator: str, member: str, kind: str) -> Tree:
        if self._chance(4):
            return None
        if operator == "isNull":
            return Leaf(lambda: self.random.random() < 0.5)
        if operator == "in":
            return Leaf(lambda: self._many(member, kind))
        return Leaf(lambda: self._one(operator, member, kind))

    def _many(self, member: str, kind: str) -> list[Any]:
        if self.has_wrong and self._chance(10):
            return [self._one("eq", member, kind)] * self.random.choice((500, 501))
        return [self._one("eq", member, kind) for _ in range(self.random.choice((0, 1, 2, 3)))]

    def _one(self, operator: str, member: str, kind: str) -> Any:
        value = self.random.choice(self.values[member])
        if kind == "DateTimeFilter":
            return self._spelt(value)
        if kind not in ("IDFilter", "StringFilter"):
            return value
        if self.has_wrong and self._chance(15):
            return self.random.choice(WRONG_TEXTS)
        if self._chance(10):
            return self.random.choice(ODD_TEXTS)
        start, end = sorted(self.random.randrange(len(value) + 1) for _ in range(2))
        if self._chance(10):
            value = value.swapcase()
        return {"startsWith": value[:end], "contains": value[start:end]}.get(operator, value)

    def _spelt(self, text: str) -> str:
        """A moment in one of its spellings."""
        ways = (text, text, text.lower(), text.replace("Z", "+00:00"), text.replace("Z", "-00:00"))
        return (
            self.random.choice(ways)
            if text[-7:-1].strip("0")
            else text[:-8] + self.random.choice(("Z", ".0Z"))
        )

    def _search(self, member: str) -> Tree:
        path, value = self.random.choice(self.documents[member])
        if self.has_wrong and self._chance(40):
            path = self.random.choice(WRONG_PATHS)
        elif self._chance(10):
            path += self.random.choice((".a", ".0", "x"))
        drawn = self.random.sample(("eq", "in", "exists"), self.random.choice((0, 1, 1, 1, 2)))
        operators = {
            "eq": Leaf(lambda: self._scalar(value)),
            "in": Leaf(
                lambda: [self._scalar(value, null=False) for _ in range(self.random.choice((0, 1, 2, 3)))]
            ),
            "exists": Leaf(lambda: self.random.random() < 0.5),
        }
        return {"path": Leaf(lambda: path), **{name: operators[name] for name in drawn}}

    def _scalar(self, value: Any, *, null: bool = True) -> Any:
        """What is there, or something that is like it in another type."""
        if self.has_wrong and self._chance(10):
            return self.random.choice(({"a": 1}, [1], {}, []))
        if value is None and not null:
            return self.random.choice(ODD_SCALARS)
        if self._chance(65):
            return value
        if isinstance(value, bool | int | float):
            whole = int(value) if abs(value) < 2**53 else 0
            return self.random.choice((str(value), float(value), bool(value), whole, value == 1))
        return self.random.choice(ODD_SCALARS)

    def order_by(self, type_name: str) -> Tree:
        """The keys of an order: none, some, one twice."""
        fields = list(get_named_type(self._fields(type_name)["field"].type).values)  # type: ignore[attr-defined]
        return [
            {
                "field": Label(self.random.choice(fields)),
                "direction": Label(self.random.choice(("ASC", "DESC"))),
            }
            for _ in range(self.random.choice((0, 1, 1, 1, 2, 2, 3)))
        ]

    def _fields(self, type_name: str) -> Mapping[str, Any]:
        type_ = self.schema.type_map[type_name]
        assert isinstance(type_, GraphQLInputObjectType)
        return type_.fields

    def _chance(self, percent: int) -> bool:
        return self.random.randrange(100) >= 100 - percent
