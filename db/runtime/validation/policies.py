"""Which steps may have policies: activation, arrival, retry (`runtime.md` section 2)."""

from db.runtime.validation.issues import IssueCode, Report
from db.runtime.validation.outline import Outline


def check_policies(report: Report, outline: Outline) -> None:
    """`ACTIVATION_NOT_HERE`, `RETRY_ONLY_ON_TASKS`."""
    for step in outline.steps:
        if step.type is None:
            continue
        if "activationPolicy" in step.raw and not step.type.waits:
            message = (
                f"A {step.type} step cannot be disabled: activation policies belong to human.* and sys.*."
            )
            report.error(IssueCode.ACTIVATION_NOT_HERE, (*step.path, "activationPolicy"), message)
        if "retry" in step.raw and not step.type.is_task:
            message = f"A {step.type} step is not retried by policy: retry belongs to human.* and sys.task."
            report.error(IssueCode.RETRY_ONLY_ON_TASKS, (*step.path, "retry"), message)
    for transition in outline.transitions:
        target = outline.by_id.get(transition.target or "")
        if "onArrival" in transition.raw and target and target.type and not target.type.waits:
            message = f"It arrives at a {target.type} step: onArrival belongs to human.* and sys.*."
            report.error(IssueCode.ACTIVATION_NOT_HERE, (*transition.path, "onArrival"), message)
