"""Claims as clients ask for them: numbers and lists within their bounds, and waiting for work (`runtime.md` T3)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from db.commands.candidates import Wanted
from db.commands.claiming import Claiming, claim_steps
from db.commands.guards import Once
from db.commands.outcome import ClaimedStep, Committed
from db.runtime.claims import ClaimTerms
from db.session import Unavailable
from schema.context import Context
from schema.projection.arguments import MAX_PAGE, BadUserInput, bindable
from schema.projection.rows import Rows

LONGEST_WORKER: Final = 200
MOST_AT_ONCE: Final = 100
LONGEST_LEASE: Final = 86_400
LONGEST_WAIT: Final = 30
_LISTS: Final = {
    "ids": "ids",
    "types": "types",
    "step_ids": "stepIds",
    "workflow_template_keys": "workflowTemplateKeys",
}


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """What a client asks for; `wait_seconds` is how long where there is nothing."""

    wanted: Wanted
    limit: int
    terms: ClaimTerms
    wait_seconds: int

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "ClaimRequest":
        """The fields of a `ClaimStepsInput`. Raises `BadUserInput`."""
        lists = {name: _listed(fields.get(name), shown) for name, shown in _LISTS.items()}
        keys = lists.pop("workflow_template_keys")
        lease = fields.get("lease_seconds")
        return cls(
            Wanted(**lists, template_keys=keys),
            within("limit", _or(fields.get("limit"), 1), 1, MOST_AT_ONCE),
            ClaimTerms(
                _worker(fields["worker"]),
                None if lease is None else within("leaseSeconds", lease, 1, LONGEST_LEASE),
            ),
            within("waitSeconds", _or(fields.get("wait_seconds"), 0), 0, LONGEST_WAIT),
        )

    @classmethod
    def of_next(cls, fields: Mapping[str, Any] | None) -> "ClaimRequest | None":
        """What `completeStep(claimNext:)` asks for, if anything. Raises `BadUserInput`."""
        if fields is None:
            return None
        if fields.get("idempotency_key") is not None:
            raise BadUserInput(
                "claimNext takes no idempotencyKey: what it claims is kept under completeStep's."
            )
        request = cls.of(fields)
        if request.terms.lease_seconds is None:
            raise BadUserInput("leaseSeconds of claimNext is null; it needs a lease.")
        if request.limit != 1:
            raise BadUserInput(f"limit of claimNext is {request.limit}; it claims 1.")
        return request


def lease_seconds(given: int | None) -> int:
    """How long a heartbeat asks for. Raises `BadUserInput`."""
    if given is None:
        raise BadUserInput("leaseSeconds is null; a heartbeat extends a lease, and an assignment needs none.")
    return within("leaseSeconds", given, 1, LONGEST_LEASE)


def within(name: str, number: int, least: int, most: int) -> int:
    """The number; raises `BadUserInput` for one that is out of range."""
    if not least <= number <= most:
        raise BadUserInput(f"{name} is {number}; {least} to {most} is allowed.")
    return number


async def claim(context: Context, request: ClaimRequest, once: Once | None = None) -> list[ClaimedStep]:
    """Claim what is asked for, waiting for it as long as was asked; the doorbell rings after each tree."""

    async def attempt() -> Claiming | None:
        claiming = await claim_steps(
            context.store,
            context.actor,
            request.wanted,
            request.limit,
            request.terms,
            once,
            context.announcer.announce,
        )
        return claiming if claiming.claimed or claiming.is_repeated else None

    claiming = await attempt()
    if claiming is None and request.wait_seconds:
        key = (context.tenant, request.wanted)
        with context.allowance.uncounted():
            claiming = await context.work.wait(
                key, context.tenant, attempt, request.wait_seconds, context.left
            )
    return [] if claiming is None else claiming.claimed


async def claim_next(
    context: Context, request: ClaimRequest, once: Once | None, completed: Committed
) -> list[ClaimedStep]:
    """Claim a step after another was completed, which stands whatever comes of this.

    What a repeat of the completion finds claimed is that; where nothing was it claims, as the first would have.
    """
    if completed.claims:
        return completed.claims
    try:
        return await claim(context, request, None if once is None else replace(once, done=completed))
    except Unavailable:
        return []


def told(claims: list[ClaimedStep]) -> str:
    """Claims as a payload tells them."""
    return orjson.dumps(claims).decode()


def claim_rows(claims: list[ClaimedStep]) -> Any:
    """What to project of steps that a worker has."""
    return Rows("ClaimSuccess", {"claims": told(claims)})


def _or(given: int | None, otherwise: int) -> int:
    return otherwise if given is None else given


def _worker(given: str) -> str:
    if not 1 <= len(given.strip()) <= len(given) <= LONGEST_WORKER:
        raise BadUserInput(
            f"worker has {len(given)} characters; 1 to {LONGEST_WORKER} that are not all blank are allowed."
        )
    return given


def _listed(given: list[Any] | None, name: str) -> tuple[Any, ...] | None:
    if given is None:
        return None
    if len(given) > MAX_PAGE:
        raise BadUserInput(f"{name} has {len(given)} entries; at most {MAX_PAGE} are allowed.")
    return tuple(bindable(each, name) for each in given)
