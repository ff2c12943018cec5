"""Built-in functions on arrays, objects and booleans: see `builtins.py` for why they are not the library's."""

from collections.abc import Iterable
from typing import Any

import orjson
from jsonata.functions import Functions
from jsonata.jexception import JException
from jsonata.utils import Utils

from db.runtime.expressions.host import Host
from db.runtime.expressions.values import NULL, truth


def boolean(host: Host, value: Any) -> bool | None:
    """`$boolean`."""
    return None if value is None else truth(value, host.meter)


def negation(host: Host, value: Any) -> bool | None:
    """`$not`."""
    return None if value is None else not truth(value, host.meter)


def append(host: Host, one: Any, other: Any) -> Any:
    """`$append`."""
    host.meter.items(sum(len(each) if isinstance(each, list) else 1 for each in (one, other)))
    return Functions.append(one, other)


def clone(host: Host, value: Any) -> Any:
    """`$clone`."""
    host.meter.weigh(value)
    return Functions.function_clone(value)


def distinct(host: Host, values: Any) -> Any:
    """`$distinct`: by deep equality."""
    if not isinstance(values, list):
        return values
    host.meter.weigh(values)
    host.meter.charge(8 * len(values))
    kept: dict[bytes, Any] = {}
    for value in values:
        kept.setdefault(_identity(value), value)
    unique = list(kept.values())
    return host.sequence(unique) if isinstance(values, Utils.JList) else unique


def _identity(value: Any) -> bytes:
    """Equal for equal values: 1 and 1.0 too, but not for 1 and true."""
    return orjson.dumps(_normal(value), option=orjson.OPT_SORT_KEYS, default=_unknown)


def _normal(value: Any) -> Any:
    if isinstance(value, list):
        return [_normal(item) for item in value]
    if isinstance(value, dict):
        return {key: _normal(item) for key, item in value.items()}
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _unknown(value: Any) -> Any:
    return None if value is NULL else f"function {id(value)}"


def filter_items(host: Host, values: list[Any] | None, function: Any) -> Any:
    """`$filter`."""
    if values is None:
        return None
    return host.sequence(
        value for index, value in enumerate(values) if _holds(host, function, value, index, values)
    )


def sift(host: Host, members: dict[str, Any] | None, function: Any) -> dict[str, Any] | None:
    """`$sift`."""
    if members is None:
        return None
    kept = {key: value for key, value in members.items() if _holds(host, function, value, key, members)}
    return kept or None


def single(host: Host, values: list[Any] | None, function: Any) -> Any:
    """`$single`."""
    if values is None:
        return None
    found = [
        value
        for index, value in enumerate(values)
        if function is None or _holds(host, function, value, index, values)
    ]
    if len(found) != 1:
        raise JException("D3138" if found else "D3139", -1)
    return found[0]


def _holds(host: Host, function: Any, value: Any, place: Any, whole: Any) -> bool:
    arguments = Functions.hof_func_args(function, value, place, whole)
    return truth(Functions.func_apply(function, arguments), host.meter)


def keys(host: Host, value: Any) -> Any:
    """`$keys`."""
    return host.sequence(dict.fromkeys(key for each in _objects(host, value) for key in each))


def lookup(host: Host, value: Any, key: str) -> Any:
    """`$lookup`."""
    return host.find(value, key)


def merge(host: Host, objects: list[Any] | None) -> dict[str, Any] | None:
    """`$merge`."""
    if objects is None:
        return None
    host.meter.charge(sum(map(len, objects)))
    return {key: value for each in objects for key, value in each.items()}


def spread(host: Host, value: Any) -> Any:
    """`$spread`: what is no object is left as it is."""
    if not isinstance(value, dict | list):
        return value
    spread_out: list[Any] = host.sequence(())
    for each in _leaves(host, value):
        pairs = [{key: item} for key, item in each.items()] if isinstance(each, dict) else [each]
        host.extend(spread_out, pairs)
    return spread_out


def sort(host: Host, values: list[Any] | None, comparator: Any) -> Any:
    """`$sort`; without a comparator only texts or only numbers (D3070)."""
    if values is None:
        return None
    host.meter.charge(len(values) * max(len(values).bit_length(), 1))
    if comparator is None and not _is_sortable(values):
        raise JException("D3070", -1)
    return Functions.sort(values, comparator)


def _is_sortable(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values) or all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )


def zip_arrays(host: Host, *values: Any) -> list[Any]:
    """`$zip`."""
    if any(value is None for value in values):
        return []
    host.meter.items(len(values) * min(map(len, values), default=0))
    return [list(row) for row in zip(*values, strict=False)]


def _objects(host: Host, value: Any) -> Iterable[dict[str, Any]]:
    return (each for each in _leaves(host, value) if isinstance(each, dict))


def _leaves(host: Host, value: Any) -> Iterable[Any]:
    """What is no array in an array of arrays, in order."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, list | dict):
            host.meter.container(item)
        if isinstance(item, list):
            pending.extend(reversed(item))
        else:
            yield item
