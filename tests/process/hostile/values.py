"""Values that a field must not take, and what the first error says of each.

Each group has one document, so that what differs is the value alone.
"""

from dataclasses import dataclass
from typing import Any

Value = tuple[Any, str]  # what is sent, and a part of the message


@dataclass(frozen=True, slots=True)
class Group:
    """Values for the variable `$v` of one document, all refused with `BAD_USER_INPUT`."""

    document: str
    values: dict[str, Value]


def nested(key: str, innermost: Any, depth: int) -> Any:
    value = innermost
    for _ in range(depth):
        value = {key: value}
    return value


def executions(variable: str, passed: str) -> str:
    return f"query ({variable}) {{ workflowExecutions({passed}) {{ totalCount nodes {{ id }} }} }}"


INTEGERS = Group(
    executions("$v: Int", "first: $v"),
    {
        "a text": ("1", "Int cannot represent non-integer value: '1'"),
        "an empty text": ("", "Int cannot represent"),
        "a fraction": (1.5, "Int cannot represent non-integer value: 1.5"),
        "a small fraction": (5e-324, "Int cannot represent"),
        "true": (True, "Int cannot represent"),
        "a list": ([1], "Int cannot represent"),
        "an object": ({"a": 1}, "Int cannot represent"),
        "31 bits and one": (1 << 31, "non 32-bit"),
        "the least but one": (-(1 << 31) - 1, "non 32-bit"),
        "63 bits": ((1 << 63) - 1, "non 32-bit"),
        "a great float": (1e300, "Int cannot represent"),
        "-1": (-1, "first is -1; it must be from 0 to 500"),
        "501": (501, "first is 501; it must be from 0 to 500"),
        "the least Int": (-(1 << 31), "first is -2147483648"),
    },
)

CURSORS = Group(
    executions("$v: String", "first: 1, after: $v"),
    {
        "a number": (1, "String cannot represent"),
        "an empty text": ("", "cursor"),
        "a letter": ("x", "cursor"),
        "no base64": ("*" * 20, "cursor"),
        "base64 of nothing": ("====", "cursor"),
        "base64 of JSON": ("eyJhIjoxfQ==", "cursor"),
        "base64 of null": ("bnVsbA==", "cursor"),
        "base64 of a pickle": ("gASVEAAAAAAAAACMAm9zlIwGc3lzdGVtlJOULg==", "cursor"),
        "base64 of bytes": ("/////w==", "cursor"),
        "50,000 letters": ("A" * 50_000, "cursor"),
        "an emoji": ("😀", "cursor"),
        "a path": ("../../etc/passwd", "cursor"),
        "SQL": ("' or 1=1 --", "cursor"),
        "a cursor of another list": ("eyJjIjoiMDowOjAifQ", "cursor"),
    },
)

JOURNAL_CURSORS = Group(
    "query ($v: String) { changes(first: 1, after: $v) { edges { cursor } } }",
    {
        "an empty text": ("", "cursor"),
        "a number in a text": ("1", "cursor"),
        "an epoch alone": ("00000000-0000-0000-0000-000000000000", "cursor"),
        "three parts": ("a:b:c", "cursor"),
        "numbers beyond 64 bits": ("x:99999999999999999999:99999999999999999999", "cursor"),
        "50,000 digits": ("9" * 50_000, "cursor"),
        "negative parts": ("x:-1:-1", "cursor"),
        "digits of Arabic": ("x:\u0661:\u0662", "cursor"),
    },
)

