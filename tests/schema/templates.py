"""What templates, versions, changes and payloads answer (`reference.py`)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tests.schema.lists import listed, referring
from tests.schema.rows import Row
from tests.schema.trees import Arguments, Resolver, definition_of, referred

if TYPE_CHECKING:
    from tests.schema.reference import Reference


def _drawn(type_name: str) -> Resolver:
    """What a published version draws."""
    return lambda reference, version, _: reference.all(type_name, "position", version_id=version["id"])


def _arrows(column: str) -> Resolver:
    return lambda reference, step, _: reference.all(
        "WorkflowStepTransition", "position", version_id=step["version_id"], **{column: step["step_id"]}
    )


def _grouped(reference: "Reference", group: Row, _: Arguments) -> list[Row]:
    of_group = {"version_id": group["version_id"], "group_id": group["group_id"]}
    return reference.all("WorkflowStepDefinition", "group_position", **of_group)


def _child_template(reference: "Reference", step: Row, _: Arguments) -> Row | None:
    """By the version that is pinned, or by key."""
    version = reference.one("WorkflowTemplateVersion", id=step["child_version_id"])
    if version is not None:
        return reference.one("WorkflowTemplate", id=version["template_id"])
    return reference.one("WorkflowTemplate", key=step["child_template_key"])


def _changes(reference: "Reference", payload: Row, arguments: Arguments) -> list[Row]:
    changes = reference.all("Change", "revision", root_id=payload["root_id"])
    made = [each for each in changes if payload["since"] < each["revision"] <= payload["revision"]]
    first = arguments.get("first")
    return made[: 100 if first is None else first]


def _cursor(reference: "Reference", change: Row, _: Arguments) -> str:
    return reference.cursor("journal", reference.epoch, change["xid"], change["position"])


TEMPLATES: Mapping[str, Resolver] = {
    "WorkflowTemplate.activeVersion": referred("WorkflowTemplateVersion", "active_version_id"),
    "WorkflowTemplate.versions": listed("versions", referring("WorkflowTemplateVersion", "template_id")),
    "WorkflowTemplateVersion.workflowTemplate": referred("WorkflowTemplate", "template_id"),
    "WorkflowTemplateVersion.steps": _drawn("WorkflowStepDefinition"),
    "WorkflowTemplateVersion.transitions": _drawn("WorkflowStepTransition"),
    "WorkflowTemplateVersion.stepGroups": _drawn("WorkflowStepGroup"),
    "WorkflowTemplateVersion.workflowExecutions": listed(
        "workflowExecutions", referring("WorkflowExecution", "version_id")
    ),
    "WorkflowStepGroup.steps": _grouped,
    "WorkflowStepDefinition.childWorkflowTemplate": _child_template,
    "WorkflowStepDefinition.outgoing": _arrows("from_step_id"),
    "WorkflowStepDefinition.incoming": _arrows("to_step_id"),
    "WorkflowStepTransition.from": definition_of("from_step_id"),
    "WorkflowStepTransition.to": definition_of("to_step_id"),
    "TransitionSuccess.workflowExecution": referred("WorkflowExecution", "execution_id"),
    "TransitionSuccess.step": referred("WorkflowStepExecution", "step_execution_id"),
    "TransitionSuccess.changes": _changes,
    "TransitionSuccess.changeCount": lambda _, payload, __: payload["revision"] - payload["since"],
    "TransitionSuccess.next": lambda _, payload, __: next(iter(payload["claimed"]), None),
    "ClaimedStep.step": referred("WorkflowStepExecution", "claimed_id"),
    "TemplateSuccess.workflowTemplate": referred("WorkflowTemplate", "template_id"),
    "TemplateSuccess.version": referred("WorkflowTemplateVersion", "version_id"),
    "Change.cursor": _cursor,
    "Change.workflowExecution": referred("WorkflowExecution", "execution_id"),
    "Change.step": referred("WorkflowStepExecution", "step_execution_id"),
}
