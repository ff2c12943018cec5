"""Step groups: what may be in one, and that steps and groups agree (`runtime.md` section 2, GROUPING)."""

from collections.abc import Iterator

from db.runtime.validation.issues import IssueCode, Path, Report
from db.runtime.validation.outline import Entry, Outline, StepEntry


def check_grouping(report: Report, outline: Outline) -> None:
    """Every rule of this module."""
    members = [(group, path, step_id) for group in outline.groups for path, step_id in _listed(group)]
    _not_empty(report, outline)
    _members_exist(report, outline, members)
    _one_group_each(report, members)
    _memberships_agree(report, outline, {(group.id, step_id) for group, _, step_id in members})


def _listed(group: Entry) -> Iterator[tuple[Path, str]]:
    listed = group.raw.get("stepIds")
    for index, step_id in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(step_id, str):
            yield (*group.path, "stepIds", index), step_id


def _not_empty(report: Report, outline: Outline) -> None:
    for group in outline.groups:
        if group.raw.get("stepIds") == []:
            path = (*group.path, "stepIds")
            report.error(IssueCode.STEP_GROUP_CANNOT_BE_EMPTY, path, f"The group {group.id!r} has no steps.")


def _members_exist(report: Report, outline: Outline, members: list[tuple[Entry, Path, str]]) -> None:
    for _, path, step_id in members:
        step = outline.by_id.get(step_id)
        if step is None:
            message = f"There is no step {step_id[:150]!r}."
            report.error(IssueCode.GROUP_STEP_IDS_EXISTS, path, message)
        elif _is_special(step):
            report.error(IssueCode.NO_GROUP_FOR_SPECIAL_NODES, path, _special(step))


def _one_group_each(report: Report, members: list[tuple[Entry, Path, str]]) -> None:
    first: dict[str, Entry] = {}
    for group, path, step_id in members:
        if step_id in first:
            message = f"{step_id!r} is already in the group {first[step_id].id!r}."
            report.error(IssueCode.STEP_BELONGS_TO_ONLY_ONE_GROUP, path, message)
        first.setdefault(step_id, group)


def _memberships_agree(report: Report, outline: Outline, listed: set[tuple[str | None, str]]) -> None:
    """A step that names its group is in that group's list."""
    grouped = {step_id for _, step_id in listed}
    for step in outline.steps:
        if "group" not in step.raw:
            continue
        path = (*step.path, "group")
        if _is_special(step):
            report.error(IssueCode.NO_GROUP_FOR_SPECIAL_NODES, path, _special(step))
            continue
        membership = step.raw["group"]
        group_id = membership.get("groupId") if isinstance(membership, dict) else None
        if isinstance(group_id, str) and step.id is not None and (group_id, step.id) not in listed:
            elsewhere = step.id in grouped
            code = IssueCode.STEP_BELONGS_TO_ONLY_ONE_GROUP if elsewhere else IssueCode.GROUP_STEP_IDS_EXISTS
            where = "another group lists it" if elsewhere else "no group lists it"
            message = f"{step.id!r} names the group {group_id[:150]!r}, but {where}."
            report.error(code, (*path, "groupId"), message)


def _is_special(step: StepEntry) -> bool:
    return step.type is not None and not step.type.waits


def _special(step: StepEntry) -> str:
    return f"{step.id!r} is a {step.type} step: start, end and gateways are in no group."
