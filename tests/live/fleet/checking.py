"""What workers noted against what the database holds: every way in which a step may be lost, doubled or stolen."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from tests.live.fleet.notes import JSON

LATE = ("ClaimLost", "InvalidTransition")


@dataclass
class Truth:
    """What the database holds: the attempts at tasks by their ids, and what the journal tells of them in order."""

    steps: dict[str, JSON]
    journal: list[JSON]

    def told(self) -> dict[str, list[JSON]]:
        """The changes of claims and completions by step."""
        found: dict[str, list[JSON]] = defaultdict(list)
        for row in self.journal:
            if row["step_execution_id"] in self.steps:
                found[row["step_execution_id"]].append(row)
        return found


@dataclass
class Claims:
    """What was noted of each claim, by its token."""

    step: dict[str, str] = field(default_factory=dict)
    worker: dict[str, str] = field(default_factory=dict)
    leases: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[str, str] = field(default_factory=dict)
    doubled: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, notes: list[JSON]) -> "Claims":
        claims = cls()
        for note in notes:
            token = note.get("token", "")
            match note["what"]:
                case "claimed":
                    if token in claims.step:
                        claims.doubled.append(token)
                    claims.step[token], claims.worker[token] = note["step"], note["worker"]
                    claims.leases[token].append(datetime.fromisoformat(note["until"]))
                case "kept":
                    claims.leases[token].append(datetime.fromisoformat(note["until"]))
                case "answered":
                    claims.answers[token] = note["result"]
        return claims


def violations(truth: Truth, notes: list[JSON], expected: int) -> list[str]:
    """Everything that is wrong, in words."""
    claims, told = Claims.of(notes), truth.told()
    found = [f"{len(truth.steps)} steps are there, not {expected}"] * (len(truth.steps) != expected)
    found += [f"two workers were given the token {token}" for token in claims.doubled]
    for id_, step in truth.steps.items():
        found += [f"{id_}: {each}" for each in _of_step(step, told[id_], claims)]
    found += _of_answers(truth, claims)
    return found


def _of_step(step: JSON, told: list[JSON], claims: Claims) -> Iterator[str]:
    kinds = Counter(row["kind"] for row in told)
    if step["status"] != "Completed" or kinds["STEP_COMPLETED"] != 1:
        yield f"it is {step['status']} and was completed {kinds['STEP_COMPLETED']} times"
        return
    yield from _of_turns(told)
    token = step["output_data"]["token"]
    if claims.step.get(token) != step["id"] or claims.worker[token] != step["output_data"]["worker"]:
        yield "its output is of a claim that its worker did not have"
        return
    last = [row for row in told if row["kind"] == "STEP_CLAIMED"][-1]["data"]["claim"]
    given = (last["worker"], datetime.fromisoformat(last["leaseExpiresAt"]))
    if given != (claims.worker[token], claims.leases[token][0]):
        yield f"its output is of {claims.worker[token]}, and {last['worker']} held it"
    if step["completed_at"] >= max(claims.leases[token]):
        yield f"it was completed at {step['completed_at']}, after its lease"


def _of_turns(told: list[JSON]) -> Iterator[str]:
    """A claim begins only where none is, and a completion ends one."""
    is_held = False
    for row in told:
        match row["kind"]:
            case "STEP_CLAIMED":
                if is_held:
                    yield f"it was claimed at revision {row['revision']} while somebody had it"
                is_held = True
            case "STEP_CLAIM_EXPIRED":
                is_held = False
            case "STEP_COMPLETED":
                if not is_held:
                    yield "it was completed by nobody who had it"


def _of_answers(truth: Truth, claims: Claims) -> Iterator[str]:
    """Who was told that the step is done did it, and nobody else."""
    outputs = {id_: step["output_data"] or {} for id_, step in truth.steps.items()}
    for token, result in claims.answers.items():
        id_ = claims.step[token]
        is_his = outputs.get(id_, {}).get("token") == token
        if result == "TransitionSuccess" and not is_his:
            yield f"{id_}: a completion was acknowledged to {claims.worker[token]} and is not there"
        elif result != "TransitionSuccess" and (is_his or result not in LATE):
            yield f"{id_}: {claims.worker[token]} was told {result}"
