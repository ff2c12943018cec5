"""What mutations take."""

from datetime import datetime
from typing import Any

import strawberry

from schema.enums import StepType
from schema.filters import WorkflowExecutionWhere, WorkflowStepExecutionWhere
from schema.scalars import JSONObject


def _idempotency_key() -> Any:
    return strawberry.field(
        description="Done once under this key for 24 hours; a repeat answers with the first outcome.",
        default=strawberry.UNSET,
    )


def _if_revision() -> Any:
    return strawberry.field(
        description="Only if the object that `id` names is at this revision.", default=strawberry.UNSET
    )


def _limit() -> Any:
    return strawberry.field(description="How many matches at most, 1 to 500, the oldest first.", default=100)


def _dry_run() -> Any:
    return strawberry.field(
        description="Only count the matches; nothing is done, and the key is neither read nor kept.",
        default=False,
    )


def _reason() -> Any:
    return strawberry.field(description="Why, for people and the journal.", default=strawberry.UNSET)


def _key_of_many() -> Any:
    return strawberry.field(
        description="Done once under this key for 24 hours: a repeat does nothing and answers with what the first call "
        "has carried out as far as it came, and with what remains now. A call that carried out nothing is not kept.",
        default=strawberry.UNSET,
    )


def _claim_token() -> Any:
    return strawberry.field(
        description="The claim's token, which is needed while a claim holds the step.",
        default=strawberry.UNSET,
    )


@strawberry.input(description="A new template with its first version.")
class CreateWorkflowTemplateInput:
    name: str = strawberry.field(description="The name that people see, 1 to 200 characters.")
    key: str | None = strawberry.field(
        description="Unique slug (`a-z`, `0-9`, `-`); made from the name where absent.",
        default=strawberry.UNSET,
    )
    description: str | None = strawberry.field(description="What it is for.", default=strawberry.UNSET)
    version: str | None = strawberry.field(
        description="Semantic version of the first version; `1.0.0` where absent.", default=strawberry.UNSET
    )
    definition: JSONObject | None = strawberry.field(
        description="The workflow definition; start → end where absent.", default=strawberry.UNSET
    )
    publish: bool | None = strawberry.field(
        description="Publish the version at once; nothing is created where it is not valid.", default=False
    )
    activate: bool | None = strawberry.field(
        description="Make it the version that runs when the template is started by key; needs publish.",
        default=False,
    )
    idempotency_key: str | None = _idempotency_key()


@strawberry.input(description="What to change of a template; what is absent stays.")
class UpdateWorkflowTemplateInput:
    id: strawberry.ID = strawberry.field(description="The template's id.")
    name: str | None = strawberry.field(description="The name that people see.", default=strawberry.UNSET)
    description: str | None = strawberry.field(
        description="What it is for; null takes it away.", default=strawberry.UNSET
    )
    idempotency_key: str | None = _idempotency_key()


@strawberry.input(description="A new DRAFT version of a template.")
class CreateWorkflowTemplateVersionInput:
    workflow_template_id: strawberry.ID = strawberry.field(description="The template's id.")
    version: str = strawberry.field(description="Semantic version, unique in its template.")
    version_note: str | None = strawberry.field(description="What is new in it.", default=strawberry.UNSET)
    definition: JSONObject = strawberry.field(
        description="The workflow definition; checked when it is published."
    )
    idempotency_key: str | None = _idempotency_key()


@strawberry.input(
    description="What to change of a version; what is absent stays. A definition changes only while DRAFT."
)
class UpdateWorkflowTemplateVersionInput:
    id: strawberry.ID = strawberry.field(description="The version's id.")
    version_note: str | None = strawberry.field(
        description="What is new in it; null takes it away.", default=strawberry.UNSET
    )
    definition: JSONObject | None = strawberry.field(
        description="The workflow definition.", default=strawberry.UNSET
    )
    idempotency_key: str | None = _idempotency_key()


@strawberry.input(description="A version that a command is about.")
class WorkflowTemplateVersionInput:
    id: strawberry.ID = strawberry.field(description="The version's id.")
    idempotency_key: str | None = _idempotency_key()


@strawberry.input(
    description="What to run: exactly one of workflowTemplateVersionId and workflowTemplateKey (its active version)."
)
class CreateWorkflowExecutionInput:
    workflow_template_version_id: strawberry.ID | None = strawberry.field(
        description="A PUBLISHED version.", default=strawberry.UNSET
    )
    workflow_template_key: str | None = strawberry.field(
        description="A template, whose active version is run.", default=strawberry.UNSET
    )
    name: str | None = strawberry.field(
        description="The name that people see; the template's where absent.", default=strawberry.UNSET
    )
    correlation_id: str | None = strawberry.field(
        description="For tracing across systems; the execution's own id where absent.",
        default=strawberry.UNSET,
    )
    context: JSONObject | None = strawberry.field(
        description="Its data, at most 1 MiB, checked against the definition's `contextSchema`; `{}` where absent.",
        default=strawberry.UNSET,
    )
    start: bool | None = strawberry.field(description="Start it at once.", default=True)
    idempotency_key: str | None = _idempotency_key()


@strawberry.input(description="An execution that a command is about.")
class WorkflowExecutionInput:
    id: strawberry.ID = strawberry.field(description="The execution's id.")
    if_revision: int | None = _if_revision()
    idempotency_key: str | None = _idempotency_key()


@strawberry.input(description="An execution to cancel.")
class CancelWorkflowExecutionInput:
    id: strawberry.ID = strawberry.field(description="The execution's id.")
    reason: str | None = strawberry.field(
        description="Why, for people and the journal.", default=strawberry.UNSET
    )
    if_revision: int | None = _if_revision()
    idempotency_key: str | None = _idempotency_key()


