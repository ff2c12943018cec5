"""Steps are claimed in the console: whoever has one completes it, and others are told who that is."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Locator, Response, expect

from tests.browser.console_page import ConsolePage
from tests.contract.graphs import FORM, JOIN, PARALLEL, graph
from tests.databases import sqlite_url
from tests.frontend_documents import document, sample_variables
from tests.servers import ServerProcess

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    directory = tmp_path_factory.mktemp("claims")
    with ServerProcess("--demo", "--database", sqlite_url(directory / "x.db"), cwd=directory) as process:
        yield process


def send(server: ServerProcess, name: str, **variables: Any) -> Any:
    """What an operation comes to that another client sends."""
    (result,) = server.graphql(document(name), **variables).values()
    return result


def start(server: ServerProcess, name: str) -> str:
    """Start an execution in which a person is to verify something; returns its id."""
    given = {**sample_variables("StartExecution")["input"], "name": name}
    id_: str = send(server, "StartExecution", input=given)["workflowExecution"]["id"]
    return id_


def verify_step(server: ServerProcess, execution: str) -> Any:
    """How the step stands that waits for a person."""
    queue = send(server, "WorkQueue", where={"workflowExecution": {"id": {"eq": execution}}, "status": {}})
    return next(step for step in queue["nodes"] if step["stepId"] == "verify")


def claim(server: ServerProcess, step: str, worker: str) -> str:
    """Claim a step as another worker does; returns the claim's token."""
    made = send(server, "ClaimSteps", input={"worker": worker, "ids": [step], "leaseSeconds": 600})
    (claimed,) = made["claimed"]
    token: str = claimed["claimToken"]
    return token


def shows_a_claim_token(response: Response) -> bool:
    return "claimToken" in (response.request.post_data or "")


async def complete(form: Locator) -> None:
    await form.get_by_label("verified").select_option("Yes")
    await form.get_by_role("button", name="Complete the step").click()


async def test_a_step_is_claimed_in_the_queue_and_completed(
    browser_context: BrowserContext, server: ServerProcess
) -> None:
    execution = start(server, "To be claimed")
    watching = await ConsolePage.open(browser_context, server.url, "queue")
    console = await ConsolePage.open(browser_context, server.url, "queue")
    row = console.page.get_by_role("row", name="To be claimed")
    await expect(row.get_by_role("button", name="Claim")).to_be_disabled()  # nobody knows by whom
    await console.page.get_by_label("Your name").fill("Ann")
    await row.get_by_role("button", name="Claim").click()
    await expect(console.panel).to_contain_text("Claimed by: Ann (you) until")
    await expect(watching.page.get_by_role("row", name="To be claimed")).to_contain_text("Ann until")
    assert "token" not in console.page.url.lower()

    await console.page.reload()
    await expect(console.panel).to_contain_text("Ann (you)")
    claimed = verify_step(server, execution)["claim"]
    async with console.page.expect_response(shows_a_claim_token) as heartbeat:
        form = await console.command("Complete")
    assert (await (await heartbeat.value).json())["data"]["heartbeatStep"]["__typename"] == "ClaimSuccess"
    extended = verify_step(server, execution)["claim"]
    assert extended["claimedAt"] == claimed["claimedAt"]
    assert extended["leaseExpiresAt"] > claimed["leaseExpiresAt"]
    await complete(form)
    await console.expect_status("✓ Completed")
    assert await console.page.evaluate("sessionStorage.getItem('stepgraph:claims')") == "{}"


