"""ISO 8601 durations: `dueIn` and `backoff` of a definition (`runtime.md` section 1, F2).

The grammar is the standard's without its rarities: `PnYnMnWnDTnHnMnS`, at least one part, a decimal point in
the last part only. The clock is not here: moments come in as values.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import isodate

# isodate also takes signs, commas, fractions anywhere, dates behind a P and a trailing newline.
GRAMMAR = re.compile(
    r"P(?=[0-9T])(?:[0-9]+Y)?(?:[0-9]+M)?(?:[0-9]+(?:\.[0-9]+(?=W\Z))?W)?(?:[0-9]+(?:\.[0-9]+(?=D\Z))?D)?"
    r"(?:T(?=[0-9])(?:[0-9]+(?:\.[0-9]+(?=H\Z))?H)?(?:[0-9]+(?:\.[0-9]+(?=M\Z))?M)?(?:[0-9]+(?:\.[0-9]+)?S)?)?"
)
MAX_LENGTH = 64
MAX_YEARS = 1_000
EXAMPLE = "such as PT10S, P3D or P1Y6M"


@dataclass(frozen=True, slots=True)
class Duration:
    """A positive span: whole calendar months, then a fixed time. `text` is how the definition wrote it."""

    text: str
    months: int
    time: timedelta


def parse_duration(text: str, *, months_allowed: bool = True) -> Duration:
    """The duration that `text` spells. Raises `ValueError` with what is wrong.

    `months_allowed=False` refuses years and months, whose length depends on the calendar (`backoff`). A span
    beyond 1,000 years is refused here, so that one which was accepted can be added to any moment of our time.
    """
    shown = text[:MAX_LENGTH]
    if len(text) > MAX_LENGTH or not GRAMMAR.fullmatch(text):
        raise ValueError(f"{shown!r} is not an ISO 8601 duration, {EXAMPLE}")
    try:
        parsed = isodate.parse_duration(text, as_timedelta_if_possible=False)
    except OverflowError:
        raise _too_long(shown) from None
    months = int(parsed.years) * 12 + int(parsed.months)
    if months and not months_allowed:
        raise ValueError(f"{shown!r} holds years or months, whose length is not fixed")
    if months > MAX_YEARS * 12 or parsed.tdelta > timedelta(days=MAX_YEARS * 366):
        raise _too_long(shown)
    if not months and not parsed.tdelta:
        raise ValueError(f"{shown!r} is no time at all")
    return Duration(text, months, parsed.tdelta)


def _too_long(shown: str) -> ValueError:
    return ValueError(f"{shown!r} is longer than {MAX_YEARS:,} years")


def add(moment: datetime, duration: Duration) -> datetime:
    """The moment `duration` after an aware `moment`, by the UTC calendar.

    Months first (31 January + P1M is the last of February), then the fixed time. Raises `ValueError` for a
    naive moment and for a result beyond the year 9999.
    """
    if moment.tzinfo is None:
        raise ValueError("a duration is added to a moment with a time zone")
    try:
        return _add_months(moment.astimezone(UTC), duration.months) + duration.time
    except (OverflowError, ValueError):
        raise ValueError(f"{moment.isoformat()} and {duration.text} lead beyond the year 9999") from None


def subtract(moment: datetime, duration: Duration) -> datetime:
    """The moment `duration` before an aware `moment`, by the UTC calendar: months first, as `add` does.

    Raises `ValueError` for a result before the year 1.
    """
    try:
        return _add_months(moment.astimezone(UTC), -duration.months) - duration.time
    except (OverflowError, ValueError):
        raise ValueError(f"{duration.text} before {moment.isoformat()} lies before the year 1") from None


def _add_months(moment: datetime, months: int) -> datetime:
    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