@strawberry.input(
    description="Which steps to claim, for whom, and for how long. Each filter that is given must hold."
)
class ClaimStepsInput:
    worker: str = strawberry.field(
        description="Who will work on them, 1 to 200 characters; shown to everybody."
    )
    ids: list[strawberry.ID] | None = strawberry.field(
        description="Only these step executions, at most 500; what is taken or has ended is left out.",
        default=strawberry.UNSET,
    )
    types: list[StepType] | None = strawberry.field(
        description="Only steps of these types; `human.*` and `sys.task` can be claimed.",
        default=strawberry.UNSET,
    )
    step_ids: list[str] | None = strawberry.field(
        description="Only steps with these ids in their definitions, at most 500.", default=strawberry.UNSET
    )
    workflow_template_keys: list[str] | None = strawberry.field(
        description="Only steps of these templates, whatever their versions; at most 500.",
        default=strawberry.UNSET,
    )
    limit: int | None = strawberry.field(description="How many at most, 1 to 100.", default=1)
    lease_seconds: int | None = strawberry.field(
        description="How long the claim holds unless it is extended, 1 to 86,400 s; null: an assignment, which holds until "
        "it is released.",
        default=60,
    )
    wait_seconds: int | None = strawberry.field(
        description="How long to wait for a step where none can be claimed, 0 to 30 s.", default=0
    )
    idempotency_key: str | None = _idempotency_key()


@strawberry.input(description="A claim to extend.")
class HeartbeatStepInput:
    id: strawberry.ID = strawberry.field(description="The step execution's id.")
    claim_token: str = strawberry.field(description="The claim's token.")
    lease_seconds: int | None = strawberry.field(
        description="How long it holds from now on, 1 to 86,400 s; never less long than it does already.",
        default=60,
    )


@strawberry.input(description="A claim to end.")
class ReleaseStepInput:
    id: strawberry.ID = strawberry.field(description="The step execution's id.")
    claim_token: str | None = strawberry.field(
        description="The claim's token; without one whoever has the step loses it (a supervisor).",
        default=strawberry.UNSET,
    )
    reason: str | None = strawberry.field(
        description="Why, for people and the journal.", default=strawberry.UNSET
    )
    idempotency_key: str | None = _idempotency_key()


@strawberry.input(description="A step that is done.")
class CompleteStepInput:
    id: strawberry.ID = strawberry.field(description="The step execution's id.")
    output_data: JSONObject | None = strawberry.field(
        description="Its result, at most 1 MiB, checked against `outputSchema`; `{}` where absent.",
        default=strawberry.UNSET,
    )
    claim_token: str | None = _claim_token()
    claim_next: ClaimStepsInput | None = strawberry.field(
        description="Claim another step once this one is done: `limit` is 1, a lease is needed, and there is no "
        "`idempotencyKey` of its own. If that fails this step is done nevertheless.",
        default=strawberry.UNSET,
    )
    if_revision: int | None = _if_revision()
    idempotency_key: str | None = _idempotency_key()


@strawberry.input(description="A step that failed.")
class FailStepInput:
    id: strawberry.ID = strawberry.field(description="The step execution's id.")
    code: str | None = strawberry.field(
        description="For programs; `FAILED` where absent.", default=strawberry.UNSET
    )
    message: str = strawberry.field(description="What went wrong, for people.")
    claim_token: str | None = _claim_token()
    if_revision: int | None = _if_revision()
    idempotency_key: str | None = _idempotency_key()


@strawberry.input(description="A merge patch (RFC 7396) for an execution's context.")
class UpdateWorkflowContextInput:
    id: strawberry.ID = strawberry.field(description="The execution's id.")
    patch: JSONObject = strawberry.field(description="Objects are merged, null removes, all else replaces.")
    if_revision: int | None = _if_revision()
    idempotency_key: str | None = _idempotency_key()


@strawberry.input(description="A step that a command is about, by its current attempt.")
class StepInput:
    id: strawberry.ID = strawberry.field(description="The step execution's id.")
    reason: str | None = strawberry.field(
        description="Why, for people and the journal.", default=strawberry.UNSET
    )
    if_revision: int | None = _if_revision()
    idempotency_key: str | None = _idempotency_key()


@strawberry.input(description="Executions to cancel.")
class CancelWorkflowExecutionsInput:
    where: WorkflowExecutionWhere = strawberry.field(
        description="Which of those that are IN_PROGRESS, roots and children alike; all of them where it is empty."
    )
    reason: str | None = _reason()
    limit: int | None = _limit()
    dry_run: bool | None = _dry_run()
    idempotency_key: str | None = _key_of_many()


@strawberry.input(description="Steps to retry.")
class RetryStepsInput:
    where: WorkflowStepExecutionWhere = strawberry.field(
        description="Which of those that can be retried: current attempts that are FAILED, scheduled ones too, where no "
        "execution from theirs up to the root is COMPLETED or CANCELLED and each of these is waited for by the step above "
        "it. All of them where it is empty."
    )
    reason: str | None = _reason()
    limit: int | None = _limit()
    dry_run: bool | None = _dry_run()
    idempotency_key: str | None = _key_of_many()


@strawberry.input(description="When a step is due.")
class SetStepDueDateInput:
    id: strawberry.ID = strawberry.field(description="The step execution's id.")
    due_at: datetime | None = strawberry.field(
        description="When it should be done; null takes the due date away. It has to be given.",
        default=strawberry.UNSET,
    )
    if_revision: int | None = _if_revision()
    idempotency_key: str | None = _idempotency_key()
