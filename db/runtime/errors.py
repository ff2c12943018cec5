"""Refusals: what a command answers when it changes nothing (S1). Each is data for the client, none is a crash."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from db.runtime.statuses import Status, allowed_from
from db.runtime.validation import Issue
from db.runtime.values import Step


class Refusal(Exception):  # a refusal is an answer, not an error of the program
    """The command was refused and nothing changed."""

    @property
    def message(self) -> str:
        """One sentence for people: what is wrong and where."""
        return str(self)


@dataclass(eq=False)
class NotFound(Refusal):
    """No such object: malformed, of another type, unknown and another tenant's ids are one answer (I6)."""

    id: str
    what: str = "object with the id"

    def __str__(self) -> str:
        return f"There is no {self.what} {self.id[:100]!r}."


@dataclass(eq=False)
class InvalidTransition(Refusal):
    """The tables of `statuses.py` have no such arrow, or the command does not act on such an object (S7)."""

    node_id: str
    current: str
    wanted: str
    allowed: tuple[str, ...]
    explanation: str

    def __str__(self) -> str:
        return self.explanation

    @classmethod
    def between(cls, node_id: str, subject: str, current: Status, wanted: Status) -> "InvalidTransition":
        """A change of status that the table does not have, in the API's spelling."""
        allowed = tuple(status.name for status in allowed_from(current))
        choice = f"it can become {', '.join(allowed)}" if allowed else "it has ended"
        return cls(
            node_id=node_id,
            current=current.name,
            wanted=wanted.name,
            allowed=allowed,
            explanation=f"{subject} is {current.name} and cannot become {wanted.name}: {choice}.",
        )


@dataclass(eq=False)
class ValidationFailed(Refusal):
    """A definition or a value breaks its rules; every issue is listed."""

    subject: str
    issues: Sequence[Issue]

    def __str__(self) -> str:
        count = len(self.issues)
        return f"{self.subject} is not valid: {count} issue{'' if count == 1 else 's'}."


@dataclass(eq=False)
class RevisionConflict(Refusal):
    """The object has changed since the client read it (I3)."""

    node_id: str
    expected: int
    current: int

    def __str__(self) -> str:
        return f"The object is at revision {self.current}, not at {self.expected}."


class CurrentClaim(NamedTuple):
    """Who works on a step, since when, and until when; None: until it is released."""

    worker: str
    claimed_at: datetime
    lease_expires_at: datetime | None


@dataclass(eq=False)
class ClaimLost(Refusal):
    """The claim is not the client's, or not any more; `claim` is the one that holds now (T3)."""

    claim: CurrentClaim | None

    def __str__(self) -> str:
        if self.claim is None:
            return "The claim has ended: nobody holds this step, or it has ended itself."
        return (
            f"The step is claimed by {self.claim.worker[:100]!r}: only the token of that claim is admitted."
        )

    @classmethod
    def of(cls, step: Step, *, is_held: bool) -> "ClaimLost":
        """A refusal for what an attempt shows of its claim."""
        if not is_held or step.claim_worker is None or step.claimed_at is None:
            return cls(None)
        return cls(CurrentClaim(step.claim_worker, step.claimed_at, step.lease_expires_at))


@dataclass(eq=False)
class IdempotencyConflict(Refusal):
    """The key was used before, for another command or another input (I4)."""

    key: str
    mutation: str

    def __str__(self) -> str:
        return f"The idempotency key {self.key[:100]!r} was used before: for {self.mutation}, or another input of it."


@dataclass(eq=False)
class LimitExceeded(Refusal):
    """A bound of `limits.py` would be passed."""

    limit: str
    actual: float
    maximum: float

    def __str__(self) -> str:
        return f"{self.limit} is {self.actual:g}; at most {self.maximum:g} is allowed."
