"""What the types of a `where` admit and the server does not. What is refused is refused wherever a document has it."""

from collections.abc import Mapping, Sequence
from typing import Any

from schema.projection.arguments import BadUserInput, Given, bindable, place_of
from schema.projection.filters import Compared, Logic, Related, Searched, Where, where_home
from schema.projection.json_paths import check_path

MAX_LEVELS = 3
# A chain of EXISTS takes four times as long to plan with every hop (`docs/decisions/0011`).
MAX_HOPS = 2
# SQLite refuses an expression of more than a thousand terms in a row.
MAX_CONDITIONS = 100
MAX_VALUES = 500

Path = tuple[str | int, ...]


def check_shape(where: Where, given: Given) -> None:
    """Raises `BadUserInput` for a `where` that nests too deep, goes too far or says too much."""
    count = _level(where, given, 0, 0)
    if count > MAX_CONDITIONS:
        raise BadUserInput(f"{given.place} has {count} conditions; at most {MAX_CONDITIONS} are allowed.")


def _level(where: Where, given: Given, levels: int, hops: int) -> int:
    """How many conditions there are."""
    if hops > MAX_HOPS:
        raise BadUserInput(f"{given.place} is more than {MAX_HOPS} relations away.")
    if levels > MAX_LEVELS:
        raise BadUserInput(f"{given.place} nests more than {MAX_LEVELS} levels deep.")
    return sum(_member(where, name, each, levels, hops) for name, each in given.members())


def _member(where: Where, name: str, given: Given, levels: int, hops: int) -> int:
    _, home = where.members[name]
    match home:
        case Logic.NOT:
            return 1 + _level(where, given, levels + 1, hops)
        case Logic():
            return sum(1 + _level(where, item, levels + 1, hops) for item in given.items())
        case Related():
            return 1 + _level(where_home(home.where()), given, levels + 1, hops + 1)
        case Searched():
            return sum(len(list(item.members())) for item in given.items())
        case Compared():
            return len(list(given.members()))
    return 1


def check_values(where: Where, values: Mapping[str, Any], path: Path) -> None:
    """Raises `BadUserInput` for a text that cannot be stored, too many values, or a path that is none."""
    for name, value in values.items():
        if value is not None:
            _check_member(where, name, value, (*path, name))


def _check_member(where: Where, name: str, value: Any, path: Path) -> None:
    _, home = where.members[name]
    match home:
        case Logic.NOT:
            check_values(where, value, path)
        case Logic():
            for index, item in enumerate(value):
                check_values(where, item, (*path, index))
        case Related():
            check_values(where_home(home.where()), value, path)
        case Searched():
            for index, item in enumerate(value):
                _check_search(item, (*path, index))
        case Compared():
            for operator, operand in value.items():
                _check_operand(operand, (*path, operator))


def _check_operand(operand: Any, path: Path) -> None:
    if isinstance(operand, list):
        _check_length(operand, path)
        for index, item in enumerate(operand):
            bindable(item, place_of((*path, index)))
    bindable(operand, place_of(path))


def _check_search(given: Mapping[str, Any], path: Path) -> None:
    check_path(given["path"], place_of((*path, "path")))
    _check_scalar(given.get("eq"), (*path, "eq"))
    listed = given.get("in") or ()
    _check_length(listed, (*path, "in"))
    for index, item in enumerate(listed):
        _check_scalar(item, (*path, "in", index))


def _check_scalar(value: Any, path: Path) -> None:
    if isinstance(value, dict | list):
        kind = "object" if isinstance(value, dict) else "array"
        raise BadUserInput(f"{place_of(path)} is an {kind}; only texts, numbers, booleans and null compare.")


def _check_length(values: Sequence[Any], path: Path) -> None:
    if len(values) > MAX_VALUES:
        raise BadUserInput(f"{place_of(path)} has {len(values)} values; at most {MAX_VALUES} are allowed.")
