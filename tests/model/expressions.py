"""The expressions that the model writes, and what they mean in Python: no JSONata is needed to run it.

`tests/model/test_both_databases.py` runs the same trees over the databases, where JSONata evaluates them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from db.runtime.effects import Evaluated
from db.runtime.expressions import NOTHING, cast_to_boolean

Data = Mapping[str, Any]


class Thrown(Exception):
    """What `$error` does."""


def _member(place: Any, *names: str) -> Any:
    for name in names:
        place = place.get(name, NOTHING) if isinstance(place, dict) else NOTHING
    return place


def _is(value: Any, number: int) -> bool:
    return value is not True and value == number


def _count(value: Any) -> int:
    return len(value) if isinstance(value, list) else int(value is not NOTHING)


def _throw(data: Data, name: str, otherwise: str) -> Any:
    if cast_to_boolean(_member(data["__context__"], name)):
        raise Thrown("boom")
    return _member(data["__context__"], otherwise)


_FORMS: list[tuple[str, Callable[..., Any]]] = [
    (r"__context__\.(\w+)", lambda data, name: _member(data["__context__"], name)),
    (r"__context__\.(\w+) = (\d+)", lambda data, name, n: _is(_member(data["__context__"], name), int(n))),
    (
        r"\$count\(__context__\.(\w+)\) > (\d+)",
        lambda d, name, n: _count(_member(d["__context__"], name)) > int(n),
    ),
    (
        r"__steps__\.(\w+)\.outputData\.(\w+)",
        lambda data, step, name: _member(data["__steps__"], step, "outputData", name),
    ),
    (
        r"__steps__\.(\w+)\.attempt > (\d+)",
        lambda d, step, n: _member(d["__steps__"], step, "attempt") > int(n),
    ),
    (r"\$exists\(__each__\)", lambda data: "__each__" in data),
    (r"__each__", lambda data: data.get("__each__", NOTHING)),
    (r"__each__\.(\w+)", lambda data, name: _member(data.get("__each__"), name)),
    (r"'child of ' & __execution__\.name", lambda data: f"child of {data['__execution__']['name']}"),
    (r"__context__\.(\w+) \? \$error\('boom'\) : __context__\.(\w+)", _throw),
    (r"items", lambda data: data.get("items", NOTHING)),
]
_COMPILED = [(re.compile(pattern), meaning) for pattern, meaning in _FORMS]


def evaluate(src: str, data: Data) -> Evaluated:
    """What a source of these forms comes to; any other is a mistake of the test."""
    for pattern, meaning in _COMPILED:
        match = pattern.fullmatch(src)
        if match:
            try:
                return Evaluated(meaning(data, *match.groups()))
            except Thrown as error:
                return Evaluated(error=str(error))
    raise AssertionError(f"the model knows no expression {src!r}")
