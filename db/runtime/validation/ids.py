"""Ids: how one may look, and that none stands twice."""

import re
from collections.abc import Sequence

from db.runtime.validation.issues import IssueCode, Path, Report
from db.runtime.validation.outline import Entry, Outline
from db.runtime.validation.shape import check, mismatch

ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@check(type="string", pattern=f"^{ID.pattern}$")
def identifier(report: Report, path: Path, value: object) -> None:
    """An id as journals, logs and expressions can carry it."""
    if not isinstance(value, str):
        mismatch(report, path, "an id", value)
    elif not ID.fullmatch(value):
        rule = "a letter, digit or _, then up to 127 of these, . and -"
        message = f"The id {value[:150]!r} is not allowed: {rule}."
        report.error(IssueCode.ID_INVALID, path, message)


def check_unique(report: Report, outline: Outline) -> None:
    """`STEP_IDS_UNIQUE`, `TRANSITION_IDS_UNIQUE`, `STEP_GROUP_IDS_UNIQUE`."""
    _check_unique(report, IssueCode.STEP_IDS_UNIQUE, outline.steps)
    _check_unique(report, IssueCode.TRANSITION_IDS_UNIQUE, outline.transitions)
    _check_unique(report, IssueCode.STEP_GROUP_IDS_UNIQUE, outline.groups)


def _check_unique(report: Report, code: IssueCode, entries: Sequence[Entry]) -> None:
    first: dict[str, Entry] = {}
    for entry in entries:
        if entry.id is None:
            continue
        holder = first.setdefault(entry.id, entry)
        if holder is not entry:
            collection, index = holder.path
            report.error(code, (*entry.path, "id"), f"{entry.id!r} is also the id of {collection}/{index}.")