async def test_a_step_that_somebody_else_has_is_refused_with_who_it_is_until_it_is_released(
    browser_context: BrowserContext, server: ServerProcess
) -> None:
    execution = start(server, "Of somebody else")
    claim(server, verify_step(server, execution)["id"], "Ben")
    queue = await ConsolePage.open(browser_context, server.url, "queue?claimed=yes")
    row = queue.page.get_by_role("row", name="Of somebody else")
    await expect(row).to_contain_text("Ben until")
    await expect(row.get_by_role("button", name="Claim")).to_have_count(0)

    console = await ConsolePage.open(browser_context, server.url, f"executions/{execution}?step=verify")
    await expect(console.panel).to_contain_text("Claimed by: Ben until")
    await expect(console.panel.get_by_role("button", name="Claim", exact=True)).to_have_count(0)
    form = await console.command("Complete")
    await complete(form)
    await expect(form.get_by_role("alert")).to_contain_text("Ben is working on it.")
    form = await console.command("Release")
    await form.get_by_role("button", name="Release the step").click()
    form = await console.command("Claim")
    await form.get_by_label("Your name").fill("Ann")
    await form.get_by_role("button", name="Claim the step").click()
    await expect(console.panel).to_contain_text("Claimed by: Ann (you) until")
    form = await console.command("Release")
    await form.get_by_role("button", name="Release the step").click()
    await expect(console.panel.get_by_text("Claimed by")).to_have_count(0)
    assert verify_step(server, execution)["claim"] is None


async def test_a_claim_that_is_lost_while_the_form_is_open_completes_nothing(
    browser_context: BrowserContext, server: ServerProcess
) -> None:
    execution = start(server, "To be lost")
    console = await ConsolePage.open(browser_context, server.url, f"executions/{execution}?step=verify")
    form = await console.command("Claim")
    await form.get_by_label("Your name").fill("Ann")
    await form.get_by_role("button", name="Claim the step").click()
    await expect(console.panel).to_contain_text("Ann (you)")
    form = await console.command("Complete")

    step = verify_step(server, execution)["id"]
    send(server, "ReleaseStep", input={"id": step, "reason": "Ann is ill."})
    await expect(console.panel).to_contain_text("Your claim has ended, and nobody has it now")
    await complete(
        form
    )  # an unclaimed step is anybody's to complete; not with the token of a claim that was lost
    await expect(form.get_by_role("alert")).to_be_visible()
    token = claim(server, step, "Ben")
    await expect(console.panel).to_contain_text("Ben until")
    await expect(console.panel).to_contain_text("your claim has ended")
    await complete(form)
    await expect(form.get_by_role("alert")).to_contain_text("Ben is working on it.")
    await form.get_by_role("button", name="Close").click()
    await console.command("Complete")  # its first heartbeat says it as well
    await expect(console.panel.get_by_role("alert")).to_contain_text("Ben is working on it.")
    assert verify_step(server, execution)["claim"]["worker"] == "Ben"
    done = {"id": step, "outputData": {"verified": True}, "claimToken": token}
    assert send(server, "CompleteStep", input=done)["__typename"] == "TransitionSuccess"
    await console.expect_status("✓ Completed")


async def test_the_queue_is_paged(browser_context: BrowserContext, server: ServerProcess) -> None:
    forms = [f"paged-{number}" for number in range(51)]
    lanes = [f"split {form} join" for form in forms]
    steps = {"split": PARALLEL, **dict.fromkeys(forms, FORM), "join": JOIN}
    definition = graph("queue", steps, "start split", *lanes, "join end")
    given = {"name": "Queue", "key": "queue", "definition": definition, "publish": True, "activate": True}
    assert send(server, "CreateTemplate", input=given)["__typename"] == "TemplateSuccess"
    send(server, "StartExecution", input={"workflowTemplateKey": "queue"})
    console = await ConsolePage.open(browser_context, server.url, "queue?template=queue")
    rows = console.page.get_by_role("row", name="Paged-")
    await expect(rows).to_have_count(50)
    await expect(console.page.get_by_text("51 in all")).to_be_visible()
    await console.page.get_by_role("link", name="Next").click()
    await expect(rows).to_have_count(1)
    await console.page.get_by_role("link", name="First").click()
    await expect(rows).to_have_count(50)
