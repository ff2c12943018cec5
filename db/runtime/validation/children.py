"""Sub-workflow steps: which child is run, whether it exists, whether it leads back here (`runtime.md` 2)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from db.runtime.definition import StepType
from db.runtime.paths import reachable, reversed_graph
from db.runtime.sub_workflow import SubWorkflowMode
from db.runtime.validation.issues import IssueCode, Report
from db.runtime.validation.outline import Outline, StepEntry

PINNED = "childWorkflowTemplateVersionId"
BY_KEY = "childWorkflowTemplateKey"


@dataclass(frozen=True, slots=True)
class ChildReferences:
    """The children that a definition names: versions it pins, and templates whose active version it runs."""

    version_ids: frozenset[str] = frozenset()
    template_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """A template version as the database has it, and what children it names in turn."""

    is_published: bool
    template_key: str
    children: ChildReferences = ChildReferences()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the caller knows of other templates: whatever the definition names, and what that names in turn.

    `versions` by id; `active_versions` by template key: the id of the active version, or None. A version or
    key that is missing does not exist. `template_key` is the key of the template that the definition is for.
    """

    versions: Mapping[str, KnownVersion] = field(default_factory=dict)
    active_versions: Mapping[str, str | None] = field(default_factory=dict)
    template_key: str | None = None


def child_references(raw: object) -> ChildReferences:
    """The children that any JSON value names, as far as it is a definition."""
    version_ids, template_keys = set(), set()
    for step in _sub_workflows(Outline.of(raw)):
        version_ids.add(step.text(PINNED))
        template_keys.add(step.text(BY_KEY))
    return ChildReferences(
        frozenset(each for each in version_ids if each), frozenset(each for each in template_keys if each)
    )


def check_children(report: Report, outline: Outline, catalogue: Catalogue) -> None:
    """Every rule of this module."""
    recursion = Recursion(catalogue)
    for step in _sub_workflows(outline):
        _check_keys(report, step)
        version_id, key = step.text(PINNED), step.text(BY_KEY)
        if version_id:
            _check_pinned(report, step, version_id, catalogue, recursion)
        if key:
            _check_by_key(report, step, key, catalogue, recursion)
    _check_step_references(report, outline)


def _sub_workflows(outline: Outline) -> Iterator[StepEntry]:
    return (step for step in outline.steps if step.type is StepType.SYS_SUB_WORKFLOW)


def _check_keys(report: Report, step: StepEntry) -> None:
    named = (PINNED in step.raw) + (BY_KEY in step.raw)
    if named != 1:
        there = "there are both" if named else "there is none"
        message = f"Exactly one of {PINNED} and {BY_KEY} is needed; {there}."
        report.error(IssueCode.TYPE_MISMATCH, step.path, message)
    if step.raw.get("mode") == SubWorkflowMode.BATCH and "iterable" not in step.raw:
        message = "A BATCH runs one child per item, so it needs an iterable."
        report.error(IssueCode.MISSING_BATCH_ITERATOR, step.path, message)


def _check_pinned(
    report: Report, step: StepEntry, version_id: str, catalogue: Catalogue, recursion: "Recursion"
) -> None:
    path = (*step.path, PINNED)
    version = catalogue.versions.get(version_id)
    if version is None or not version.is_published:
        wrong = "does not exist" if version is None else "is not published"
        report.error(IssueCode.CHILD_VERSION_EXISTS, path, f"The version {version_id[:150]!r} {wrong}.")
    elif version_id in recursion.by_pins:
        message = f"By pinned children {version_id!r} runs the template {catalogue.template_key!r} again."
        report.error(IssueCode.CHILD_RECURSION, path, message)
    elif version_id in recursion.as_active_now:
        report.warning(IssueCode.CHILD_RECURSION, path, recursion.message(version_id))


def _check_by_key(
    report: Report, step: StepEntry, key: str, catalogue: Catalogue, recursion: "Recursion"
) -> None:
    path = (*step.path, BY_KEY)
    if key == catalogue.template_key:
        report.warning(IssueCode.CHILD_RECURSION, path, recursion.message(key))
    elif key not in catalogue.active_versions:
        report.error(
            IssueCode.CHILD_VERSION_EXISTS, path, f"There is no template with the key {key[:150]!r}."
        )
    elif (active := catalogue.active_versions[key]) is None:
        message = f"The template {key!r} has no active version yet; the step fails as long as it has none."
        report.warning(IssueCode.CHILD_VERSION_EXISTS, path, message)
    elif active in recursion.as_active_now:
        report.warning(IssueCode.CHILD_RECURSION, path, recursion.message(key))


class Recursion:
    """The known versions that come back to the definition's own template: by pins, or by keys as of now."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._template_key = catalogue.template_key
        own = {
            version_id
            for version_id, version in catalogue.versions.items()
            if version.template_key == catalogue.template_key
        }
        pins = {
            version_id: list(each.children.version_ids) for version_id, each in catalogue.versions.items()
        }
        self.by_pins = reachable(own, reversed_graph(pins))
        names_own = {
            version_id
            for version_id, each in catalogue.versions.items()
            if catalogue.template_key in each.children.template_keys
        }
        everything = {
            version_id: [*pins[version_id], *_active(each.children, catalogue)]
            for version_id, each in catalogue.versions.items()
        }
        self.as_active_now = reachable(own | names_own, reversed_graph(everything))

    def message(self, child: str) -> str:
        return f"As versions are active now, {child!r} runs the template {self._template_key!r} again."


def _active(children: ChildReferences, catalogue: Catalogue) -> Iterator[str]:
    for key in children.template_keys:
        active = catalogue.active_versions.get(key)
        if active is not None:
            yield active


def _check_step_references(report: Report, outline: Outline) -> None:
    """Values and items that come from a step name one of this definition."""
    for step in _sub_workflows(outline):
        iterable = step.raw.get("iterable")
        named = [((*step.path, "iterable", "stepId"), iterable)]
        mappings = step.raw.get("inputMapping")
        for index, mapping in enumerate(mappings if isinstance(mappings, list) else ()):
            ref = _member(_member(mapping, "value"), "ref")
            named.append(((*step.path, "inputMapping", index, "value", "ref", "stepId"), ref))
        for path, holder in named:
            step_id = _member(holder, "stepId")
            if isinstance(step_id, str) and step_id and step_id not in outline.by_id:
                report.error(IssueCode.TYPE_MISMATCH, path, f"There is no step {step_id[:150]!r}.")


def _member(value: object, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None
