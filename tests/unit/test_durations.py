"""ISO 8601 durations and adding them by the UTC calendar (`runtime.md` section 1, F2)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.runtime.durations import Duration, add, parse_duration


@pytest.mark.parametrize(
    ("text", "months", "time"),
    [
        ("P3D", 0, timedelta(days=3)),
        ("PT10S", 0, timedelta(seconds=10)),
        ("PT0.5S", 0, timedelta(milliseconds=500)),
        ("PT1.5H", 0, timedelta(minutes=90)),
        ("P0.5D", 0, timedelta(hours=12)),
        ("P2W", 0, timedelta(weeks=2)),
        ("P1Y6M", 18, timedelta()),
        ("P1M1DT1M", 1, timedelta(days=1, minutes=1)),
        ("P1000Y", 12_000, timedelta()),
    ],
)
def test_a_duration_is_months_and_a_fixed_time(text: str, months: int, time: timedelta) -> None:
    assert parse_duration(text) == Duration(text, months, time)


@pytest.mark.parametrize(
    "text",
    [
        "", "P", "PT", "P1DT", "1D", "P1", "p1d", " P1D", "P1D\n", "P1D ", "-P1D", "+P1D", "P-1D", "P1,5D", "PT1,5S",
        "P1.5Y", "P1.5M", "P1.5DT1H", "P.5D", "PT1.S", "P1H", "P1S", "P1D1Y", "P20200101", "P0003-06-04T12:30:05",
        "P１D", "P1D" * 30, "three days", "P1D/P2D",
    ],
)  # fmt: skip
def test_what_is_no_duration_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="not an ISO 8601 duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["P0D", "PT0S", "P0Y", "P0Y0M0DT0H0M0.0S", "PT0.0000001S"])
def test_no_time_at_all_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no time at all"):
        parse_duration(text)


@pytest.mark.parametrize(
    "text",
    ["P1001Y", "P12001M", "P400000D", "P" + "9" * 50 + "D", "PT" + "9" * 50 + "S", "P" + "9" * 50 + "Y"],
)
def test_more_than_a_thousand_years_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="longer than 1,000 years"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["P1Y", "P1M", "P1M1D"])
def test_a_backoff_holds_no_years_and_months(text: str) -> None:
    with pytest.raises(ValueError, match="years or months"):
        parse_duration(text, months_allowed=False)
    assert parse_duration("P0Y1D", months_allowed=False).time == timedelta(days=1)


@pytest.mark.parametrize(
    ("moment", "text", "expected"),
    [
        ("2023-01-31T10:00:00Z", "P1M", "2023-02-28T10:00:00Z"),
        ("2024-01-31T10:00:00Z", "P1M", "2024-02-29T10:00:00Z"),
        ("2024-02-29T10:00:00Z", "P1Y", "2025-02-28T10:00:00Z"),
        ("2024-11-30T10:00:00Z", "P3M", "2025-02-28T10:00:00Z"),
        ("2024-12-15T10:00:00Z", "P1M", "2025-01-15T10:00:00Z"),
        ("2024-01-31T23:59:59.5Z", "P1M1DT0.5S", "2024-03-02T00:00:00Z"),
        ("2024-03-30T12:00:00Z", "P1D", "2024-03-31T12:00:00Z"),
    ],
)
def test_months_end_with_the_month_and_days_follow_them(moment: str, text: str, expected: str) -> None:
    assert add(datetime.fromisoformat(moment), parse_duration(text)) == datetime.fromisoformat(expected)


def test_the_calendar_is_utc_whatever_the_moments_zone() -> None:
    moment = datetime(2024, 3, 1, 1, tzinfo=timezone(timedelta(hours=2)))  # 29 February in UTC
    result = add(moment, parse_duration("P1Y"))
    assert result == datetime(2025, 2, 28, 23, tzinfo=UTC)
    assert result.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        add(datetime(2024, 1, 1), parse_duration("P1D"))  # naive on purpose


@pytest.mark.parametrize("text", ["P1Y", "P1M", "P1D", "PT1S"])
def test_the_year_9999_is_the_last(text: str) -> None:
    with pytest.raises(ValueError, match="beyond the year 9999"):
        add(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), parse_duration(text))


@given(st.text(alphabet="P0123456789YMWDTHS.,-+: \n", max_size=20), st.datetimes(timezones=st.just(UTC)))
def test_any_text_is_a_duration_or_a_value_error(text: str, moment: datetime) -> None:
    try:
        later = add(moment, parse_duration(text))
    except ValueError:
        return
    assert later > moment
