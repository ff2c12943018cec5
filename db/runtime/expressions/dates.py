"""`$now`, `$millis`, `$toMillis`, `$fromMillis` and pictures of numbers and dates (`runtime.md` X3, X5).

The library makes a regular expression of the standard engine from a picture, its literals unescaped, pads to whatever
width a picture asks for, and takes what a date leaves open from the clock. Here a picture is first matched in linear
time and its parts handed over one by one, and what is left open is the command's date.
"""

import re
from datetime import UTC, datetime
from typing import Any

from jsonata.datetimeutils import DateTimeUtils
from jsonata.functions import Functions
from jsonata.jexception import JException
from jsonata.regex_engine import RegexFlags

from db.runtime.expression_syntax import SourceRefusedError, linear_regex
from db.runtime.expressions.host import Host
from db.runtime.expressions.meter import LimitPassed

MAX_PICTURE = 128
MAX_INPUT = 256
LARGEST = 10**15
MARKER = re.compile(r"\[\[|\[([^\]]*)\]")
WIDTH = re.compile(r"(\*|[0-9]{1,2})(-(\*|[0-9]{1,2}))?")
SEPARATOR = "\x1f"
"""Between parts of a date: no part can match it."""


def now(host: Host, picture: Any, timezone: Any) -> str | None:
    """`$now`: the command's time (X5)."""
    return from_millis(host, host.timestamp, picture, timezone)


def millis(host: Host) -> int:
    """`$millis`: the command's time (X5)."""
    return host.timestamp


def from_millis(host: Host, value: Any, picture: Any, timezone: Any) -> str | None:
    """`$fromMillis`."""
    _check(picture)
    _check_text(timezone)
    return Functions.datetime_from_millis(value, picture, timezone)  # type: ignore[no-any-return]  # untyped


def to_millis(host: Host, text: Any, picture: Any) -> int | None:
    """`$toMillis`; of a picture without a year, month or day they are the command's, in UTC."""
    _check_text(text)
    if picture is None or text is None:
        return Functions.datetime_to_millis(text, picture)  # type: ignore[no-any-return]  # untyped
    _check(picture)
    parts = _parts(text, picture)
    if parts is None:
        return None
    today = datetime.fromtimestamp(host.timestamp / 1000, UTC)
    parts = _left_open(today, {"".join(marker.split())[1] for marker, _ in parts}) + parts
    texts, markers = SEPARATOR.join(part for _, part in parts), SEPARATOR.join(marker for marker, _ in parts)
    return DateTimeUtils.parse_datetime(texts, markers)  # type: ignore[no-any-return]  # untyped


def format_integer(host: Host, value: Any, picture: Any) -> str | None:
    """`$formatInteger`. In words and roman digits a number is as long as it is large."""
    _check_length(picture)
    if value is not None and abs(value) >= LARGEST:
        raise LimitPassed("a number to write out is too large")
    return Functions.format_integer(value, picture)  # type: ignore[no-any-return]  # untyped


def parse_integer(host: Host, text: Any, picture: Any) -> int | None:
    """`$parseInteger`."""
    _check_text(text)
    _check_length(picture)
    return Functions.parse_integer(text, picture)  # type: ignore[no-any-return]  # untyped


def format_number(host: Host, value: Any, picture: Any, options: Any) -> str | None:
    """`$formatNumber`. Options are one character each: the library puts them into regular expressions as they are."""
    _check_length(picture)
    for name, option in (options or {}).items():
        longest = MAX_PICTURE if name in {"infinity", "NaN"} else 1
        if not isinstance(option, str) or not 0 < len(option) <= longest:
            raise JException("D3080", -1)
    return Functions.format_number(value, picture, options)  # type: ignore[no-any-return]  # untyped


def _parts(text: str, picture: str) -> list[tuple[str, str]] | None:
    """Each marker of a picture with the part of the text that is its own, or None if the text does not fit."""
    spec = DateTimeUtils._generate_regex(DateTimeUtils._analyse_datetime_picture(picture))
    is_literal = [type(part) is DateTimeUtils.MatcherPart for part in spec.parts]
    regexes = [
        re.escape(part.regex) if literal else part.regex
        for part, literal in zip(spec.parts, is_literal, strict=True)
    ]
    pattern = "^" + "".join(f"({regex})" for regex in regexes) + "$"
    try:
        found = linear_regex(pattern, RegexFlags(case_insensitive=True)).search(text)
    except SourceRefusedError as error:
        raise JException("D3136", -1) from error
    if found is None:
        return None
    own = [part for part, literal in zip(found.groups(), is_literal, strict=True) if not literal]
    markers = [match[0] for match in MARKER.finditer(picture) if match[0] != "[["]
    return list(zip(markers, own, strict=True))


def _left_open(today: datetime, given: set[str]) -> list[tuple[str, str]]:
    """What stands before the first part of a date that is given."""
    year, month, day = (
        ("[Y0001]", f"{today.year:04}"),
        ("[M01]", f"{today.month:02}"),
        ("[D01]", f"{today.day:02}"),
    )
    if given & {"Y", "X", "W", "w", "x"}:
        return []
    if given & {"M", "d"}:
        return [year]
    return [year, month] if "D" in given else [year, month, day]


def _check(picture: Any) -> None:
    """A picture of a date."""
    _check_length(picture)
    for marker in MARKER.finditer(picture or ""):
        _, comma, width = "".join((marker[1] or "").split()).rpartition(",")
        if comma and not WIDTH.fullmatch(width):
            raise LimitPassed("a width in a picture is no number below 100")


def _check_length(picture: Any) -> None:
    if isinstance(picture, str) and len(picture) > MAX_PICTURE:
        raise LimitPassed(f"a picture is longer than {MAX_PICTURE} characters")


def _check_text(text: Any) -> None:
    if isinstance(text, str) and len(text) > MAX_INPUT:
        raise LimitPassed(f"a text to parse is longer than {MAX_INPUT} characters")
