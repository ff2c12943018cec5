"""Object constructors: `{"key": value}` and `items{key: value}` (`runtime.md` X3).

The library's own copies each group anew for every item, and puts an undefined item into an empty array of the input.
"""

from dataclasses import dataclass
from typing import Any

from jsonata.jexception import JException
from jsonata.utils import Utils

from db.runtime.expressions.host import Host
from db.runtime.expressions.values import present


@dataclass(slots=True)
class Group:
    """Items that share a key, and which of the constructor's pairs they have it from."""

    pair: int
    items: list[Any]


def group(host: Host, expr: Any, given: Any, environment: Any) -> dict[str, Any]:
    """The object that a constructor makes of its input, its pairs evaluated group by group."""
    is_stream = isinstance(given, Utils.JList) and given.tuple_stream
    items = present(given) if isinstance(given, list) else [given]
    groups: dict[str, Group] = {}
    for item in items or [None]:
        scope = host.create_frame_from_tuple(environment, item) if is_stream else environment
        for index, (key_expr, _) in enumerate(expr.lhs_object):
            key = host.eval(key_expr, item["@"] if is_stream else item, scope)
            if key is not None:
                _add(groups, _checked(key, expr), index, item, expr)
    made = {}
    for key, grouped in groups.items():
        context, scope = _context(host, grouped.items, environment, is_stream)
        value = host.eval(expr.lhs_object[grouped.pair][1], context, scope)
        if value is not None:
            made[key] = value
    host.meter.items(len(made))
    return made


def _checked(key: Any, expr: Any) -> str:
    if isinstance(key, str):
        return key
    # The library would write the whole value into its message.
    shown = (
        key if isinstance(key, bool | int | float) else "an array" if isinstance(key, list) else "an object"
    )
    raise JException("T1003", expr.position, shown)


def _add(groups: dict[str, Group], key: str, pair: int, item: Any, expr: Any) -> None:
    known = groups.setdefault(key, Group(pair, []))
    if known.pair != pair:
        raise JException("D1009", expr.position, key)
    known.items.append(item)


def _context(host: Host, items: list[Any], environment: Any, is_stream: bool) -> tuple[Any, Any]:
    """What a group's value is evaluated over, and in which scope."""
    if not is_stream:
        return _joined(host, items), environment
    names = items[0].keys()
    merged = {name: _joined(host, [item.get(name) for item in items]) for name in names}
    return merged.pop("@"), host.create_frame_from_tuple(environment, merged)


def _joined(host: Host, items: list[Any]) -> Any:
    """One item as it is; several as one array, without those that are nothing."""
    if len(items) == 1:
        return items[0]
    joined = Utils.create_sequence()
    for item in items:
        values = item if isinstance(item, list) else [] if item is None else [item]
        host.meter.grow(len(joined), len(values))
        joined.extend(values)
    return joined
