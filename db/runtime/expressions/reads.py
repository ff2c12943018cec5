"""What an expression reads of its input, for `explainStep` (`runtime.md` S5).

Read from the source, not while it is evaluated: every path that begins at one of the four variables, up to its first
filter, function or wildcard. So a path counts although a condition went round it, and what is read through a variable
(`($c := __context__; $c.company)`), `$lookup` or a wildcard is not seen beyond where the path ends: `__context__`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from db.runtime.expression_syntax import symbols
from db.runtime.expressions.values import NOTHING

VARIABLES = frozenset({"__context__", "__steps__", "__each__", "__execution__"})
MAX_READS = 50
MAX_VALUE_BYTES = 1 << 10
PLAIN_NAME = re.compile(r"[A-Za-z_]\w*")

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """A path and what stood there: `NOTHING` if it is missing. A value of more than 1 KiB of JSON is the text of its
    first 1 KiB, followed by "…".
    """

    path: str
    value: Any


def reads(paths: Iterable[Path], data: Mapping[str, Any]) -> tuple[Read, ...]:
    """What stands at each path."""
    return tuple(Read(_text(path), _cut(_resolved(data, path))) for path in paths)


def paths_of(tree: Any) -> tuple[Path, ...]:
    """Every path that a parsed source reads, in order of the source, each once, `MAX_READS` at most."""
    found = {
        (symbol.steps[0].position, path)
        for symbol in symbols(tree)
        if symbol.type == "path" and (path := _path(symbol.steps))
    }
    return tuple(dict.fromkeys(path for _, path in sorted(found)))[:MAX_READS]


def _path(steps: list[Any]) -> Path:
    """The names that a path begins with, without `$$`; empty if it begins at none of the four variables."""
    begin = 1 if steps[0].type == "variable" and steps[0].value == "$" else 0
    names = []
    for step in steps[begin:]:
        if step.type != "name":
            break
        names.append(str(step.value))
        if step.stages is not None:
            break
    return tuple(names) if names and names[0] in VARIABLES else ()


def _resolved(value: Any, path: Path) -> Any:
    for name in path:
        value = _member(value, name)
    return value


def _member(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name, NOTHING)
    if not isinstance(value, list):
        return NOTHING
    found: list[Any] = []
    for each in (_member(item, name) for item in value):
        if each is not NOTHING:
            found.extend(each if isinstance(each, list) else [each])
    return found or NOTHING


def _cut(value: Any) -> Any:
    if value is NOTHING or value is None or isinstance(value, bool | int | float):
        return value
    text = orjson.dumps(value)
    if len(text) <= MAX_VALUE_BYTES:
        return value
    return text[: MAX_VALUE_BYTES - 3].decode(errors="ignore") + "…"


def _text(path: Path) -> str:
    return ".".join(name if PLAIN_NAME.fullmatch(name) else f"`{name}`" for name in path)
