"""Objects that are built in Python: as resolvers return them, and the same as the reference has them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

from db.commands.outcome import Actor
from db.explaining import explain_step
from db.runtime.validation import Severity
from db.store import Store
from schema import results
from schema.projection.rows import Rows as Projected
from schema.step import Claim
from tests.schema.expressions import EXPRESSIONS
from tests.schema.fabricated import Payload
from tests.schema.reference import Reference
from tests.schema.rows import Row

NOT_FOUND: dict[str, Any] = {"message": "none", "id": "x"}
LIMIT: dict[str, Any] = {"message": "much", "limit": "bytes", "actual": 2.5, "maximum": 1.0}
KEY_USED: dict[str, Any] = {"message": "used", "key": "k"}
CONFLICT: dict[str, Any] = {"message": "changed", "expected_revision": 1, "current_revision": 2}
EXPLAINED = 40


@dataclass(frozen=True, slots=True)
class Payloads:
    """What the root fields answer that are no projections; of two of them only some objects in it are read."""

    reference: Reference
    transitions: list[Payload]
    templates: list[Payload]
    claims: list[Payload]
    explanations: Mapping[str, Row]

    def find(self, field: str, arguments: Mapping[str, Any]) -> Row | None:
        """What the reference answers."""
        match field:
            case "explainStep":
                return self.explanations.get(arguments["id"])
            case "evaluateExpression":
                return self._evaluated(arguments["workflowExecutionId"], arguments["src"])
        payloads = {"transition": self.transitions, "template": self.templates, "claim": self.claims}[field]
        which = arguments["which"]
        return payloads[which].expected if 0 <= which < len(payloads) else None

    def _evaluated(self, execution_id: str, src: str) -> Row | None:
        execution = self.reference.one("WorkflowExecution", id=execution_id)
        if execution is None:
            return None
        value, error = EXPRESSIONS[src](self.reference, execution)
        return {"__typename": "ExpressionResult", "value": value, "error": error}


async def random_payloads(random: Random, store: Store, tenant: str, reference: Reference) -> Payloads:
    """Payloads about what a tenant has."""
    transitions = [
        *_transitions(random, reference),
        *_refusals(random, reference),
        _conflict(random, reference),
        _lost(),
    ]
    templates = [*_templates(random, reference), *_refusals(random, reference)]
    claims = [*(_claims(random, reference, most) for most in (0, 1, 5)), _lost()]
    explanations = {}
    for step in random.sample(reference.objects["WorkflowStepExecution"], EXPLAINED):
        explanations[step["id"]] = await _explanation(store, tenant, reference, step["id"])
    return Payloads(reference, transitions, templates, claims, explanations)


def _transitions(random: Random, seen: Reference) -> list[Payload]:
    """What commands on executions and steps may answer, with any span of revisions."""
    executions, steps = seen.objects["WorkflowExecution"], seen.objects["WorkflowStepExecution"]
    return [
        _transition(random, random.choice(executions), random.choice((None, *steps)), random.choice(steps))
        for _ in range(8)
    ]


def _transition(random: Random, execution: Row, step: Row | None, following: Row) -> Payload:
    since = random.choice((0, 1, random.randint(0, 20)))
    values = {
        "root_id": execution["root_id"],
        "execution_id": execution["id"],
        "step_execution_id": step and step["id"],
        "since": since,
        "revision": since + random.choice((0, 1, 5, 20_000, 20_000)),
    }
    claimed = [_claimed(following)] if random.randrange(2) else []
    expected = {"__typename": "TransitionSuccess", "claimed": claimed, **values}
    told = {**values, "claims": _told(claimed)}
    shown = Projected("TransitionSuccess", told, is_one_of_many=random.choice((True, False)))
    return Payload(shown, expected)


def _claims(random: Random, seen: Reference, most: int) -> Payload:
    """What claiming may answer."""
    claimed = [_claimed(each) for each in random.sample(seen.objects["WorkflowStepExecution"], most)]
    values = {"claims": _told(claimed)}
    return Payload(Projected("ClaimSuccess", values), {"__typename": "ClaimSuccess", "claimed": claimed})


def _claimed(step: Row) -> Row:
    """A step with a claim that is not in its row any more, or with an assignment."""
    ends = "2024-05-01T10:00:00.500000Z" if step["attempt"] % 2 else None
    return {
        "__typename": "ClaimedStep",
        "claimed_id": step["id"],
        "claim_token": f"token of {step['id']}",
        "lease_expires_at": ends,
    }


def _told(claimed: list[Row]) -> str:
    """As `schema/claiming.py` tells of claims."""
    return json.dumps(claimed)


def _lost() -> Payload:
    claim = {"worker": "ann", "claimed_at": datetime(2024, 5, 1, tzinfo=UTC), "lease_expires_at": None}
    told = {"worker": "ann", "claimedAt": "2024-05-01T00:00:00.000000Z", "leaseExpiresAt": None}
    result = results.ClaimLost(message="lost", claim=Claim(**claim))
    return Payload(result, {"__typename": "ClaimLost", "message": "lost", "claim": told})


def _templates(random: Random, seen: Reference) -> list[Payload]:
    """What commands on templates may answer."""
    payloads = []
    for template in random.sample(seen.objects["WorkflowTemplate"], 3):
        version = random.choice((None, *seen.objects["WorkflowTemplateVersion"]))
        values = {"template_id": template["id"], "version_id": version and version["id"]}
        payloads.append(
            Payload(Projected("TemplateSuccess", values), {"__typename": "TemplateSuccess", **values})
        )
    return payloads


def _refusals(random: Random, seen: Reference) -> list[Payload]:
    """One of each of the expected errors, and of `InvalidTransition` one for each type of node."""
    types = ("WorkflowExecution", "WorkflowStepExecution", "WorkflowTemplate", "WorkflowTemplateVersion")
    return [
        *(_invalid(random, random.choice(seen.objects[type_name])) for type_name in types),
        Payload(results.NotFound(**NOT_FOUND), {"__typename": "NotFound", **NOT_FOUND}),
        Payload(results.LimitExceeded(**LIMIT), {"__typename": "LimitExceeded", **LIMIT}),
        Payload(results.IdempotencyConflict(**KEY_USED), {"__typename": "IdempotencyConflict", **KEY_USED}),
        _failed(),
    ]


def _invalid(random: Random, node: Row) -> Payload:
    told = {"message": "no", "current": "COMPLETED", "wanted": "FAILED", "allowed": ["A", "B"]}
    result = results.InvalidTransition(node=_projected(random, node), **told)
    return Payload(result, {"__typename": "InvalidTransition", "node": node, **told})


def _conflict(random: Random, seen: Reference) -> Payload:
    node = random.choice(
        random.choice((seen.objects["WorkflowExecution"], seen.objects["WorkflowStepExecution"]))
    )
    result = results.RevisionConflict(node=_projected(random, node), **CONFLICT)
    return Payload(result, {"__typename": "RevisionConflict", "node": node, **CONFLICT})


def _projected(random: Random, node: Row) -> Any:
    """Alone, or as one of a list of which it happens to be the only one."""
    return Projected(node["__typename"], {"id": node["id"]}, is_one_of_many=random.choice((True, False)))


def _failed() -> Payload:
    told = {"code": "X", "message": "bad", "path": "/a"}
    issue = results.ValidationIssue(severity=Severity.ERROR, step_id="s", transition_id=None, **told)
    expected = {**told, "severity": "ERROR", "stepId": "s", "transitionId": None}
    return Payload(
        results.ValidationFailed(message="bad", issues=[issue, issue]),
        {"__typename": "ValidationFailed", "message": "bad", "issues": [expected, expected]},
    )


async def _explanation(store: Store, tenant: str, reference: Reference, step_id: str) -> Row:
    """Why is the runtime's to say; the steps that it names must come out as any others do."""
    explained = await explain_step(store, Actor(tenant, None), step_id)
    assert explained is not None
    waiting_for = [reference.one("WorkflowStepExecution", id=id_) for id_ in sorted(explained.waiting_for)]
    told = {"summary": explained.summary, "expression": explained.expression, "reads": explained.reads}
    return {"__typename": "StepExplanation", "waitingFor": waiting_for, **told}
