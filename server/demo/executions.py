"""The demo's executions: in every status, with steps in every status, by ordinary commands.

Each story below is one execution with what happened to it. The last of them that is made stands for all: where it is
there, none is made.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial

from db.commands.execution import NewExecution
from db.commands.outcome import Actor
from db.lookups import find_template, find_version, is_correlated
from db.runtime.errors import Refusal
from db.runtime.tree import JSONObject
from db.store import Store
from server.demo import KEYS, demo_definition
from server.demo.execution import DemoExecution

Create = Callable[[NewExecution], Awaitable[DemoExecution]]

LAST = "CRM-2043"
"""The `correlationId` of the execution that is made last. It waits to be started, so no pruning takes it away."""

_DAY_SECONDS = 86_400


class Made(StrEnum):
    """What came of making the demo's executions, in a sentence for people."""

    NOW = "Made the demo's executions."
    BEFORE = "The demo's executions are there already."
    NOT = "A demo template was changed, so no executions of the demo are made."


async def load_demo_executions(store: Store) -> Made:
    """Make the demo's executions of the demo's templates, once per database.

    Who does it at the same time, or did it and was ended, is of no harm: every command has an idempotency key. An
    execution that somebody has driven on meanwhile is left as it is.
    """
    actor = Actor()
    if await is_correlated(store.database, actor.tenant, LAST):
        return Made.BEFORE
    if not all([await _is_the_demos(store, actor, key) for key in KEYS]):
        return Made.NOT
    create = partial(DemoExecution.create, store, actor)
    for story in STORIES:
        with suppress(Refusal):
            await story(create)
    return Made.NOW


async def _is_the_demos(store: Store, actor: Actor, key: str) -> bool:
    """Whether what runs under the key is the demo's own definition, which the stories know."""
    template = await find_template(store.database, actor.tenant, key)
    version = None if template is None else await find_version(store.database, template, None)
    return version is not None and version.definition == demo_definition(key)


# ---- Customers


async def _verified_customer(create: Create) -> None:
    """COMPLETED."""
    execution = await create(_verification("Asha Rao", "CRM-2041"))
    await execution.complete("verify", {"verified": True})


async def _overdue_customer(create: Create) -> None:
    """IN_PROGRESS, with a step that was due two days ago."""
    execution = await create(_verification("Kofi Mensah", "CRM-2042"))
    await execution.set_due_date("verify", datetime.now(UTC) - timedelta(days=2))


async def _waiting_customer(create: Create) -> None:
    """NOT_STARTED."""
    await create(_verification("Noor Haddad", LAST, start=False))


def _verification(customer: str, correlation_id: str, *, start: bool = True) -> NewExecution:
    return NewExecution(
        workflow_template_key="verify",
        name=f"Verify {customer}",
        correlation_id=correlation_id,
        context={"customerId": correlation_id.replace("CRM", "customer")},
        start=start,
    )


# ---- Employees


async def _welcomed_employee(create: Create) -> None:
    """COMPLETED, with an output of every step that has one."""
    execution = await _signed_employee(create, "Lena Fischer", "HR-311", "DE89370400440532013000")
    await execution.complete("accounts", {"username": "lfischer"})
    await execution.complete("welcome")


async def _employee_without_accounts(create: Create) -> None:
    """FAILED: three attempts at a step, each made after somebody retried it."""
    execution = await _signed_employee(create, "Tomasz Kowalski", "HR-312", "PL61109010140000071219812874")
    await execution.fail(
        "accounts", "DIRECTORY_UNREACHABLE", "The directory did not answer within 30 seconds."
    )
    await execution.retry("accounts", "The directory was restarted.")
    await execution.fail(
        "accounts", "DIRECTORY_UNREACHABLE", "The directory did not answer within 30 seconds."
    )
    await execution.retry("accounts", "The directory answers again.")
    await execution.fail("accounts", "USERNAME_TAKEN", "There is a user tkowalski already.")


