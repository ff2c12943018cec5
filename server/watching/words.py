"""How a watcher puts things: times, statuses, changes; and text of others, made harmless."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from server.watching.events import JSON

# What moves a cursor or turns text around has no business in a name.
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")

ENDED_AT: Final = {
    "COMPLETED": "completedAt",
    "FAILED": "failedAt",
    "CANCELLED": "cancelledAt",
    "DISABLED": "disabledAt",
}


def one_line(text: str) -> str:
    """Text as it may be written to a terminal: without control characters and line ends."""
    return _UNSEEN.sub(" ", text).strip()


def moment(text: str) -> datetime:
    """A time of the API."""
    return datetime.fromisoformat(text)


def clock(text: str) -> str:
    """A time of the API to the second, UTC, for a line of a log."""
    return moment(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration(time: timedelta) -> str:
    """`7s`, `3m 05s`, `2h 05m`, `3d 04h`; a negative one, where two clocks differ, is none."""
    seconds = max(0, int(time.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return f"{days}d {hours % 24:02}h"
    if hours:
        return f"{hours}h {minutes % 60:02}m"
    return f"{minutes}m {seconds % 60:02}s" if minutes else f"{seconds}s"


def took(row: JSON, now: datetime) -> str | None:
    """How long an execution or an attempt has run, or ran; None where it has not begun."""
    if row["startedAt"] is None:
        return None
    status = row.get("runtimeStatus") or row["status"]
    ended = row[ENDED_AT[status]] if status in ENDED_AT else None
    return duration((moment(ended) if ended else now) - moment(row["startedAt"]))


def status_words(status: str) -> str:
    """`IN_PROGRESS` as people say it."""
    return status.lower().replace("_", " ")


def failure_words(row: JSON) -> str | None:
    """Why an execution or an attempt failed."""
    failure = row["failure"]
    return one_line(f"{failure['code']}: {failure['message']}") if failure else None


def done(execution: JSON) -> tuple[int, int]:
    """How many of its steps are completed, and how many there are."""
    steps = execution["steps"].values()
    return sum(step["status"] == "COMPLETED" for step in steps), len(steps)


def change_words(change: JSON, name: str, step_name: str | None) -> str:
    """A change in one line, without its time."""
    kind = change["kind"].removeprefix("EXECUTION_").removeprefix("STEP_")
    subject = f"{name}: " if step_name is None else f"{name}: {step_name} "
    attempt = change["attempt"] or 1
    parts = [f"{one_line(subject)} {status_words(kind)}"]
    if attempt > 1:
        parts.append(f"(attempt {attempt})")
    because = failure_words(change["data"]) if kind == "FAILED" else change["reason"]
    if because:
        parts.append(f"– {one_line(because)}")
    return " ".join(parts)


def state_words(execution: JSON, revision: int, now: datetime) -> str:
    """How an execution stands, in one line."""
    completed, total = done(execution)
    time = took(execution, now)
    status = status_words(execution["runtimeStatus"])
    standing = f"{status}, {time}" if time else status
    standing += f", {completed} of {total} steps, revision {revision}"
    return f"{one_line(execution['name'])} ({execution['id']}): {standing}"
