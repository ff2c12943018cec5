"""Who gives a command, and what a committed one says of itself."""

from dataclasses import dataclass
from typing import TypedDict

from db.tables import DEFAULT_TENANT


@dataclass(frozen=True, slots=True)
class Actor:
    """On whose behalf: `subject` stands in the journal, `tenant` in every row."""

    tenant: str = DEFAULT_TENANT
    subject: str | None = None


class ClaimedStep(TypedDict):
    """A step that was handed out, as it is kept and told: the attempt's id, the claim's token, when the lease ends."""

    claimed_id: str
    claim_token: str
    # RFC 3339, UTC; None for an assignment.
    lease_expires_at: str | None


@dataclass(frozen=True, slots=True)
class Committed:
    """A command that changed one tree, from revision `since` (excluded) to `revision` (included)."""

    root_id: str
    execution_id: str
    step_execution_id: str | None
    since: int
    revision: int
    # The steps that it handed out, if it claims any.
    claims: list[ClaimedStep] | None = None


@dataclass(frozen=True, slots=True)
class TemplateChanged:
    """What a command on a template concerned; `version_id` is None where the version is no more."""

    template_id: str
    version_id: str | None
