"""Payloads as resolvers return them, and the same as the reference has them."""

import json
from random import Random
from typing import Any

from db.ids import IdKind, new_id
from db.runtime.validation import Severity
from schema import results
from schema.explanation import ExpressionRead, StepExplanation
from schema.projection.rows import Rows as Projected
from tests.schema.fabricated import Payload
from tests.schema.reference import Object, Reference

USED: dict[str, Any] = {"message": "used", "key": "k"}
NOT_FOUND: dict[str, Any] = {"message": "none", "id": "x"}
LIMIT: dict[str, Any] = {"message": "much", "limit": "bytes", "actual": 2.5, "maximum": 1.0}


def random_transitions(random: Random, seen: Reference) -> list[Payload]:
    """What commands on executions and steps may answer, with any span of revisions."""
    executions, steps = seen.objects["WorkflowExecution"], seen.objects["WorkflowStepExecution"]
    made = [_transition(random, random.choice(executions), random.choice((None, *steps))) for _ in range(8)]
    return [*made, _conflict(random.choice(executions)), _conflict(random.choice(steps))]


def _transition(random: Random, execution: Object, step: Object | None) -> Payload:
    since = random.choice((0, 1, random.randint(0, 20)))
    values = {
        "root_id": execution["root_id"],
        "execution_id": execution["id"],
        "step_execution_id": step and step["id"],
        "since": since,
        "revision": since + random.choice((0, 1, 5, 20_000, 20_000)),
    }
    return Payload(Projected("TransitionSuccess", values), {"__typename": "TransitionSuccess", **values})


def random_templates(random: Random, seen: Reference) -> list[Payload]:
    """What commands on templates may answer."""
    payloads = []
    for template in random.sample(seen.objects["WorkflowTemplate"], 3):
        version = random.choice((None, *seen.objects["WorkflowTemplateVersion"]))
        values = {"template_id": template["id"], "version_id": version and version["id"]}
        payloads.append(
            Payload(Projected("TemplateSuccess", values), {"__typename": "TemplateSuccess", **values})
        )
    return payloads


def every_refusal(random: Random, seen: Reference) -> list[Payload]:
    """One of each of the expected errors, and of `InvalidTransition` one for each type of node."""
    types = ("WorkflowExecution", "WorkflowStepExecution", "WorkflowTemplate", "WorkflowTemplateVersion")
    return [
        *(_invalid(random.choice(seen.objects[type_name])) for type_name in types),
        Payload(results.IdempotencyConflict(**USED), {"__typename": "IdempotencyConflict", **USED}),
        Payload(results.NotFound(**NOT_FOUND), {"__typename": "NotFound", **NOT_FOUND}),
        Payload(results.LimitExceeded(**LIMIT), {"__typename": "LimitExceeded", **LIMIT}),
        _failed(),
    ]


def _invalid(node: Object) -> Payload:
    told = {"message": "no", "current": "COMPLETED", "wanted": "FAILED", "allowed": ["A", "B"]}
    result = results.InvalidTransition(node=Projected(node["__typename"], {"id": node["id"]}), **told)
    return Payload(result, {"__typename": "InvalidTransition", "node": node, **told})


def _conflict(node: Object) -> Payload:
    result = results.RevisionConflict(
        message="changed",
        expected_revision=1,
        current_revision=2,
        node=Projected(node["__typename"], {"id": node["id"]}),
    )
    expected = {"message": "changed", "expectedRevision": 1, "currentRevision": 2, "node": node}
    return Payload(result, {"__typename": "RevisionConflict", **expected})


def random_explanations(random: Random, seen: Reference) -> tuple[Payload, ...]:
    """What `explainStep` may answer: any list of steps, some of them nowhere or somebody else's, by their ids."""
    return tuple(_explanation(random, seen, count) for count in (0, 1, 3, 6))


def _explanation(random: Random, seen: Reference, count: int) -> Payload:
    steps = random.sample(seen.objects["WorkflowStepExecution"], count)
    ids = [*(step["id"] for step in steps), new_id(IdKind.STEP_EXECUTION)]
    read = {"path": "a.b", "value": {"x": [1, None, "y"]}}
    told = {"summary": "waits", "expression": None}
    result = StepExplanation(
        waiting_for=Projected("WorkflowStepExecution", {"ids": json.dumps(ids)}, is_list=True),
        reads=[ExpressionRead(**read)],
        **told,
    )
    waiting = sorted(steps, key=lambda step: step["id"])
    expected = {"__typename": "StepExplanation", "waitingFor": waiting, "reads": [read], **told}
    return Payload(result, expected)


def _failed() -> Payload:
    told = {"code": "X", "message": "bad", "path": "/a"}
    issue = results.ValidationIssue(severity=Severity.ERROR, step_id="s", transition_id=None, **told)
    expected = {**told, "severity": "ERROR", "stepId": "s", "transitionId": None}
    return Payload(
        results.ValidationFailed(message="bad", issues=[issue, issue]),
        {"__typename": "ValidationFailed", "message": "bad", "issues": [expected, expected]},
    )
