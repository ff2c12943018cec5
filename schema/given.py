"""What a mutation was given: its input as plain values, and under what conditions it is to be done (I3–I5)."""

import hashlib
from typing import Any

import orjson
import strawberry
from strawberry.types.base import has_object_definition

from db.commands.guards import Guard, Once
from db.commands.outcome import Actor
from db.store import Store
from schema.context import OperationInfo
from schema.projection.arguments import BadUserInput, bindable

LONGEST_KEY = 200


class Given:
    """An input's fields that were given, with their texts checked. Absent ones are not in `fields`."""

    def __init__(self, info: OperationInfo, input: Any) -> None:
        given = {
            name: bindable(_plain(value))
            for name, value in vars(input).items()
            if value is not strawberry.UNSET
        }
        key, revision = given.pop("idempotency_key", None), given.pop("if_revision", None)
        self.caller: tuple[Store, Actor] = (info.context.store, info.context.actor)
        self.id: str = given.pop("id", "")
        self.fields: dict[str, Any] = given
        once = None if key is None else Once(_checked(key), info.field_name, self._hash(revision))
        self.guard = Guard(revision, once)

    @property
    def reason(self) -> str | None:
        """Why, where it was said."""
        return self.fields.get("reason")

    def present(self) -> dict[str, Any]:
        """The fields that hold something; null is the same as absent."""
        return {name: value for name, value in self.fields.items() if value is not None}

    def _hash(self, revision: int | None) -> str:
        everything = {"id": self.id, "ifRevision": revision, **self.fields}
        return hashlib.sha256(orjson.dumps(everything, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _plain(value: Any) -> Any:
    """An input within an input as the fields that it was given."""
    if not has_object_definition(value):
        return value
    return {name: bindable(given) for name, given in vars(value).items() if given is not strawberry.UNSET}


def _checked(key: str) -> str:
    if not 1 <= len(key) <= LONGEST_KEY:
        raise BadUserInput(f"idempotencyKey has {len(key)} characters; 1 to {LONGEST_KEY} are allowed.")
    return key
