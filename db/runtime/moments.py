"""How a moment is written."""

from datetime import UTC, datetime


def timestamp_text(moment: datetime) -> str:
    """RFC 3339, UTC, always six decimals and a `Z`, so that it sorts as text as it sorts in time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")
