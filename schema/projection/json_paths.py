"""Paths into JSON documents: names joined by dots, as both databases are told them."""

import re
from typing import Any

import orjson

from db.runtime.limits import Limits
from schema.projection.arguments import BadUserInput, Values

_PATH = re.compile(r"[\w-]+(\.[\w-]+)*")
# No document nests deeper.
MAX_NAMES = Limits().json_depth
_SHOWN = 100


def check_path(path: str, place: str) -> None:
    """Raises `BadUserInput` for what is no path."""
    if not _PATH.fullmatch(path):
        raise BadUserInput(
            f"{place} is {path[:_SHOWN]!r}; it must be names of letters, digits, '_' and '-', joined by dots."
        )
    if path.count(".") >= MAX_NAMES:
        raise BadUserInput(f"{place} has {path.count('.') + 1} names; at most {MAX_NAMES} are allowed.")


def as_path(given: Values) -> str:
    """The path of a filter in the syntax that SQLite and SQL/JSON share; every name is one of an object's."""
    return "$" + "".join(f'."{name}"' for name in _names(given))


def eq_document(given: Values) -> str:
    """The smallest document that has the value of `eq` at the path."""
    document = given["eq"]
    for name in reversed(_names(given)):
        document = {name: document}
    return _text(document)


def eq_values(given: Values) -> str:
    """The value of `eq`, as an array."""
    return _text([given["eq"]])


def in_values(given: Values) -> str:
    """The values of `in`."""
    return _text(given["in"])


def _names(given: Values) -> list[str]:
    names: list[str] = given["path"].split(".")
    return names


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()
