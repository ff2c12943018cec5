"""What may stand in a JSON value (`runtime.md` I5, C4) and JSON Pointers (RFC 6901).

Parsing and writing of JSON text live with those who read and write it.
"""

import math
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import orjson

INTEGERS = range(-(2**63), 2**63)

_SURROGATE = re.compile("[\ud800-\udfff]")
_MANY = 16

Part = str | int


class InvalidJSON(ValueError):
    """A value that is not JSON as this house stores it: `pointer` (or `parts`) says where, `message` what is wrong.

    `is_limit` tells a bound that was passed (depth, size) from a value that could never be stored.
    """

    def __init__(self, parts: Iterable[Part], message: str, *, is_limit: bool = False) -> None:
        self.parts = tuple(parts)
        self.pointer = json_pointer(self.parts)
        super().__init__(f"{self.pointer or 'the value'}: {message}")
        self.message = message
        self.is_limit = is_limit


def json_pointer(parts: Iterable[Part]) -> str:
    """The JSON Pointer of a path of keys and indexes; the root's is empty."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def json_size(value: object) -> int:
    """Bytes of `value` as compact UTF-8 JSON. Raises `TypeError` where `check_json` would refuse it."""
    return len(orjson.dumps(value))


def check_json(value: object, *, max_bytes: int | None = None, max_depth: int = 64) -> None:
    """Refuse what both databases could not store alike; raises `InvalidJSON` for the first fault found.

    Depth counts nested objects and arrays, size the bytes of compact UTF-8 JSON. Give `max_bytes` for a value
    that does not come from JSON text: one that holds the same list twice may be small here and endless there.
    """
    if max_bytes is None and _is_sound(value, max_depth):
        return
    for fault in json_faults(value, max_bytes=max_bytes, max_depth=max_depth):
        raise fault


def is_json(value: object, *, max_depth: int = 64) -> bool:
    """Whether `json_faults` finds nothing, told in a tenth of its time."""
    return _is_sound(value, max_depth)


def is_storable(text: str) -> bool:
    """PostgreSQL's text has no NUL, and neither database has lone surrogates."""
    return "\0" not in text and (text.isascii() or not _SURROGATE.search(text))


def json_faults(value: object, *, max_bytes: int | None = None, max_depth: int = 64) -> Iterator[InvalidJSON]:
    """Every fault of `value`, in document order. What is nested too deeply is reported once, not entered."""
    bound = math.inf if max_bytes is None else max_bytes
    sound = True
    least = 0
    parts: list[Part] = []
    pending: list[Iterator[tuple[Part, object]]] = [iter((("", value),))]
    while pending:
        member = next(pending[-1], None)
        if member is None:
            pending.pop()
            continue
        parts[len(pending) - 1 :] = [member[0]]
        item = member[1]
        least += _least_bytes(item)
        if least > bound:
            yield _too_large(max_bytes)
            return
        if not isinstance(item, dict | list):
            faults = [InvalidJSON(parts[1:], text) for text in _scalar_faults(item)]
        elif len(pending) > max_depth:
            text = f"nested more than {max_depth} levels deep"
            faults = [InvalidJSON(parts[1:], text, is_limit=True)]
        else:
            faults = list(_key_faults(item, parts[1:]))
            pending.append(iter(item.items()) if isinstance(item, dict) else iter(enumerate(item)))
        sound = sound and not faults
        yield from faults
    if sound and max_bytes is not None and json_size(value) > max_bytes:
        yield _too_large(max_bytes)


def _is_sound(value: object, levels: int) -> bool:
    """As `is_json`: every request is looked through."""
    if isinstance(value, str):
        return is_storable(value)
    if isinstance(value, dict):
        return levels > 0 and _is_sound_object(value, levels - 1)
    if isinstance(value, list):
        return levels > 0 and _are_sound(value, levels - 1)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and value in INTEGERS)


def _is_sound_object(value: dict[Any, Any], levels: int) -> bool:
    if len(value) >= _MANY:
        are_texts = all(isinstance(key, str) for key in value) and is_storable("".join(value))
        return are_texts and _are_sound(value.values(), levels)
    for key, member in value.items():  # noqa: SIM110 – all() would take half as long again
        if not (isinstance(key, str) and is_storable(key) and _is_sound(member, levels)):
            return False
    return True


def _are_sound(values: Collection[Any], levels: int) -> bool:
    """All of these. Many scalars of one type are looked at together, in a tenth of the time again."""
    types = set(map(type, values)) if len(values) >= _MANY else ()
    if types == {str}:
        return is_storable("".join(values))
    if types == {int}:
        return min(values) in INTEGERS and max(values) in INTEGERS
    if types == {float}:
        return all(map(math.isfinite, values))
    for each in values:  # noqa: SIM110 – all() would take half as long again
        if not _is_sound(each, levels):
            return False
    return True


def _too_large(max_bytes: int | None) -> InvalidJSON:
    return InvalidJSON((), f"larger than {max_bytes} bytes of JSON", is_limit=True)


def _least_bytes(item: object) -> int:
    """At least so many bytes, members apart: stops a hostile value before it is copied."""
    if isinstance(item, str):
        return len(item) + 2
    if isinstance(item, dict):
        return 2 + sum(len(key) + 3 for key in item if isinstance(key, str))
    return 2 if isinstance(item, list) else 1


def _key_faults(item: dict[object, object] | list[object], parts: list[Part]) -> Iterator[InvalidJSON]:
    if isinstance(item, list):
        return
    for key in item:
        if not isinstance(key, str):
            yield InvalidJSON(parts, f"a key is {_type_name(key)}, not a string")
            continue
        for text in _text_faults(key):
            yield InvalidJSON([*parts, key], f"the key {text}")


def _scalar_faults(item: object) -> Iterator[str]:
    if isinstance(item, str):
        yield from _text_faults(item)
    elif isinstance(item, float):
        if not math.isfinite(item):
            yield "not a finite number"
    elif isinstance(item, int):
        if item not in INTEGERS:
            yield "an integer beyond 64 bits"
    elif item is not None:
        yield f"{_type_name(item)} is not JSON"


def _text_faults(text: str) -> Iterator[str]:
    if "\0" in text:
        yield "holds a NUL character"
    if _SURROGATE.search(text):
        yield "holds a lone surrogate"


def _type_name(value: object) -> str:
    return f"a Python {type(value).__name__}"
