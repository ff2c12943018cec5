"""Operations on every root field with every id and text of one tenant, for another to give."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from graphql import (
    GraphQLField,
    GraphQLInputType,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_enum_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)
from strawberry.printer import print_schema

from db.ids import IdKind, new_id
from tests.api import SCHEMA as OURS
from tests.api import Api
from tests.contract.samples import sequence

SCHEMA = build_schema(print_schema(OURS))
ROOTS: dict[str, GraphQLObjectType] = {
    keyword: type_
    for keyword, type_ in (
        ("query", SCHEMA.query_type),
        ("mutation", SCHEMA.mutation_type),
        ("subscription", SCHEMA.subscription_type),
    )
    if type_
}
FIELDS = [(keyword, name) for keyword, root in ROOTS.items() for name in root.fields]

DEEPEST = 3
# They tell a place in the journal or in a list, of whomever; and a token is drawn anew for each claim.
UNTOLD = {"cursor", "startCursor", "endCursor", "claimToken"}
_ID = re.compile(r"\b(exec|step|tpl|tver|[a-z]+)_[0-9a-z]{26}\b")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)")

Path = tuple[str, ...]
# The first letter of the text that `owned` puts there.
_COLUMNS = {
    "correlationId": "c",
    "idempotencyKey": "i",
    "key": "k",
    "stepId": "s",
    "stepIds": "s",
    "worker": "w",
    "workflowTemplateKey": "k",
    "workflowTemplateKeys": "k",
}


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in the arguments of a root field that an id or a text can be put into."""

    path: Path
    is_id: bool
    is_list: bool
    is_required: bool

    @property
    def name(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Belongings:
    """Ids, and texts, that one tenant has; or of which nobody has any."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]

    def of(self, slot: Slot) -> tuple[str, ...]:
        """What fits; of the texts the one that stands in such a column."""
        if slot.is_id:
            return self.ids
        *words, claim_token = self.texts
        if slot.path[-1] == "claimToken":
            return (claim_token,)
        column = next((_COLUMNS[name] for name in reversed(slot.path) if name in _COLUMNS), "n")
        return tuple(word for word in words if word.startswith((f"{column}mine", f"{column}none")))

    @property
    def all(self) -> tuple[str, ...]:
        return self.ids + self.texts


def new_mark() -> str:
    """What texts of one tenant are told by."""
    return f"mine{uuid4().hex[:8]}"


async def owned(api: Api, mark: str | None = None, secret: str | None = None) -> Belongings:
    """A tenant that has one of everything, every text of it unmistakable; or the texts of another one's mark."""
    mark = mark or new_mark()
    raw = sequence(f"d{mark}", (f"s{mark}", "sys.task"), ("later", "human.form"))
    template = await api.publish(raw, key=f"k{mark}", description=f"about {mark}")
    given = {"name": f"n{mark}", "correlationId": f"c{mark}", "idempotencyKey": f"i{mark}"}
    execution = await api.start(f"k{mark}", context={"secret": secret or f"x{mark}"}, **given)
    step_id, token = await _claimed(api, f"w{mark}")
    ids = (execution["id"], step_id, template["id"], template["activeVersion"]["id"])
    texts = (f"k{mark}", f"n{mark}", f"c{mark}", f"i{mark}", f"s{mark}", f"w{mark}", token)
    return Belongings(ids, texts)


def never(belongings: Belongings) -> Belongings:
    """Ids and texts of the same looks that nobody has."""
    kinds = (IdKind.EXECUTION, IdKind.STEP_EXECUTION, IdKind.TEMPLATE, IdKind.TEMPLATE_VERSION)
    *words, claim_token = belongings.texts
    mark = f"none{uuid4().hex[:8]}"
    return Belongings(
        tuple(new_id(kind) for kind in kinds), (*(f"{word[0]}{mark}" for word in words), claim_token[::-1])
    )


async def _claimed(api: Api, worker: str) -> tuple[str, str]:
    document = """
      mutation ($input: ClaimStepsInput!) {
        claimSteps(input: $input) { ... on ClaimSuccess { claimed { claimToken step { id } } } }
      }
    """
    answer = await api.data(document, input={"worker": worker, "leaseSeconds": 3600})
    (claim,) = answer["claimSteps"]["claimed"]
    return claim["step"]["id"], claim["claimToken"]


# ---- Variables


def slots(field: GraphQLField) -> list[Slot]:
    """Every place for an id or a text; an input within itself is entered once."""
    return [
        slot
        for name, argument in field.args.items()
        for slot in _slots(argument.type, (name,), (), is_required_argument(argument))
    ]


def _slots(type_: GraphQLInputType, path: Path, seen: tuple[str, ...], is_required: bool) -> Iterator[Slot]:
    named = get_named_type(type_)
    if is_input_object_type(named):
        if named.name not in seen:
            for name, member in named.fields.items():
                needed = is_required and is_required_input_field(member)
                yield from _slots(member.type, (*path, name), (*seen, named.name), needed)
    elif named.name in ("ID", "String"):
        yield Slot(path, named.name == "ID", is_list_type(get_nullable_type(type_)), is_required)


def variables(field: GraphQLField, values: Mapping[Slot, str]) -> dict[str, Any]:
    """The least that the field needs, with these values where they belong."""
    given: dict[str, Any] = {
        name: _least(name, argument.type)
        for name, argument in field.args.items()
        if is_required_argument(argument)
    }
    for slot, value in values.items():
        _put(field, given, slot, value)
    return given


def _put(field: GraphQLField, given: dict[str, Any], slot: Slot, value: str) -> None:
    types: dict[str, Any] = {name: argument.type for name, argument in field.args.items()}
    place: Any = given
    for name in slot.path[:-1]:
        input_type = get_named_type(types[name])
        if not place.get(name):
            least = _least(name, input_type)
            place[name] = [least] if is_list_type(get_nullable_type(types[name])) else least
        place = place[name][0] if isinstance(place[name], list) else place[name]
        types = {member: each.type for member, each in input_type.fields.items()}
    place[slot.path[-1]] = [value] if slot.is_list else value


_WORDS = {"version": "9.0.0", "src": "1", "worker": "bob"}


def _least(name: str, type_: GraphQLInputType) -> Any:
    named = get_named_type(type_)
    if is_input_object_type(named):
        least = {
            member: _least(member, each.type)
            for member, each in named.fields.items()
            if is_required_input_field(each)
        }
        # What the types do not require, and the server does.
        least |= {"dueAt": None} if named.name == "SetStepDueDateInput" else {}
        least |= {"name": "changed"} if named.name == "UpdateWorkflowTemplateInput" else {}
    elif is_enum_type(named):
        least = next(iter(named.values))
    else:
        least = {"Int": 1, "Boolean": True, "ID": "x", "JSONObject": {}}.get(
            named.name, _WORDS.get(name, "x")
        )
    if name in ("from", "first"):
        least = 0
    return [least] if is_non_null_type(type_) and is_list_type(get_nullable_type(type_)) else least


# ---- Documents


def document(keyword: str, name: str, deepest: int = DEEPEST) -> str:
    """An operation on the field with all its arguments, which asks for all of its answer, down to some depth."""
    field = ROOTS[keyword].fields[name]
    declared = ", ".join(f"${each}: {argument.type}" for each, argument in field.args.items())
    passed = ", ".join(f"{each}: ${each}" for each in field.args)
    head = f"{keyword} ({declared}) {{ {name}({passed})" if field.args else f"{keyword} {{ {name}"
    return f"{head} {_selection(get_named_type(field.type), deepest)} }}"


def _selection(type_: Any, deepest: int) -> str:
    if is_leaf_type(type_):
        return ""
    told: dict[str, str] = {}
    if is_abstract_type(type_):
        parts = [
            f"... on {each.name} {{ __typename {_members(each, deepest, told)} }}"
            for each in SCHEMA.get_possible_types(type_)
        ]
        return f"{{ __typename {' '.join(parts)} }}"
    return f"{{ __typename {_members(type_, deepest, told)} }}"


def _members(type_: GraphQLObjectType, deepest: int, told: dict[str, str]) -> str:
    """Fields that need no argument; those of one name must be of one type among the members of a union."""
    members = []
    for name, field in type_.fields.items():
        is_leaf = is_leaf_type(get_named_type(field.type))
        if any(map(is_required_argument, field.args.values())) or name in UNTOLD:
            continue
        if (is_leaf or deepest > 1) and told.setdefault(name, str(field.type)) == str(field.type):
            members.append(f"{name} {_selection(get_named_type(field.type), deepest - 1)}")
    return " ".join(members)


def anonymous(answer: str, given: Belongings) -> str:
    """An answer without what was sent, and what differs from one object to the next of its kind."""
    for number, value in enumerate(given.all):
        answer = answer.replace(value, f"<{number}>")
    return _MOMENT.sub("<moment>", _ID.sub(r"<\1>", answer))