FILTERS = Group(
    executions("$v: WorkflowExecutionWhere", "first: 1, where: $v"),
    {
        "a text": ("x", "Expected value of type 'WorkflowExecutionWhere'"),
        "a list": ([[]], "Expected value of type 'WorkflowExecutionWhere'"),
        "an unknown key": ({"nope": {}}, "not to include unknown field 'nope'"),
        "a key of JavaScript": ({"__proto__": {}}, "not to include unknown field '__proto__'"),
        "an unknown operator": ({"name": {"regex": "(a+)+$"}}, "not to include unknown field 'regex'"),
        "a value without an operator": ({"name": "x"}, "Expected value of type 'StringFilter'"),
        "an unknown status": ({"runtimeStatus": {"eq": "NOPE"}}, "does not exist in 'WorkflowRuntimeStatus'"),
        "a status in lower case": ({"runtimeStatus": {"eq": "completed"}}, "WorkflowRuntimeStatus"),
        "a status that is a number": ({"runtimeStatus": {"eq": 1}}, "cannot represent non-string"),
        "a Boolean that is a text": ({"isRoot": "true"}, "Boolean cannot represent"),
        "a Boolean that is a number": ({"isRoot": 1}, "Boolean cannot represent"),
        "an id that is an object": ({"id": {"eq": {}}}, "ID cannot represent"),
        "an id that is true": ({"id": {"eq": True}}, "ID cannot represent"),
        "501 values": ({"name": {"in": ["x"] * 501}}, "500"),
        "101 conditions": ({"and": [{"name": {"eq": "x"}}] * 101}, "100"),
        "4 levels": (nested("not", {"isRoot": True}, 4), "nest"),
        "60 levels": (nested("not", {"isRoot": True}, 60), "nest"),
        "relations of relations": (
            nested("step", {"workflowExecution": {"step": {"attempt": {"eq": 1}}}}, 1),
            "relations",
        ),
        "a path of nothing": ({"context": [{"path": "", "eq": 1}]}, "path"),
        "a path of dots": ({"context": [{"path": "...", "eq": 1}]}, "path"),
        "a path of 65 names": ({"context": [{"path": ".".join("a" * 65), "eq": 1}]}, "path"),
        "a path that is JSONPath": ({"context": [{"path": "$..*", "eq": 1}]}, "path"),
        "a path that is missing": ({"context": [{"eq": 1}]}, "'path'"),
    },
)

MOMENTS = Group(
    executions("$v: DateTime", "first: 1, where: {createdAt: {gt: $v}}"),
    {
        "a number": (0, "DateTime"),
        "true": (True, "DateTime"),
        "an object": ({}, "DateTime"),
        "an empty text": ("", "DateTime"),
        "a word": ("now", "DateTime"),
        "a day": ("2026-01-01", "DateTime"),
        "no zone": ("2026-01-01T00:00:00", "DateTime"),
        "month 13": ("2026-13-01T00:00:00Z", "no such moment as 2026-13-01T00:00:00Z"),
        "30 February": ("2026-02-30T00:00:00Z", "no such moment as 2026-02-30T00:00:00Z"),
        "hour 25": ("2026-01-01T25:00:00Z", "no such moment as 2026-01-01T25:00:00Z"),
        "a zone of 99 hours": ("2026-01-01T00:00:00+99:00", "no such moment as 2026-01-01T00:00:00+99:00"),
        "the year 0": ("0000-01-01T00:00:00Z", "no such moment as 0000-01-01T00:00:00Z"),
        "the year 10000": ("10000-01-01T00:00:00Z", "DateTime"),
        "before the year 1 by its zone": (
            "0001-01-01T00:00:00+23:59",
            "no such moment as 0001-01-01T00:00:00+23:59",
        ),
        "after the year 9999 by its zone": (
            "9999-12-31T23:59:59-23:59",
            "no such moment as 9999-12-31T23:59:59-23:59",
        ),
        "50,000 digits": ("2026-01-01T00:00:00." + "0" * 50_000 + "Z", "DateTime"),
        "digits of Arabic": ("\u0662\u0660\u0662\u0666-01-01T00:00:00Z", "DateTime"),
        "a line break": ("2026-01-01T00:00:00Z\n", "DateTime"),
    },
)

ORDERS = Group(
    executions("$v: [WorkflowExecutionOrder!]", "first: 1, orderBy: $v"),
    {
        "an unknown field": ([{"field": "NOPE", "direction": "ASC"}], "does not exist in"),
        "SQL": ([{"field": "CREATED_AT; drop table journal", "direction": "ASC"}], "does not exist in"),
        "no direction": ([{"field": "CREATED_AT"}], "'direction'"),
        "null in the list": ([None], "not to be None"),
        "a text": ("CREATED_AT", "Expected value of type 'WorkflowExecutionOrder'"),
        "an unknown direction": ([{"field": "CREATED_AT", "direction": "UP"}], "does not exist in"),
    },
)

IDS = Group(
    "query ($v: [ID!]!) { nodes(ids: $v) { id } }",
    {
        "null": (None, "non-null"),
        "null in the list": ([None], "not to be None"),
        "a fraction": ([1.5], "ID cannot represent"),
        "true": ([True], "ID cannot represent"),
        "a list in the list": ([[["x"]]], "ID cannot represent"),
        "501": (["x"] * 501, "500"),
        "1,000": (["x"] * 1_000, "500"),
    },
)

TREES = Group(
    'query ($v: Int) { workflowExecution(id: "x", asOf: $v) { id } }',
    {"a text": ("1", "Int cannot represent"), "33 bits": (1 << 32, "non 32-bit")},
)

