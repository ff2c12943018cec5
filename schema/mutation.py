"""Mutation: an index of commands. Each is one transaction, then the doorbell, then the projection of what it did."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import strawberry

from db.commands import execution, step, template, version
from db.commands.claiming import heartbeat_step
from db.commands.outcome import ClaimedStep, Committed, TemplateChanged
from db.runtime.errors import Refusal
from schema import bulk, inputs
from schema.claiming import ClaimRequest, claim, claim_next, claim_rows, lease_seconds
from schema.context import OperationInfo
from schema.describing import describe_inputs
from schema.given import Given
from schema.moved import moved_rows
from schema.projection.arguments import BadUserInput
from schema.projection.rows import Rows
from schema.refusals import refused
from schema.results import BulkResult, ClaimResult, TemplateResult, TransitionResult
from schema.scopes import Scope, ScopeMissing


@strawberry.type(
    description="Commands. What is expected to go wrong is in each result; nothing is ever half done."
)
class Mutation:
    @strawberry.mutation(description="Create a template with its first version.")
    async def create_workflow_template(
        self, info: OperationInfo, input: inputs.CreateWorkflowTemplateInput
    ) -> TemplateResult:
        given = Given(info, input)
        new = template.NewTemplate(**given.present())
        return await _changed(template.create_workflow_template(*given.caller, new, given.guard))

    @strawberry.mutation(description="Rename a template or describe it anew.")
    async def update_workflow_template(
        self, info: OperationInfo, input: inputs.UpdateWorkflowTemplateInput
    ) -> TemplateResult:
        given = Given(info, input)
        return await _changed(
            template.update_workflow_template(*given.caller, given.id, given.fields, given.guard)
        )

    @strawberry.mutation(description="Add a DRAFT version to a template.")
    async def create_workflow_template_version(
        self, info: OperationInfo, input: inputs.CreateWorkflowTemplateVersionInput
    ) -> TemplateResult:
        given = Given(info, input)
        new = version.NewVersion(**given.present())
        return await _changed(version.create_version(*given.caller, new, given.guard))

    @strawberry.mutation(description="Change a version's note or, while it is DRAFT, its definition.")
    async def update_workflow_template_version(
        self, info: OperationInfo, input: inputs.UpdateWorkflowTemplateVersionInput
    ) -> TemplateResult:
        given = Given(info, input)
        return await _changed(version.update_version(*given.caller, given.id, given.fields, given.guard))

    @strawberry.mutation(
        description="Validate a DRAFT and freeze it; refused with every issue that is an error."
    )
    async def publish_workflow_template_version(
        self, info: OperationInfo, input: inputs.WorkflowTemplateVersionInput
    ) -> TemplateResult:
        given = Given(info, input)
        return await _changed(version.publish_version(*given.caller, given.id, given.guard))

    @strawberry.mutation(
        description="Make a PUBLISHED version the one that runs when its template is started by key."
    )
    async def activate_workflow_template_version(
        self, info: OperationInfo, input: inputs.WorkflowTemplateVersionInput
    ) -> TemplateResult:
        given = Given(info, input)
        return await _changed(version.activate_version(*given.caller, given.id, given.guard))

    @strawberry.mutation(description="Let a PUBLISHED version run on but not be started any more.")
    async def deprecate_workflow_template_version(
        self, info: OperationInfo, input: inputs.WorkflowTemplateVersionInput
    ) -> TemplateResult:
        given = Given(info, input)
        return await _changed(version.deprecate_version(*given.caller, given.id, given.guard))

    @strawberry.mutation(
        description="Delete a version that is not active, has no executions and is nobody's child."
    )
    async def delete_workflow_template_version(
        self, info: OperationInfo, input: inputs.WorkflowTemplateVersionInput
    ) -> TemplateResult:
        given = Given(info, input)
        return await _changed(version.delete_version(*given.caller, given.id, given.guard))

    @strawberry.mutation(description="Create an execution and, unless told not to, start it.")
    async def create_workflow_execution(
        self, info: OperationInfo, input: inputs.CreateWorkflowExecutionInput
    ) -> TransitionResult:
        given = Given(info, input)
        present = given.present()
        if ("workflow_template_version_id" in present) is ("workflow_template_key" in present):
            raise BadUserInput("Give exactly one of workflowTemplateVersionId and workflowTemplateKey.")
        new = execution.NewExecution(**present)
        return await _moved(info, execution.create_workflow_execution(*given.caller, new, given.guard))

    @strawberry.mutation(description="Start an execution that was created without being started.")
    async def start_workflow_execution(
        self, info: OperationInfo, input: inputs.WorkflowExecutionInput
    ) -> TransitionResult:
        given = Given(info, input)
        return await _moved(info, execution.start_workflow_execution(*given.caller, given.id, given.guard))

    @strawberry.mutation(
        description="Cancel an execution and what runs below it; steps in progress become DISABLED."
    )
    async def cancel_workflow_execution(
        self, info: OperationInfo, input: inputs.CancelWorkflowExecutionInput
    ) -> TransitionResult:
        given = Given(info, input)
        command = execution.cancel_workflow_execution(*given.caller, given.id, given.reason, given.guard)
        return await _moved(info, command)

    @strawberry.mutation(description="Change an execution's context; policies that read it are read again.")
    async def update_workflow_context(
        self, info: OperationInfo, input: inputs.UpdateWorkflowContextInput
    ) -> TransitionResult:
        given = Given(info, input)
        command = execution.update_workflow_context(
            *given.caller, given.id, given.fields["patch"], given.guard
        )
        return await _moved(info, command)

    @strawberry.mutation(description="Complete a step that waits, and all that follows from it.")
    async def complete_step(self, info: OperationInfo, input: inputs.CompleteStepInput) -> TransitionResult:
        given = Given(info, input)
        fields = given.fields
        request = ClaimRequest.of_next(fields.get("claim_next"))
        output, token = fields.get("output_data"), fields.get("claim_token")
        command = step.complete_step(*given.caller, given.id, output, given.guard, token=token)
        if request is None:
            return await _moved(info, command)
        return await _moved(info, command, partial(claim_next, info.context, request, given.guard.once))

    @strawberry.mutation(
        description="Fail a step that waits; with attempts left the next one starts or is scheduled."
    )
    async def fail_step(self, info: OperationInfo, input: inputs.FailStepInput) -> TransitionResult:
        given = Given(info, input)
        code, message, token = (given.fields.get(name) for name in ("code", "message", "claim_token"))
        command = step.fail_step(*given.caller, given.id, code, message or "", given.guard, token=token)
        return await _moved(info, command)

    @strawberry.mutation(
        description="Claim steps in progress that nobody has, those that have waited longest first; what is taken or has "
        "ended is left out. An empty answer is not kept under an idempotencyKey."
    )
    async def claim_steps(self, info: OperationInfo, input: inputs.ClaimStepsInput) -> ClaimResult:
        given = Given(info, input)
        request = ClaimRequest.of(given.fields)
        try:
            return claim_rows(await claim(info.context, request, given.guard.once))
        except Refusal as refusal:
            return refused(refusal)  # type: ignore[return-value]  # one of the union's

    @strawberry.mutation(
        description="Extend the lease of a claim. Leaves no trace in the journal; an assignment stays one."
    )
    async def heartbeat_step(self, info: OperationInfo, input: inputs.HeartbeatStepInput) -> ClaimResult:
        given = Given(info, input)
        seconds = lease_seconds(given.fields["lease_seconds"])
        try:
            claimed = await heartbeat_step(*given.caller, given.id, given.fields["claim_token"], seconds)
        except Refusal as refusal:
            return refused(refusal)  # type: ignore[return-value]  # one of the union's
        return claim_rows([claimed])

    @strawberry.mutation(
        description="End a claim: by its token, or without one whoever has it (a supervisor)."
    )
    async def release_step(self, info: OperationInfo, input: inputs.ReleaseStepInput) -> TransitionResult:
        given = Given(info, input)
        token = given.fields.get("claim_token")
        if token is None and Scope.WRITE not in info.context.viewer.scopes:
            raise ScopeMissing(f"releaseStep without claimToken needs the scope {Scope.WRITE}.")
        return await _moved(
            info, step.release_step(*given.caller, given.id, token, given.reason, given.guard)
        )

    @strawberry.mutation(
        description="Make a new attempt at a FAILED step; executions that failed because of it are reopened."
    )
    async def retry_step(self, info: OperationInfo, input: inputs.StepInput) -> TransitionResult:
        given = Given(info, input)
        return await _moved(info, step.retry_step(*given.caller, given.id, given.reason, given.guard))

    @strawberry.mutation(description="Take a step out: flow goes through it. A FAILED one is skipped.")
    async def disable_step(self, info: OperationInfo, input: inputs.StepInput) -> TransitionResult:
        given = Given(info, input)
        return await _moved(info, step.disable_step(*given.caller, given.id, given.reason, given.guard))

    @strawberry.mutation(description="Take a DISABLED step in again that flow has not gone through yet.")
    async def enable_step(self, info: OperationInfo, input: inputs.StepInput) -> TransitionResult:
        given = Given(info, input)
        return await _moved(info, step.enable_step(*given.caller, given.id, given.reason, given.guard))

    @strawberry.mutation(
        description="Say when a step is due, or that it is not. A later date than before clears `isOverdue`."
    )
    async def set_step_due_date(
        self, info: OperationInfo, input: inputs.SetStepDueDateInput
    ) -> TransitionResult:
        given = Given(info, input)
        if "due_at" not in given.fields:
            raise BadUserInput("Give dueAt: a moment, or null to take the due date away.")
        due_at = given.fields["due_at"]
        return await _moved(info, step.set_step_due_date(*given.caller, given.id, due_at, given.guard))

    @strawberry.mutation(
        description="`cancelWorkflowExecution` for the oldest executions that a filter matches, one transaction a tree. "
        "A match below one that was cancelled before it is answered with `InvalidTransition`: it went with that one."
    )
    async def cancel_workflow_executions(
        self, info: OperationInfo, input: inputs.CancelWorkflowExecutionsInput
    ) -> BulkResult:
        return await bulk.carry_out(info, bulk.CANCEL, input)

    @strawberry.mutation(
        description="`retryStep` for the steps that a filter matches, those that were started first, one transaction a "
        "tree. A step that fails again matches again: a filter by `failedAt` leaves it out."
    )
    async def retry_steps(self, info: OperationInfo, input: inputs.RetryStepsInput) -> BulkResult:
        return await bulk.carry_out(info, bulk.RETRY, input)


describe_inputs(Mutation)


async def _moved(
    info: OperationInfo,
    command: Awaitable[Committed],
    claim_next: Callable[[Committed], Awaitable[list[ClaimedStep]]] | None = None,
) -> Any:
    """A command on a tree: its transaction, the doorbell, what is claimed after it, and what to project."""
    try:
        committed = await command
    except Refusal as refusal:
        return refused(refusal)
    await info.context.announcer.announce(committed)
    claims = [] if claim_next is None else await claim_next(committed)
    return moved_rows(committed, claims)


async def _changed(command: Awaitable[TemplateChanged]) -> Any:
    """A command on a template."""
    try:
        changed = await command
    except Refusal as refusal:
        return refused(refusal)
    return Rows("TemplateSuccess", {"template_id": changed.template_id, "version_id": changed.version_id})
