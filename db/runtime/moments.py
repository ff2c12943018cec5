"""How a moment is written."""

from datetime import UTC, datetime


def timestamp_text(moment: datetime) -> str:
    """RFC 3339, UTC, always six decimals and a `Z`, so that it sorts as text as it sorts in time."""
    # Always 26 characters before the offset; several times faster than `strftime`, and years keep their zeros.
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"
