"""The keys of a definition and what may stand at each (`runtime.md` 1): the type declarations, as data."""

from db.runtime.definition import StepType
from db.runtime.durations import parse_duration
from db.runtime.expression_syntax import syntax_error
from db.runtime.json_values import json_faults
from db.runtime.schema_documents import schema_error
from db.runtime.sub_workflow import FieldSource, MappingMode, OnParentClose, SubWorkflowMode
from db.runtime.validation.children import BY_KEY, PINNED
from db.runtime.validation.ids import identifier
from db.runtime.validation.issues import IssueCode, Path, Report
from db.runtime.validation.shape import (
    Check,
    JSONSchema,
    Keys,
    any_text,
    anything,
    at_least_one,
    boolean,
    check,
    check_record,
    items,
    label,
    mismatch,
    number,
    optional,
    positive_integer,
    record,
    record_schema,
    required,
    text,
    variants,
)


@check(type="string", description="A JSONata source.")
def source(report: Report, path: Path, value: object) -> None:
    """A JSONata source."""
    if not isinstance(value, str):
        mismatch(report, path, "a JSONata source", value)
    elif error := syntax_error(value):
        report.error(IssueCode.EXPRESSION_SYNTAX, path, error)


@check(type=["object", "boolean"], description="A JSON Schema of 2020-12.")
def schema(report: Report, path: Path, value: object) -> None:
    """A JSON Schema."""
    bound = report.limits.schema_bytes
    if any(fault.is_limit for fault in json_faults(value, max_bytes=bound)):
        message = f"The schema is larger than {bound:,} bytes, or nested too deeply."
        report.error(IssueCode.LIMIT_EXCEEDED, path, message)
    elif error := schema_error(value, max_bytes=bound):
        report.error(IssueCode.SCHEMA_INVALID, path, f"Not a usable JSON Schema: {error}")


def duration(*, months_allowed: bool) -> Check:
    """An ISO 8601 duration."""

    @check(type="string", pattern="^P", description="An ISO 8601 duration such as PT10M.")
    def span(report: Report, path: Path, value: object) -> None:
        if not isinstance(value, str):
            mismatch(report, path, "an ISO 8601 duration", value)
            return
        try:
            parse_duration(value, months_allowed=months_allowed)
        except ValueError as error:
            report.error(IssueCode.DURATION_INVALID, path, f"{error}.")

    return span


def status(*allowed: str) -> Check:
    """A status in the seed's spelling, of which only some may be asked for."""

    @check(enum=list(allowed))
    def one_of(report: Report, path: Path, value: object) -> None:
        if not isinstance(value, str):
            mismatch(report, path, "a status", value)
        elif value not in allowed:
            message = f"The status {value[:100]!r} cannot be asked for here, only {' or '.join(allowed)}."
            report.error(IssueCode.STATUS_NOT_ALLOWED, path, message)

    return one_of


EXPRESSION = record({"type": optional(label("jsonata")), "src": required(source)})
FIELD_REFERENCE = variants(
    "source",
    {
        FieldSource.CONTEXT: {"path": required(text)},
        FieldSource.STEP: {"path": required(text), "stepId": required(text)},
        FieldSource.EACH: {"path": required(text)},
    },
)
VALUE_PROVIDER = variants(
    "type",
    {
        "const": {"value": required(anything)},
        "field": {"ref": required(FIELD_REFERENCE)},
        "expr": {"expr": required(EXPRESSION)},
    },
)
MAPPING = record(
    {
        "id": optional(identifier),
        "targetPath": required(text),
        "value": required(VALUE_PROVIDER),
        "mode": optional(label(*MappingMode)),
    }
)
ITERABLE = variants(
    "type",
    {
        "EXPRESSION": {"expr": required(EXPRESSION)},
        "STEP": {"stepId": required(text), "select": optional(EXPRESSION)},
    },
)
ACTIVATION_POLICY = record(
    {"defaultStatus": optional(status("NotStarted", "Disabled")), "enabledWhen": optional(EXPRESSION)}
)
RETRY = record(
    {
        "maxAttempts": required(positive_integer),
        "backoff": optional(duration(months_allowed=False)),
        "backoffRate": optional(at_least_one),
    }
)
STEP_KEYS: Keys = {
    "id": required(identifier),
    "type": required(label(*StepType)),
    "name": required(text),
    "outputSchema": optional(schema),
    "group": optional(record({"groupId": required(text), "order": required(number)})),
    "activationPolicy": optional(ACTIVATION_POLICY),
    "dueIn": optional(duration(months_allowed=True)),
    "retry": optional(RETRY),
    "ui": optional(anything),
}
# Which child is run, and over what, are rules of their own (`children.py`).
SUB_WORKFLOW_KEYS: Keys = {
    **STEP_KEYS,
    "mode": required(label(*SubWorkflowMode)),
    PINNED: optional(text),
    BY_KEY: optional(text),
    "inputMapping": optional(items(MAPPING)),
    "childWorkflowName": optional(EXPRESSION),
    "iterable": optional(ITERABLE),
    "onParentClose": optional(label(*OnParentClose)),
}
SUB_WORKFLOW_SCHEMA: JSONSchema = {
    **record_schema(SUB_WORKFLOW_KEYS),
    "oneOf": [{"required": [BY_KEY]}, {"required": [PINNED]}],
    "if": {"properties": {"mode": {"const": SubWorkflowMode.BATCH}}},
    "then": {"required": ["iterable"]},
}
# Of a step whose type is not known nothing is known to be out of place.
UNTYPED_STEP_KEYS: Keys = {**{name: optional(anything) for name in SUB_WORKFLOW_KEYS}, **STEP_KEYS}


@check(
    type="object",
    properties={"type": {"enum": list(StepType)}},
    required=["type"],
    **{
        "if": {"properties": {"type": {"const": StepType.SYS_SUB_WORKFLOW}}},
        "then": SUB_WORKFLOW_SCHEMA,
        "else": record_schema(STEP_KEYS),
    },
)
def step(report: Report, path: Path, value: object) -> None:
    """A step, with the keys that its type has."""
    step_type = value.get("type") if isinstance(value, dict) else None
    if step_type == StepType.SYS_SUB_WORKFLOW:
        check_record(report, path, value, SUB_WORKFLOW_KEYS)
    elif isinstance(step_type, str) and step_type in set(StepType):
        check_record(report, path, value, STEP_KEYS)
    else:
        check_record(report, path, value, UNTYPED_STEP_KEYS)


TRANSITION = record(
    {
        "id": required(identifier),
        "fromStepId": required(text),
        "toStepId": required(text),
        "condition": optional(EXPRESSION),
        "isDefault": optional(boolean),
        "label": optional(any_text),
        "onArrival": optional(record({"status": optional(status("InProgress", "Disabled"))})),
        "ui": optional(anything),
    }
)
GROUP = record({"id": required(identifier), "name": required(text), "stepIds": required(items(text))})
DEFINITION = record(
    {
        "id": required(identifier),
        "name": required(text),
        "steps": required(items(step)),
        "stepTransitions": required(items(TRANSITION)),
        "stepGroups": optional(items(GROUP)),
        "contextSchema": optional(schema),
    }
)