EXPRESSIONS = Group(
    'query ($v: String!) { evaluateExpression(workflowExecutionId: "x", src: $v) { __typename } }',
    {"null": (None, "non-null"), "a number": (1, "String cannot represent")},
)

DEFINITIONS = Group(
    "query ($v: JSONObject!) { validateWorkflowDefinition(definition: $v) { code } }",
    {
        "null": (None, "non-null"),
        "a text": ("{}", "A JSON object is expected"),
        "a list": ([], "A JSON object is expected"),
        "a number": (1, "A JSON object is expected"),
    },
)

STARTS = Group(
    "mutation ($v: CreateWorkflowExecutionInput!) { createWorkflowExecution(input: $v) { __typename } }",
    {
        "null": (None, "non-null"),
        "a text": ("x", "Expected value of type"),
        "an unknown key": ({"nope": 1}, "not to include unknown field 'nope'"),
        "no template": ({}, "workflowTemplate"),
        "a template twice": (
            {"workflowTemplateKey": "verify", "workflowTemplateVersionId": "x"},
            "workflowTemplate",
        ),
        "a context that is a list": ({"workflowTemplateKey": "verify", "context": []}, "A JSON object"),
        "a start that is a text": (
            {"workflowTemplateKey": "verify", "start": "yes"},
            "Boolean cannot represent",
        ),
        "an empty idempotencyKey": (
            {"workflowTemplateKey": "verify", "idempotencyKey": ""},
            "idempotencyKey",
        ),
        "an idempotencyKey of 201 characters": (
            {"workflowTemplateKey": "verify", "idempotencyKey": "x" * 201},
            "idempotencyKey",
        ),
    },
)

CLAIMS = Group(
    "mutation ($v: ClaimStepsInput!) { claimSteps(input: $v) { __typename } }",
    {
        "no worker": ({}, "'worker'"),
        "a worker without a name": ({"worker": ""}, "worker"),
        "a worker of 201 characters": ({"worker": "x" * 201}, "worker"),
        "a limit of 0": ({"worker": "x", "limit": 0}, "limit"),
        "a limit of 2 billion": ({"worker": "x", "limit": 2_000_000_000}, "limit"),
        "a lease of 0": ({"worker": "x", "leaseSeconds": 0}, "leaseSeconds"),
        "a lease of -1": ({"worker": "x", "leaseSeconds": -1}, "leaseSeconds"),
        "a lease of 86,401": ({"worker": "x", "leaseSeconds": 86_401}, "leaseSeconds"),
        "a wait of -1": ({"worker": "x", "waitSeconds": -1}, "waitSeconds"),
        "a wait of 2 billion": ({"worker": "x", "waitSeconds": 2_000_000_000}, "waitSeconds"),
        "an unknown type": ({"worker": "x", "types": ["NOPE"]}, "does not exist in"),
        "1,000 ids": ({"worker": "x", "ids": ["x"] * 1_000}, "ids"),
    },
)

MANY = Group(
    "mutation ($v: CancelWorkflowExecutionsInput!) { cancelWorkflowExecutions(input: $v) { __typename } }",
    {
        "no filter": ({}, "'where'"),
        "a filter that is null": ({"where": None}, "where"),
        "a limit of 0": ({"where": {"name": {"eq": "nobody"}}, "limit": 0}, "limit"),
        "a limit of 501": ({"where": {"name": {"eq": "nobody"}}, "limit": 501}, "limit"),
        "a dry run that is a text": (
            {"where": {"name": {"eq": "nobody"}}, "dryRun": "no"},
            "Boolean cannot represent",
        ),
    },
)

DUE_DATES = Group(
    "mutation ($v: SetStepDueDateInput!) { setStepDueDate(input: $v) { __typename } }",
    {
        "a duration": ({"id": "x", "dueAt": "P1D"}, "DateTime"),
        "the year 10000": ({"id": "x", "dueAt": "10000-01-01T00:00:00Z"}, "DateTime"),
        "ifRevision as a text": ({"id": "x", "dueAt": None, "ifRevision": "1"}, "Int cannot represent"),
    },
)

GROUPS: dict[str, Group] = {
    "first": INTEGERS,
    "a cursor": CURSORS,
    "a cursor of the journal": JOURNAL_CURSORS,
    "a filter": FILTERS,
    "a moment": MOMENTS,
    "an order": ORDERS,
    "ids": IDS,
    "a revision": TREES,
    "an expression": EXPRESSIONS,
    "a definition": DEFINITIONS,
    "a new execution": STARTS,
    "a claim": CLAIMS,
    "many": MANY,
    "a due date": DUE_DATES,
}
