"""The tables. What cannot be is refused here: a status without its time, two current attempts, a revision twice.

A row is storage, not a domain value (`db/runtime/values.py`) and not an API type (`schema/`). Every row carries its tenant.
"""

from db.tables.executions import StepChild, StepExecution, WorkflowExecution
from db.tables.fields import table_of
from db.tables.history import Idempotency, Journal, JournalEpoch
from db.tables.templates import (
    StepDefinition,
    StepGroup,
    StepTransition,
    WorkflowTemplate,
    WorkflowTemplateVersion,
)

DEFAULT_TENANT = "default"

__all__ = [
    "DEFAULT_TENANT",
    "Idempotency",
    "Journal",
    "JournalEpoch",
    "StepChild",
    "StepDefinition",
    "StepExecution",
    "StepGroup",
    "StepTransition",
    "WorkflowExecution",
    "WorkflowTemplate",
    "WorkflowTemplateVersion",
    "table_of",
]
