"""Who works on a step and whether it is late, as SQL over its row: lists filter by what the step shows."""

from typing import TYPE_CHECKING

from schema.projection.rows import Row

if TYPE_CHECKING:
    from schema.projection.compiler import Query


def is_overdue(step: Row, _: "Query") -> str:
    """The mark that was set when its due date passed (T1); what has ended is not late any more."""
    return f"{step.overdue_at} is not null and {step.status} = 'InProgress'"


def is_claimed(step: Row, query: "Query") -> str:
    """A claim ends with its attempt, and with its lease whether that was marked or not (T3).

    The past knows the marks alone: how often a lease was extended is not kept.
    """
    if query.is_past:
        return f"{step.claim_worker} is not null"
    holds = f"({step.lease_expires_at} is null or {step.lease_expires_at} > {query.sql.now})"
    return f"{step.claim_worker} is not null and {step.status} = 'InProgress' and {holds}"
