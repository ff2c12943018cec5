"""The scalar `DateTime`: RFC 3339 with any offset in, UTC with six decimals out."""

from datetime import UTC, datetime

import pytest
from graphql import GraphQLError

from schema.scalars import SCALARS

DATE_TIME = SCALARS[datetime]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-22T06:33:14.554268Z", "2026-11-22T06:33:14.554268Z"),
        ("2026-11-22T06:33:14Z", "2026-11-22T06:33:14.000000Z"),
        ("2026-11-22t06:33:14.5z", "2026-11-22T06:33:14.500000Z"),
        ("2026-11-22T06:33:14.5+05:30", "2026-11-22T01:03:14.500000Z"),
        ("2026-11-22T00:00:00-00:00", "2026-11-22T00:00:00.000000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_a_moment_is_taken_with_any_offset_and_shown_in_utc(text: str, shown: str) -> None:
    assert DATE_TIME.parse_value is not None
    assert DATE_TIME.serialize is not None
    assert DATE_TIME.serialize(DATE_TIME.parse_value(text)) == shown


def test_a_moment_is_utc_inside() -> None:
    assert DATE_TIME.parse_value is not None
    assert DATE_TIME.parse_value("2026-11-22T06:33:14+01:00").tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-22",
        "2026-11-22T06:33:14",
        "2026-11-22 06:33:14Z",
        "2026-11-22T06:33Z",
        "2026-11-22T06:33:14.1234567Z",
        "2026-02-30T00:00:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T06:33:60Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "２026-11-22T06:33:14Z",
        "",
        0,
        1.5,
        True,
        None,
        [],
    ],
)
def test_anything_else_is_refused(value: object) -> None:
    assert DATE_TIME.parse_value is not None
    with pytest.raises(GraphQLError, match=r"A DateTime is expected|There is no such moment"):
        DATE_TIME.parse_value(value)
