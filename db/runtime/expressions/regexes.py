"""What JSONata does with regular expressions, on the linear-time engine of `expression_syntax.py` (`runtime.md` X3)."""

from collections.abc import Iterator
from typing import Any

from jsonata.jsonata import Jsonata

from db.runtime.expressions.meter import CALL, Meter

SPEED = 32
"""So many states of an automaton over so many characters are one unit of work, whatever the engine makes of it."""


def matches(pattern: Any, text: str, meter: Meter) -> Iterator[Any]:
    """Every match in turn. A search goes at most once through the text; the clock is asked between two."""
    meter.charge(len(text) * pattern.programsize // SPEED)
    for match in pattern.finditer(text):
        meter.step(CALL)
        yield match


def groups(match: Any) -> list[str | None]:
    """What the groups of a match hold, null for one that took no part."""
    return list(match.groups())


def apply_regex(pattern: Any, args: list[Any], meter: Meter) -> Any:
    """A regular expression called as a function: the first match, with a function that yields the next."""
    if not args or not isinstance(args[0], str):
        return None
    return _shown(matches(pattern, args[0], meter))


def _shown(found: Iterator[Any]) -> dict[str, Any] | None:
    match = next(found, None)
    if match is None:
        return None
    return {
        "match": match.group(),
        "start": match.start(),
        "end": match.end(),
        "groups": groups(match),
        "next": Jsonata.JLambda(lambda: _shown(found)),
    }
