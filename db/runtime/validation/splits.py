"""Conditions and defaults: which transitions have them (`runtime.md` section 2)."""

from db.runtime.validation.issues import IssueCode, Report
from db.runtime.validation.outline import Edge, Outline, StepEntry


def check_splits(report: Report, outline: Outline) -> None:
    """Every rule of this module."""
    for step in outline.nodes:
        edges = outline.outgoing[str(step.id)]
        if step.is_conditional_split:
            _check_default(report, step, edges)
            _check_conditions(report, edges)
        elif step.type is not None:
            _check_plain(report, step, edges)


def _check_default(report: Report, step: StepEntry, edges: list[Edge]) -> None:
    defaults = sum(edge.transition.is_default for edge in edges)
    if defaults != 1:
        message = f"{step.id!r} must have exactly one default transition; it has {defaults}."
        report.error(IssueCode.CONDITIONAL_SPLIT_SINGLE_DEFAULT, step.path, message)


def _check_conditions(report: Report, edges: list[Edge]) -> None:
    for edge in edges:
        transition = edge.transition
        conditional = "condition" in transition.raw
        if transition.is_default and conditional:
            message = "The default transition is taken when no condition holds, so it has none itself."
            report.error(IssueCode.CONDITIONAL_SPLIT_SINGLE_DEFAULT, (*transition.path, "condition"), message)
        elif not transition.is_default and not conditional:
            message = "A transition out of this split needs a condition, unless it is the default."
            report.error(IssueCode.CONDITION_REQUIRED, transition.path, message)


def _check_plain(report: Report, step: StepEntry, edges: list[Edge]) -> None:
    for edge in edges:
        transition = edge.transition
        if "condition" in transition.raw:
            message = f"{step.id!r} is a {step.type}: only exclusive and inclusive splits have conditions."
            code = IssueCode.ONLY_EXCLUSIVE_INCLUSIVE_STEP_HAVE_CONDITION
            report.error(code, (*transition.path, "condition"), message)
        if transition.is_default:
            message = f"{step.id!r} is a {step.type}: only exclusive and inclusive splits have a default."
            report.error(IssueCode.DEFAULT_ONLY_ON_SPLIT, (*transition.path, "isDefault"), message)
