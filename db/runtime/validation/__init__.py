"""Whether a raw definition may be published: every rule of `runtime.md` section 2, every issue at once.

One module per kind of rule; none of them raises, whatever JSON it is given, and each takes what it can read.
"""

from db.runtime.json_values import is_json, json_faults
from db.runtime.limits import Limits
from db.runtime.validation.children import (
    Catalogue,
    ChildReferences,
    KnownVersion,
    check_children,
    child_references,
)
from db.runtime.validation.graph import check_graph
from db.runtime.validation.grouping import check_grouping
from db.runtime.validation.ids import check_unique
from db.runtime.validation.issues import Issue, IssueCode, Report, Severity
from db.runtime.validation.keys import DEFINITION
from db.runtime.validation.merges import check_merges
from db.runtime.validation.outline import Outline
from db.runtime.validation.policies import check_policies
from db.runtime.validation.shape import JSONSchema
from db.runtime.validation.splits import check_splits

__all__ = [
    "Catalogue",
    "ChildReferences",
    "Issue",
    "IssueCode",
    "KnownVersion",
    "Severity",
    "child_references",
    "definition_schema",
    "oversize_issues",
    "validate_definition",
]

DEFAULT_LIMITS = Limits()


def validate_definition(raw: object, catalogue: Catalogue, limits: Limits = DEFAULT_LIMITS) -> list[Issue]:
    """The issues of a raw definition, in document order; without an error among them it may be published.

    Any JSON value is taken; what is no definition has issues. Costs about the time of reading it once.
    """
    if too_many := oversize_issues(raw, limits):
        return too_many
    report = Report(raw, limits)
    outline = Outline.of(raw)
    _check_json(report)
    DEFINITION(report, (), raw)
    check_unique(report, outline)
    check_graph(report, outline)
    check_splits(report, outline)
    check_merges(report, outline)
    check_policies(report, outline)
    check_grouping(report, outline)
    check_children(report, outline, catalogue)
    return report.issues()


def oversize_issues(raw: object, limits: Limits = DEFAULT_LIMITS) -> list[Issue]:
    """The one issue of a definition with too many steps, of which nothing else is looked at: that would take seconds."""
    steps = raw.get("steps") if isinstance(raw, dict) else None
    bound = limits.steps_per_definition
    report = Report(raw, limits)
    if isinstance(steps, list) and len(steps) > bound:
        message = f"{len(steps):,} steps; at most {bound:,} are allowed."
        report.error(IssueCode.LIMIT_EXCEEDED, ("steps",), message)
    return report.issues()


def definition_schema() -> JSONSchema:
    """What JSON Schema can say of definitions, for editors: it refuses nothing that may be published."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Workflow definition",
        **DEFINITION.schema,
    }


def _check_json(report: Report) -> None:
    """What no database could store, and nesting without measure, as issues."""
    if is_json(report.raw, max_depth=report.limits.json_depth):
        return
    for fault in json_faults(report.raw, max_depth=report.limits.json_depth):
        code = IssueCode.LIMIT_EXCEEDED if fault.is_limit else IssueCode.TYPE_MISMATCH
        report.error(code, fault.parts, f"Not JSON that can be stored: {fault.message}.")
