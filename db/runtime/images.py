"""After-images: the visible fields of a row in the API's own names and spelling (`live.md` J2).

Never an output (its row is written once), never a claim token; a context only where it was set.
"""

from datetime import datetime
from typing import Any

from db.runtime.moments import timestamp_text
from db.runtime.values import Execution, Step


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp_text(moment)


def _failure(code: str | None, message: str | None) -> dict[str, Any] | None:
    return None if code is None else {"code": code, "message": message}


def execution_image(execution: Execution) -> dict[str, Any]:
    """An execution's fields as `WorkflowExecution` shows them."""
    return {
        "id": execution.id,
        "name": execution.name,
        "correlationId": execution.correlation_id,
        "parentWorkflowExecutionId": execution.parent_id,
        "childIndex": execution.child_index,
        "workflowTemplateVersionId": execution.version_id,
        "runtimeStatus": execution.runtime_status.name,
        "createdAt": _time(execution.created_at),
        "startedAt": _time(execution.started_at),
        "completedAt": _time(execution.completed_at),
        "failedAt": _time(execution.failed_at),
        "cancelledAt": _time(execution.cancelled_at),
        "lastActivityAt": _time(execution.last_activity_at),
        "failure": _failure(execution.failure_code, execution.failure_message),
        "reason": execution.reason,
        "revision": execution.revision,
    }


def step_image(step: Step) -> dict[str, Any]:
    """An attempt's fields as `WorkflowStepExecution` shows them."""
    return {
        "id": step.id,
        "type": step.type.name,
        "stepId": step.step_id,
        "name": step.name,
        "status": step.status.name,
        "attempt": step.attempt,
        "createdAt": _time(step.created_at),
        "startedAt": _time(step.started_at),
        "completedAt": _time(step.completed_at),
        "failedAt": _time(step.failed_at),
        "disabledAt": _time(step.disabled_at),
        "passedAt": _time(step.passed_at),
        "disabledBy": step.disabled_by.name if step.disabled_by else None,
        "enteredBy": list(step.entered_by),
        "dueAt": _time(step.due_at),
        "isOverdue": step.is_overdue,
        "retryAt": _time(step.retry_at),
        "failure": _failure(step.failure_code, step.failure_message),
        "claim": _claim(step),
        "revision": step.revision,
    }


def _claim(step: Step) -> dict[str, Any] | None:
    """Who works on an attempt, with the lease as this command knows it: heartbeats leave no image (T3)."""
    if step.claim_worker is None:
        return None
    return {
        "worker": step.claim_worker,
        "claimedAt": _time(step.claimed_at),
        "leaseExpiresAt": _time(step.lease_expires_at),
    }


def first_image(step: Step) -> dict[str, Any]:
    """A first attempt as it comes with its execution: NOT_STARTED, attempt 1, made when the execution was."""
    return {"id": step.id, "stepId": step.step_id, "type": step.type.name, "name": step.name}
