"""Enums of the API: the runtime's own, made known to Strawberry.

A member's name is what the API shows; its value is how the seed and the tables spell it.
"""

import strawberry

from db.runtime.changes import ChangeKind
from db.runtime.definition import StepType
from db.runtime.statuses import ExecutionStatus, StepStatus
from db.runtime.sub_workflow import SubWorkflowMode
from db.runtime.validation import Severity
from db.runtime.values import DisabledBy
from db.runtime.versions import VersionStatus
from schema.describing import describe_values

__all__ = [
    "STATUS_LABELS",
    "ChangeKind",
    "DisabledBy",
    "ExecutionStatus",
    "Severity",
    "StepStatus",
    "StepType",
    "SubWorkflowStepMode",
    "VersionStatus",
]

strawberry.enum(
    ExecutionStatus,
    name="WorkflowRuntimeStatus",
    description="Status of an execution. COMPLETED and CANCELLED are ends; FAILED is one until something is retried.",
)
strawberry.enum(StepStatus, name="WorkflowRuntimeStepStatus", description="Status of one attempt at a step.")
strawberry.enum(StepType, name="WorkflowStepType", description="What a step does, or whom it waits for.")
strawberry.enum(
    VersionStatus,
    name="WorkflowTemplateVersionStatus",
    description="DRAFT is editable, PUBLISHED is frozen and can run, DEPRECATED runs on but is not started any more.",
)
strawberry.enum(DisabledBy, name="DisabledBy", description="What disabled an attempt.")
strawberry.enum(
    SubWorkflowMode, name="SubWorkflowStepMode", description="One child, or one for each item of a batch."
)
strawberry.enum(
    ChangeKind, name="ChangeKind", description="What happened to an execution or to an attempt at a step."
)
strawberry.enum(
    Severity,
    name="IssueSeverity",
    description="An ERROR keeps a version from being published, a WARNING does not.",
)

describe_values(
    ExecutionStatus, StepStatus, StepType, VersionStatus, DisabledBy, SubWorkflowMode, ChangeKind, Severity
)

SubWorkflowStepMode = SubWorkflowMode

# Every stored status with its spelling in the API, for fields that hold the status of either kind.
STATUS_LABELS = {str(status): status.name for status in (*ExecutionStatus, *StepStatus)}
