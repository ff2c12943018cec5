"""What each value of an enum means, by the enum's name in the API."""

from collections.abc import Mapping
from typing import Final

VALUES: Final[Mapping[str, Mapping[str, str]]] = {
    "WorkflowRuntimeStatus": {
        "NOT_STARTED": "It was created and waits to be started.",
        "IN_PROGRESS": "It was started, and something in it is going on or waits for somebody.",
        "COMPLETED": "Its `end` step was completed; this is for good.",
        "FAILED": "A step has failed and nothing else can go on; a retry or a skip reopens it.",
        "CANCELLED": "It was cancelled, by itself or with the execution above it; this is for good.",
    },
    "WorkflowRuntimeStepStatus": {
        "NOT_STARTED": "Flow has not arrived at it, or its next attempt waits for its backoff.",
        "IN_PROGRESS": "Flow has arrived, and it waits for a person, a worker or its children.",
        "COMPLETED": "It is done, and flow goes on from it.",
        "DISABLED": "It takes no part: flow goes through it, unless a cancellation disabled it.",
        "FAILED": "This attempt has failed; another one may follow.",
    },
    "WorkflowStepType": {
        "START": "Where every execution begins; the server completes it.",
        "END": "Where every execution ends; the server completes it.",
        "HUMAN_CONFIRM": "Waits for a person who confirms something.",
        "HUMAN_FORM": "Waits for a person who fills in a form.",
        "HUMAN_URL_REDIRECT": "Waits for a person who does something at another address.",
        "HUMAN_DOC_UPLOAD": "Waits for a person who uploads documents.",
        "SYS_TASK": "Waits for a worker, a program that does the step's work.",
        "SYS_SUB_WORKFLOW": "Starts child executions and waits for all of them.",
        "GATEWAY_PARALLEL_SPLIT": "Takes every transition that leaves it.",
        "GATEWAY_PARALLEL_JOIN": "Waits until nothing that is going on can still come to it.",
        "GATEWAY_EXCLUSIVE_SPLIT": "Takes its conditional transition where that is true, else the default one.",
        "GATEWAY_INCLUSIVE_SPLIT": "Takes every conditional transition that is true, and the default one where none is.",
    },
    "WorkflowTemplateVersionStatus": {
        "DRAFT": "It can be edited and not yet be run.",
        "PUBLISHED": "Its definition is frozen, and executions of it can be started.",
        "DEPRECATED": "Its executions run on, and no new one can be started.",
    },
    "DisabledBy": {
        "DEFAULT": "Its definition says that it begins as disabled.",
        "POLICY": "Its `enabledWhen` came to false.",
        "ARRIVAL": "The transition that entered it says so with `onArrival`.",
        "COMMAND": "Somebody disabled or skipped it.",
        "CANCEL": "Its execution was cancelled.",
    },
    "SubWorkflowStepMode": {
        "SINGLE": "One child execution for each attempt.",
        "BATCH": "One child execution for each item of a list.",
    },
    "ChangeKind": {
        "EXECUTION_CREATED": "An execution was created, with the first attempt of every step.",
        "EXECUTION_STARTED": "An execution began to run.",
        "EXECUTION_COMPLETED": "The `end` step of an execution was completed.",
        "EXECUTION_FAILED": "A step of an execution has failed and nothing in it is going on.",
        "EXECUTION_CANCELLED": "An execution was cancelled, by itself or from above.",
        "EXECUTION_REOPENED": "An execution that had failed goes on after a retry or a skip.",
        "CONTEXT_UPDATED": "The context of an execution was changed.",
        "STEP_CREATED": "Another attempt at a step was made.",
        "STEP_ARRIVED": "Flow arrived at a join or at `end`, or went through a disabled step.",
        "STEP_STARTED": "An attempt is in progress from now on.",
        "STEP_COMPLETED": "An attempt was completed with its output.",
        "STEP_FAILED": "An attempt has failed for the reason given.",
        "STEP_DISABLED": "An attempt was taken out of the flow.",
        "STEP_ENABLED": "A disabled attempt takes part again.",
        "STEP_RETRY_SCHEDULED": "When the next attempt starts was set, or taken away by a cancellation.",
        "STEP_OVERDUE": "An attempt was not done when it was due.",
        "STEP_DUE_DATE_SET": "When an attempt is due was changed.",
        "STEP_CLAIMED": "A worker or a person took an attempt on.",
        "STEP_RELEASED": "Who had claimed an attempt gave it back.",
        "STEP_CLAIM_EXPIRED": "The lease of a claim ran out, and the attempt can be claimed again.",
    },
    "SnapshotReason": {
        "START": "The client asked for no place to go on from.",
        "CURSOR_EXPIRED": "The changes after the client's place are no longer kept.",
        "EPOCH_CHANGED": "The database was restored since the client was there.",
    },
    "ListEventKind": {
        "INITIAL": "It was on the page when the subscription began.",
        "ENTER": "It has come onto the page.",
        "UPDATE": "It has changed, or moved on the page.",
        "LEAVE": "It is no longer on the page.",
    },
    "OrderDirection": {
        "ASC": "The smallest, the earliest or the first of the alphabet comes first.",
        "DESC": "The largest, the latest or the last of the alphabet comes first.",
    },
    "WorkflowExecutionOrderField": {
        "CREATED_AT": "When it was created.",
        "STARTED_AT": "When it was started; what was not started yet comes last.",
        "LAST_ACTIVITY_AT": "When a step of it last changed; where none has, it comes last.",
        "COMPLETED_AT": "When its last step was done; what is not completed comes last.",
        "NAME": "The name that people see, by code point.",
    },
    "WorkflowStepExecutionOrderField": {
        "STARTED_AT": "When the attempt began; what has not begun comes last.",
        "DUE_AT": "When it should be done; what is never due comes last.",
    },
    "IssueSeverity": {
        "ERROR": "It keeps a version from being published, or a command from being carried out.",
        "WARNING": "It is worth a look and keeps nothing from happening.",
    },
}
