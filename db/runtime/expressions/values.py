"""What an expression yields: JSON or nothing (`runtime.md` X1, X5), and how the library's own values become that.

Inside the library `None` is *nothing* and `Utils.NULL_VALUE` null. The input is handed over as it is, with `None` for
null: a list's items and an object's values are turned where they leave it (`present`), never the whole input.
"""

from enum import Enum
from typing import Any, Final

from jsonata.functions import Functions
from jsonata.utils import Utils

from db.runtime.expressions.meter import LimitPassed, Meter
from db.runtime.json_values import INTEGERS

NULL = Utils.NULL_VALUE


class Nothing(Enum):
    """JSONata's *nothing*: what a missing path yields. Not null."""

    NOTHING = "nothing"

    def __bool__(self) -> bool:
        return False


NOTHING: Final = Nothing.NOTHING


class NotJSON(ValueError):
    """A result that holds what JSON does not have."""


def cast_to_boolean(value: Any) -> bool:
    """A result as a condition, by JSONata's rule (X1): nothing, null, `false`, 0, `""`, an empty object and an array
    without a true member are false.
    """
    if isinstance(value, list):
        return any(cast_to_boolean(item) for item in value)
    return bool(value)


def as_items(value: Any) -> list[Any]:
    """A result as a batch's items: a scalar or an object is one item; nothing and null are none (X1)."""
    if value is NOTHING or value is None:
        return []
    return value if isinstance(value, list) else [value]


def as_list(value: Any) -> list[Any]:
    """A library's value as the items that JSONata goes over: nothing is none."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def is_function(value: Any) -> bool:
    """Whether JSONata calls a library's value a function; a regular expression is one."""
    if value is None or isinstance(value, str | int | float | dict | list) or value is NULL:
        return False
    return bool(Utils.is_function(value) or Functions.is_lambda(value) or Functions.is_regex(value))


def present(container: Any) -> Any:
    """A list or an object with its nulls in the library's spelling; another value as it is."""
    if isinstance(container, list):
        return [NULL if item is None else item for item in container] if None in container else container
    if isinstance(container, dict) and None in container.values():
        return {key: NULL if value is None else value for key, value in container.items()}
    return container


def truth(value: Any, meter: Meter) -> bool:
    """A library's value as a boolean, by the rule of `cast_to_boolean`; a function is false."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            meter.container(item)
            pending.extend(item)
        elif item is not NULL and bool(item) and not is_function(item):
            return True
    return False


def equal(left: Any, right: Any, meter: Meter) -> bool:
    """Deep equality; `true` is not 1. The library's own takes exponential time for values that share parts."""
    pending = [(left, right)]
    while pending:
        one, other = pending.pop()
        meter.charge(1)
        if isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            meter.container(one)
            pending.extend(zip(one, other, strict=True))
        elif isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return False
            meter.container(one)
            pending.extend((value, other[key]) for key, value in one.items())
        elif not _same_scalar(one, other):
            return False
    return True


def _same_scalar(one: Any, other: Any) -> bool:
    if one is None or one is NULL:
        return other is None or other is NULL
    return bool(isinstance(one, bool) == isinstance(other, bool) and one == other)


def plain(value: Any, meter: Meter, max_depth: int) -> Any:
    """A library's value as JSON of its own: it shares nothing with the input that could be changed through it.

    Raises `NotJSON` for a function (X5), `LimitPassed` for what is nested too deeply or takes too much work.
    """
    if value is None:
        return NOTHING
    return _plain(value, meter, max_depth)


def _plain(value: Any, meter: Meter, levels: int) -> Any:
    if isinstance(value, str | float):
        return value
    if isinstance(value, int):
        # What the library calculates is a double; it makes an integer of 1e300 too.
        return value if value in INTEGERS or isinstance(value, bool) else float(value)
    if value is None or value is NULL:
        return None
    if not isinstance(value, dict | list):
        raise NotJSON("it yields a function, or a value that holds one; give the function its arguments")
    if levels == 0:
        raise LimitPassed("a value is nested too deeply")
    meter.container(value)
    if isinstance(value, dict):
        return {key: _plain(item, meter, levels - 1) for key, item in value.items()}
    return [_plain(item, meter, levels - 1) for item in value]
