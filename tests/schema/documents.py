"""Random valid documents over a schema, with values for their variables.

Everything is drawn from one `random.Random`. A response key means the same field, arguments and type wherever it
stands in a document: then any two selections may be merged.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from tests.schema.inputs import Inputs, Leaf, Tree, is_unwritable, literal, plain
from tests.schema.pages import order_of
from tests.schema.values import ABSENT, Values

Parent = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType

# Names that the SQL may have uses of its own for.
ALIASES = ("o", "n", "c", "j", "rid", "q", "values", "w1", "s2", "o0", "id", "select", "_", "node", "edges")
LONG = "a_key_that_is_longer_than_the_sixty_three_bytes_which_postgresql_keeps_of_a_name"
VALUE_SETS = 3
MOST_FIELDS = 70
# How many objects an answer may grow to, roughly.
MOST_OBJECTS = 1500
LIST, PAGE = 6, 8
ENDS = "edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"


@dataclass(frozen=True, slots=True)
class Document:
    """A document, and sets of values for its variables."""

    text: str
    values: tuple[dict[str, Any], ...]


@dataclass(slots=True)
class Variable:
    """A variable, with one value (or `ABSENT`) for each set."""

    type: str
    default: str | None
    values: list[Any]


@dataclass(slots=True)
class Fragment:
    """A named fragment, and what room its selection needs."""

    name: str
    type: str
    text: str
    depth: int
    room: int


@dataclass(slots=True)
class Writer:
    """Writes one document."""

    schema: GraphQLSchema
    random: Random
    values: Values
    budget: int = MOST_FIELDS
    keys: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    fragments: list[Fragment] = field(default_factory=list)

    def write(self) -> Document:
        """The document."""
        # Rarely anything is wrong: a document with a wrong value proves little else.
        self.values.has_wrong = self._chance(12)
        self.budget = self.random.choice((8, 20, 40, MOST_FIELDS))
        return self._document(self._selection(self._query, self.random.randint(2, 12), MOST_OBJECTS))

    def _document(self, body: str) -> Document:
        declared = ", ".join(
            f"${name}: {each.type}" + ("" if each.default is None else f" = {each.default}")
            for name, each in self.variables.items()
        )
        head = f"query Q({declared}) " if declared else self.random.choice(("", "query ", "query Q "))
        texts = [
            f"{head}{body}",
            *(f"fragment {each.name} on {each.type} {each.text}" for each in self.fragments),
        ]
        return Document("\n".join(texts), tuple(self._set(number) for number in range(VALUE_SETS)))

    def write_list(self) -> Document:
        """A document that asks a list for little but in every way: filtered, ordered, from a cursor."""
        self.values.has_wrong = self._chance(12)
        fields = self._query.fields
        name = self.random.choice([name for name, each in fields.items() if "where" in each.args])
        field_ = fields[name]
        arguments = self._arguments(name, field_)
        body = f"{{ {name}{arguments} {{ totalCount nodes {{ id {self._nested_list(name)} }} {ENDS} }} }}"
        return self._document(body)

    def _nested_list(self, name: str) -> str:
        """A list of each entry."""
        fields = self._type(f"{name[0].upper()}{name[1:-1]}").fields
        lists = [each for each, field_ in fields.items() if "where" in field_.args]
        if not lists or self._chance(50):
            return ""
        chosen = self.random.choice(lists)
        return (
            f"{chosen}{self._arguments(chosen, fields[chosen])} {{ {'id' if chosen == 'steps' else ENDS} }}"
        )

    @property
    def _query(self) -> GraphQLObjectType:
        assert self.schema.query_type is not None
        return self.schema.query_type

    def _type(self, name: str) -> GraphQLObjectType:
        type_ = self.schema.type_map[name]
        assert isinstance(type_, GraphQLObjectType)
        return type_

    def _set(self, number: int) -> dict[str, Any]:
        values = {name: each.values[number] for name, each in self.variables.items()}
        return {name: value for name, value in values.items() if value is not ABSENT}

    def _chance(self, percent: int) -> bool:
        return self.random.randrange(100) >= 100 - percent

    # Selections.

    def _selection(self, type_: Parent, depth: int, room: int) -> str:
        items = [self._item(type_, depth, room) for _ in range(self.random.randint(1, 5))]
        if isinstance(type_, GraphQLObjectType) and type_ is not self.schema.query_type and self._chance(2):
            items += self._many_leaves(type_)
        return "{ " + " ".join(items) + " }"

    def _many_leaves(self, type_: GraphQLObjectType) -> list[str]:
        leaves = [name for name, each in type_.fields.items() if self._is_usable(each, depth=0, room=0)]
        count = self.random.choice((51, 61, 121)) if leaves else 0
        names = [leaves[number % len(leaves)] for number in range(count)]
        return [
            f"{self._key(name, type_.fields[name], '', alias=f'{name}_{number}')}{name}"
            for number, name in enumerate(names)
        ]

    def _item(self, type_: Parent, depth: int, room: int) -> str:
        self.budget -= 1
        chosen = self.random.randrange(100)
        if chosen >= 92:
            return f"__typename{self._directives()}"
        if chosen >= 82:
            return self._inline_fragment(type_, depth, room)
        if chosen >= 74:
            return self._spread(type_, depth, room)
        fields = {} if isinstance(type_, GraphQLUnionType) else type_.fields
        usable = [name for name, each in fields.items() if self._is_usable(each, depth, room)]
        # Behind it is more than behind any other root field.
        usable += [name for name in usable if name == "transition"] * 3
        if not usable:
            if isinstance(type_, GraphQLObjectType):
                return f"__typename{self._directives()}"
            return self._inline_fragment(type_, depth, room)
        return self._field(fields, usable, depth, room)

    def _is_usable(self, field_: GraphQLField, depth: int, room: int) -> bool:
        if is_leaf_type(get_named_type(field_.type)):
            return not field_.args
        # `validateWorkflowDefinition` reads nothing that is shown, and differences are of the past (`test_difference.py`).
        is_read = not {"definition", "from"} & field_.args.keys()
        return is_read and depth > 0 and self.budget > 0 and room >= _weight(field_)

    def _field(self, fields: dict[str, GraphQLField], usable: list[str], depth: int, room: int) -> str:
        composite = [name for name in usable if not is_leaf_type(get_named_type(fields[name].type))]
        name = self.random.choice(composite if composite and self._chance(55) else usable)
        field_ = fields[name]
        arguments = self._arguments(name, field_)
        start = f"{self._key(name, field_, arguments)}{name}{arguments}"
        type_ = get_named_type(field_.type)
        if not isinstance(type_, Parent):
            return f"{start}{self._directives()}"
        # The same field twice is merged.
        times = 2 if self._chance(12) else 1
        return " ".join(
            f"{start}{self._directives()} {self._selection(type_, depth - 1, room // _weight(field_))}"
            for _ in range(times)
        )

    def _key(self, name: str, field_: GraphQLField, arguments: str, alias: str | None = None) -> str:
        """The alias with its colon, or nothing."""
        if alias is None:
            chosen = self.random.randrange(100)
            alias = (
                name
                if chosen < 65
                else self.random.choice(ALIASES)
                if chosen < 88
                else f"{LONG}_{name}"
                if chosen < 92
                else f"{name}_{len(self.keys)}"
            )
        meaning = (name, arguments, str(field_.type))
        if self.keys.setdefault(alias, meaning) != meaning:
            alias = f"other_{len(self.keys)}"
            self.keys[alias] = meaning
        return "" if alias == name else f"{alias}: "

    def _inline_fragment(self, type_: Parent, depth: int, room: int) -> str:
        name, condition = self._condition(type_)
        written = "" if condition is type_ and self._chance(30) else f" on {name}"
        directives = self._directives() or ("" if written else f" @include(if: {self._boolean()})")
        return f"...{written}{directives} {self._selection(condition, depth, room)}"

    def _spread(self, type_: Parent, depth: int, room: int) -> str:
        name, condition = self._condition(type_)
        known = [
            each for each in self.fragments if each.type == name and each.depth <= depth and each.room <= room
        ]
        if known and self._chance(60):
            return f"...{self.random.choice(known).name}{self._directives()}"
        text = self._selection(condition, depth, room)
        fragment = Fragment(f"F{len(self.fragments)}", name, text, depth, room)
        self.fragments.append(fragment)
        return f"...{fragment.name}{self._directives()}"

    def _condition(self, type_: Parent) -> tuple[str, Parent]:
        """A type that a fragment may have here: the same, one of those that it may be, or what it implements."""
        fitting: list[Any] = [type_]
        if isinstance(type_, GraphQLObjectType):
            fitting += type_.interfaces
        else:
            fitting += self.schema.get_possible_types(type_) * 3
        chosen = self.random.choice(fitting)
        return chosen.name, chosen

    def _directives(self) -> str:
        chosen = self.random.randrange(100)
        skip = f" @skip(if: {self._boolean(likely=False)})" if chosen >= 92 else ""
        return skip + (f" @include(if: {self._boolean()})" if 84 <= chosen < 94 else "")

    # Arguments.

    def _boolean(self, *, likely: bool = True) -> str:
        def draw() -> bool:
            return likely if self._chance(70) else not likely

        if self._chance(40):
            return json.dumps(draw())
        return self._variable(
            *self.random.choice((("Boolean!", None), ("Boolean", "true"), ("Boolean!", "false"))), draw
        )

    def _arguments(self, field_name: str, field_: GraphQLField) -> str:
        if not field_.args:
            return ""
        names = self._given(field_)
        inputs = Inputs(
            self.schema,
            self.random,
            self.values.pools.values,
            self.values.pools.documents,
            self.values.has_wrong,
        )
        trees: dict[str, Tree] = {}
        if "where" in names:
            trees["where"] = inputs.where(get_named_type(field_.args["where"].type).name)
        if "orderBy" in names:
            trees["orderBy"] = inputs.order_by(get_named_type(field_.args["orderBy"].type).name)
        order = order_of(field_name, {"orderBy": plain(trees.get("orderBy", []))})
        entries = get_named_type(field_.type).name.removesuffix("Connection")
        written = []
        for name in names:
            if name in trees:
                text = self._input(trees[name], field_.args[name].type)
            else:

                def draw(name: str = name) -> Any:
                    is_nullable = not is_non_null_type(field_.args[name].type)
                    return self.values.draw(field_name, name, is_nullable, entries, order)

                text = self._value(name, field_.args[name], draw)
            written.append(f"{name}: {text}")
        return f"({', '.join(written)})" if written else ""

    def _input(self, tree: Tree, type_: GraphQLInputType, *, is_only_item: bool = False) -> str:
        """An input object or list as a literal, with variables in it or as a whole."""
        if not is_only_item and self._chance(20):
            return self._variable(str(type_), None, lambda: plain(tree))
        match tree:
            case Leaf():
                value = tree.draw()
                if self._chance(35) or is_unwritable(value):
                    return self._variable(str(type_), None, tree.draw)
                return literal(value)
            case dict():
                fields = get_named_type(type_).fields  # type: ignore[union-attr]
                members = [f"{name}: {self._input(each, fields[name].type)}" for name, each in tree.items()]
                return "{" + ", ".join(members) + "}"
            case list():
                item = getattr(type_, "of_type", type_)
                if len(tree) == 1 and self._chance(20):
                    # It stands for the list; a variable of its type would not.
                    return self._input(tree[0], item, is_only_item=True)
                return "[" + ", ".join(self._input(each, item) for each in tree) + "]"
        return literal(tree)

    def _given(self, field_: GraphQLField) -> Sequence[str]:
        if "before" in field_.args:
            pages: tuple[tuple[str, ...], ...] = (
                (),
                ("first",),
                ("last",),
                ("first", "after"),
                ("last", "before"),
                ("first", "before"),
                ("last", "after"),
                ("first", "after", "before"),
                ("before", "after", "last"),
                ("after", "before"),
                ("after",),
            )
            page = self.random.choice((*pages, ("first", "last")) if self.values.has_wrong else pages)
            inputs = [name for name in ("where", "orderBy") if name in field_.args and self._chance(55)]
            others = [
                name
                for name in field_.args
                if name not in ("first", "after", "last", "before", "where", "orderBy")
            ]
            return (*page, *inputs, *(name for name in others if self._chance(30)))
        if "key" in field_.args:
            one = (("id",), ("key",), ("id",), ("key",), ("id", "key"))
            return self.random.choice((*one, ()) if self.values.has_wrong else one)
        return [name for name, each in field_.args.items() if is_non_null_type(each.type) or self._chance(60)]

    def _value(self, name: str, argument: GraphQLArgument, draw: Callable[[], Any]) -> str:
        """A literal or a variable; its type may be stricter than the argument's."""
        is_nullable = not is_non_null_type(argument.type)
        value = draw()
        if self._chance(45) and value is not ABSENT and not is_unwritable(value):
            return literal(value)
        if not is_nullable:
            return self._variable(str(argument.type), None, draw)
        type_ = str(argument.type)
        has_default = type_ == "Int" and name not in ("asOf", "minRevision") and self._chance(30)
        return self._variable(type_, json.dumps(self.values.size()) if has_default else None, draw)

    def _variable(self, type_: str, default: str | None, draw: Callable[[], Any]) -> str:
        values = [draw() for _ in range(VALUE_SETS)]
        if default is not None:
            values = [ABSENT if self._chance(40) else value for value in values]
        name = f"v{len(self.variables)}"
        self.variables[name] = Variable(type_, default, values)
        return f"${name}"


def _weight(field_: GraphQLField) -> int:
    type_ = field_.type.of_type if is_non_null_type(field_.type) else field_.type
    if is_list_type(type_):
        return LIST
    return PAGE if get_named_type(type_).name.endswith("Connection") else 1
