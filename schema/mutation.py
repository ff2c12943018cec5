"""Mutation: an index of commands. Each is one transaction, then the doorbell, then the projection of what it did."""

from collections.abc import Awaitable
from typing import Any

import strawberry

from db.commands import execution, step, template, version
from db.commands.outcome import Committed, TemplateChanged
from db.runtime.errors import Refusal
from schema import inputs
from schema.context import Context, OperationInfo
from schema.projection.arguments import BadUserInput, bindable
from schema.projection.rows import Rows
from schema.refusals import refused
from schema.results import TemplateResult, TransitionResult


@strawberry.type(
    description="Commands. What is expected to go wrong is in each result; nothing is ever half done."
)
class Mutation:
    @strawberry.mutation(description="Create a template with its first version.")
    async def create_workflow_template(
        self, info: OperationInfo, input: inputs.CreateWorkflowTemplateInput
    ) -> TemplateResult:
        new = template.NewTemplate(**_not_null(input))
        return await _changed(template.create_workflow_template(_store(info), info.context.actor, new))

    @strawberry.mutation(description="Rename a template or describe it anew.")
    async def update_workflow_template(
        self, info: OperationInfo, input: inputs.UpdateWorkflowTemplateInput
    ) -> TemplateResult:
        given = _given(input)
        id_ = given.pop("id")
        return await _changed(template.update_workflow_template(_store(info), info.context.actor, id_, given))

    @strawberry.mutation(description="Add a DRAFT version to a template.")
    async def create_workflow_template_version(
        self, info: OperationInfo, input: inputs.CreateWorkflowTemplateVersionInput
    ) -> TemplateResult:
        new = version.NewVersion(**_not_null(input))
        return await _changed(version.create_version(_store(info), info.context.actor, new))

    @strawberry.mutation(description="Change a version's note or, while it is DRAFT, its definition.")
    async def update_workflow_template_version(
        self, info: OperationInfo, input: inputs.UpdateWorkflowTemplateVersionInput
    ) -> TemplateResult:
        given = _given(input)
        id_ = given.pop("id")
        return await _changed(version.update_version(_store(info), info.context.actor, id_, given))

    @strawberry.mutation(
        description="Validate a DRAFT and freeze it; refused with every issue that is an error."
    )
    async def publish_workflow_template_version(
        self, info: OperationInfo, input: inputs.WorkflowTemplateVersionInput
    ) -> TemplateResult:
        return await _changed(version.publish_version(_store(info), info.context.actor, input.id))

    @strawberry.mutation(
        description="Make a PUBLISHED version the one that runs when its template is started by key."
    )
    async def activate_workflow_template_version(
        self, info: OperationInfo, input: inputs.WorkflowTemplateVersionInput
    ) -> TemplateResult:
        return await _changed(version.activate_version(_store(info), info.context.actor, input.id))

    @strawberry.mutation(description="Let a PUBLISHED version run on but not be started any more.")
    async def deprecate_workflow_template_version(
        self, info: OperationInfo, input: inputs.WorkflowTemplateVersionInput
    ) -> TemplateResult:
        return await _changed(version.deprecate_version(_store(info), info.context.actor, input.id))

    @strawberry.mutation(
        description="Delete a version that is not active, has no executions and is nobody's child."
    )
    async def delete_workflow_template_version(
        self, info: OperationInfo, input: inputs.WorkflowTemplateVersionInput
    ) -> TemplateResult:
        return await _changed(version.delete_version(_store(info), info.context.actor, input.id))

    @strawberry.mutation(description="Create an execution and, unless told not to, start it.")
    async def create_workflow_execution(
        self, info: OperationInfo, input: inputs.CreateWorkflowExecutionInput
    ) -> TransitionResult:
        given = _not_null(input)
        if ("workflow_template_version_id" in given) is ("workflow_template_key" in given):
            raise BadUserInput("Give exactly one of workflowTemplateVersionId and workflowTemplateKey.")
        new = execution.NewExecution(**given)
        return await _moved(info, execution.create_workflow_execution(_store(info), info.context.actor, new))

    @strawberry.mutation(description="Start an execution that was created without being started.")
    async def start_workflow_execution(
        self, info: OperationInfo, input: inputs.WorkflowExecutionInput
    ) -> TransitionResult:
        return await _moved(
            info, execution.start_workflow_execution(_store(info), info.context.actor, input.id)
        )

    @strawberry.mutation(description="Cancel an execution; steps in progress become DISABLED.")
    async def cancel_workflow_execution(
        self, info: OperationInfo, input: inputs.CancelWorkflowExecutionInput
    ) -> TransitionResult:
        given = _given(input)
        command = execution.cancel_workflow_execution(
            _store(info), info.context.actor, given["id"], given.get("reason")
        )
        return await _moved(info, command)

    @strawberry.mutation(description="Complete a step that waits, and all that follows from it.")
    async def complete_step(self, info: OperationInfo, input: inputs.CompleteStepInput) -> TransitionResult:
        given = _given(input)
        command = step.complete_step(_store(info), info.context.actor, given["id"], given.get("output_data"))
        return await _moved(info, command)

    @strawberry.mutation(description="Fail a step that waits.")
    async def fail_step(self, info: OperationInfo, input: inputs.FailStepInput) -> TransitionResult:
        given = _given(input)
        command = step.fail_step(
            _store(info), info.context.actor, given["id"], given.get("code"), given["message"]
        )
        return await _moved(info, command)


def _store(info: OperationInfo) -> Any:
    return info.context.store


def _given(input: Any) -> dict[str, Any]:
    """An input's fields that were given, with their texts checked (I5)."""
    return {name: bindable(value) for name, value in vars(input).items() if value is not strawberry.UNSET}


def _not_null(input: Any) -> dict[str, Any]:
    """An input's fields that hold something; null is the same as absent."""
    return {name: value for name, value in _given(input).items() if value is not None}


async def _moved(info: OperationInfo, command: Awaitable[Committed]) -> Any:
    """A command on a tree: its transaction, the doorbell, and what to project."""
    try:
        committed = await command
    except Refusal as refusal:
        return refused(refusal)
    context: Context = info.context
    await context.announcer.announce(committed)
    return Rows(
        "TransitionSuccess",
        {
            "root_id": committed.root_id,
            "execution_id": committed.execution_id,
            "step_execution_id": committed.step_execution_id,
            "since": committed.since,
            "revision": committed.revision,
        },
    )


async def _changed(command: Awaitable[TemplateChanged]) -> Any:
    """A command on a template."""
    try:
        changed = await command
    except Refusal as refusal:
        return refused(refusal)
    return Rows("TemplateSuccess", {"template_id": changed.template_id, "version_id": changed.version_id})