async def _employee_at_work(create: Create) -> None:
    """IN_PROGRESS: a worker has claimed a step, and a later one was disabled."""
    execution = await _signed_employee(create, "Mei Tanaka", "HR-313", "FR1420041010050500013M02606")
    await execution.disable("welcome", "Mei has worked here before.")
    await execution.claim("accounts", "accounts-worker-1", _DAY_SECONDS)


async def _employee_who_withdrew(create: Create) -> None:
    """CANCELLED, with the step that was going on disabled."""
    execution = await create(_onboarding("Jonas Berg", "HR-314"))
    await execution.complete("contract", {"documents": ["contract-berg.pdf"]})
    await execution.cancel("Jonas took another offer.")


async def _signed_employee(create: Create, employee: str, correlation_id: str, iban: str) -> DemoExecution:
    """An onboarding whose accounts are to be created next."""
    execution = await create(_onboarding(employee, correlation_id))
    surname = employee.rsplit(maxsplit=1)[-1].lower()
    await execution.complete("contract", {"documents": [f"contract-{surname}.pdf"]})
    await execution.complete("details", {"iban": iban})
    return execution


def _onboarding(employee: str, correlation_id: str) -> NewExecution:
    return NewExecution(
        workflow_template_key="onboarding",
        name=f"Onboard {employee}",
        correlation_id=correlation_id,
        context={"employee": employee},
    )


# ---- Companies


async def _company_with_issues(create: Create) -> None:
    """IN_PROGRESS: in a loop, since the registrar sent the filing back once. No director needed a certificate."""
    directors: list[JSONObject] = [{"id": "d1", "name": "Ruth Finch", "hasDsc": True}]
    execution = await create(_incorporation("Finch & Sons", "llp", directors, "INC-88"))
    await execution.complete("intake", {"complete": True})
    await execution.complete("llp-agreement")
    await execution.complete("name-check", {"available": True})
    await execution.complete("file", {"issues": ["The registered office has no proof of address."]})
    await execution.complete("fix-issues")
    await execution.complete("file", {"issues": ["The proof of address is older than three months."]})


async def _company_with_directors(create: Create) -> None:
    """IN_PROGRESS: of four directors three need a certificate. One has got it, one's failed once and is tried again
    after its `backoff`, one's documents are awaited. A policy has disabled the agreement of partners.
    """
    directors: list[JSONObject] = [
        {"id": "d1", "name": "Priya Nair", "hasDsc": False},
        {"id": "d2", "name": "Arjun Mehta", "hasDsc": False},
        {"id": "d3", "name": "Sofia Costa", "hasDsc": True},
        {"id": "d4", "name": "Daniel Okafor", "hasDsc": False},
    ]
    execution = await create(_incorporation("Blue Lotus Foods", "private_limited", directors, "INC-89"))
    await execution.complete("intake", {"complete": True})
    await execution.claim("name-check", "Hannah Weiss", None)
    issued = await execution.child("dsc-step", 0)
    await issued.complete("collect-id", {"documents": ["passport-nair.pdf"]})
    await issued.complete("issue", {"certificateId": "DSC-70114"})
    refused = await execution.child("dsc-step", 1)
    await refused.complete("collect-id", {"documents": ["passport-mehta.pdf"]})
    await refused.fail("issue", "AUTHORITY_BUSY", "The certifying authority answered 503.")


def _incorporation(
    company: str, type_: str, directors: list[JSONObject], correlation_id: str
) -> NewExecution:
    return NewExecution(
        workflow_template_key="incorporation",
        name=f"Incorporate {company}",
        correlation_id=correlation_id,
        context={"company": {"name": company, "type": type_}, "directors": directors},
    )


STORIES = (
    _verified_customer,
    _welcomed_employee,
    _employee_who_withdrew,
    _company_with_issues,
    _employee_without_accounts,
    _employee_at_work,
    _overdue_customer,
    _company_with_directors,
    _waiting_customer,
)
"""In the order in which they are made; lists show the newest first."""
