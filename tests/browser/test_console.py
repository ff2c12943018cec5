"""In the console one starts an incorporation, drives it to its end by clicking, and sees every change live.

The server runs trusted documents only: the console sends the operations of `frontend_queries/` and nothing else.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, expect

from server.operations.document_directory import FRONTEND_QUERIES, documents_in
from tests.browser.console_page import ConsolePage
from tests.browser.witness import Witness
from tests.databases import sqlite_url
from tests.frontend_documents import sample_variables
from tests.servers import ServerProcess

DIRECTORS = '[{"id": "d1", "name": "Ana", "hasDsc": true}, {"id": "d2", "name": "Ben"}]'

DOCUMENTS = {text.split("(")[0].split()[-1]: text for text in documents_in(FRONTEND_QUERIES).values()}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    directory = tmp_path_factory.mktemp("console")
    options = ("--demo", "--database", sqlite_url(directory / "x.db"), "--documents", "trusted")
    with ServerProcess(*options, cwd=directory) as server:
        yield server


def send(server: ServerProcess, name: str, **variables: Any) -> Any:
    """What an operation comes to that another client sends."""
    (result,) = server.graphql(DOCUMENTS[name], **variables).values()
    return result


def start(server: ServerProcess, operation: str, name: str) -> str:
    """Start an execution with the sample's context; returns its id."""
    given = {**sample_variables(operation)["input"], "name": name}
    id_: str = send(server, operation, input=given)["workflowExecution"]["id"]
    return id_


async def test_an_incorporation_from_its_start_to_its_end(
    browser_context: BrowserContext, witness: Witness, trusting: ServerProcess
) -> None:
    console = await ConsolePage.open(browser_context, trusting.url, "templates/incorporation")
    page = console.page
    watching = await ConsolePage.open(browser_context, trusting.url, "executions?name=Acme")
    await expect(watching.page.get_by_text("There is none.")).to_be_visible()

    form = page.get_by_role("form", name="Start", exact=True)
    await form.get_by_label("Name of the execution").fill("Acme")
    await form.get_by_label("name (needed)", exact=True).fill("Acme LLP")
    await form.get_by_label("directors").fill(DIRECTORS)
    await form.get_by_role("button", name="Start").click()
    await expect(form.get_by_role("alert")).to_contain_text("/context/company: ")  # its type is needed
    await expect(form.get_by_role("group", name="company")).to_contain_text("is a required property")
    await form.get_by_label("type").select_option("llp")
    await form.get_by_role("button", name="Start").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Acme")
    await expect(watching.page.get_by_role("link", name="Acme")).to_be_visible()

    await console.choose("Intake form")
    form = await console.command("Complete")
    await form.get_by_role("button", name="Complete the step").click()
    await expect(form.get_by_role("alert")).to_contain_text("complete")
    await form.get_by_label("complete").select_option("Yes")
    await form.get_by_role("button", name="Complete the step").click()
    await console.expect_step("Reserve the name", "In progress")
    await expect(console.panel.get_by_role("button", name="Complete", exact=True)).to_be_disabled()

    await console.complete("Reserve the name", available="Yes")
    await console.choose("LLP agreement")
    form = await console.command("Disable")
    await form.get_by_label("Reason").fill("Signed before")
    await form.get_by_role("button", name="Take the step out").click()
    await console.expect_step("LLP agreement", "Disabled")

    await console.choose("Certificates for directors")
    await console.panel.get_by_role("link", name="DSC for Ben").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("DSC for Ben")
    await console.complete("Collect identity documents", documents="passport.pdf")
    await console.choose("Issue certificate")
    form = await console.command("Fail")
    await form.get_by_label("What went wrong").fill("Not reachable")
    await form.get_by_role("button", name="Fail the step").click()
    await console.expect_step("Issue certificate", "Failed")
    form = await console.command("Retry")
    await form.get_by_role("button", name="Retry the step").click()
    await console.expect_step("Issue certificate", "In progress")
    await expect(page.get_by_role("table").get_by_role("row", name="Issue certificate")).to_have_count(2)
    await console.complete("Issue certificate", certificateId="c-1")
    await console.expect_status("✓ Completed")

    await page.get_by_role("link", name="Acme").click()
    await console.expect_step("Certificates for directors", "Completed")
    await console.complete("File with the registrar", certificateNumber="U-1")
    await console.expect_status("✓ Completed")
    await expect(watching.page.get_by_role("row", name="Acme")).to_contain_text("Completed")
    assert witness.errors == []
    assert witness.hosts == {urlsplit(trusting.url).netloc}


async def test_what_another_client_does_is_seen_and_the_past_stays(
    browser_context: BrowserContext, trusting: ServerProcess
) -> None:
    execution = start(trusting, "StartIncorporation", "Withdrawing")
    console = await ConsolePage.open(browser_context, trusting.url, f"executions/{execution}")
    await console.expect_step("Intake form", "In progress")
    await expect(console.journal).to_have_count(5)
    send(trusting, "CancelExecution", input={"id": execution, "reason": "Withdrawn"})
    await console.expect_status("■ Cancelled")
    await console.expect_step("Intake form", "Disabled")
    await expect(console.journal).to_have_count(7)
    await expect(console.journal.filter(has_text="execution cancelled")).to_contain_text("Withdrawn")

    await console.page.get_by_role("button", name="Show revision 5", exact=True).click()
    await expect(console.page.get_by_text("Revision 5 of 7: the past")).to_be_visible()
    await console.expect_step("Intake form", "In progress")
    await console.page.get_by_role("button", name="Now").click()
    await console.expect_step("Intake form", "Disabled")


async def test_lists_are_filtered_by_the_server_and_kept_right(
    browser_context: BrowserContext, trusting: ServerProcess
) -> None:
    execution = start(trusting, "StartExecution", "Listed")
    console = await ConsolePage.open(browser_context, trusting.url, "executions?status=IN_PROGRESS")
    row = console.page.get_by_role("row", name="Listed")
    await expect(row).to_be_visible()
    await console.page.get_by_label("Name contains").fill("Liste")
    await expect(row).to_be_visible()
    await console.page.get_by_label("Template").select_option("incorporation")
    await expect(console.page.get_by_text("There is none.")).to_be_visible()
    await console.page.get_by_label("Template").select_option("verify")
    await expect(row).to_be_visible()

    queue = await ConsolePage.open(browser_context, trusting.url, "queue?type=HUMAN_CONFIRM&claimed=no")
    await expect(queue.page.get_by_role("row", name="Listed")).to_be_visible()
    send(trusting, "CancelExecution", input={"id": execution})
    await expect(console.page.get_by_text("There is none.")).to_be_visible()
    await expect(queue.page.get_by_role("row", name="Listed")).to_have_count(0)


async def test_a_list_is_paged(browser_context: BrowserContext, trusting: ServerProcess) -> None:
    for _ in range(26):
        start(trusting, "StartExecution", "Paged")
    console = await ConsolePage.open(browser_context, trusting.url, "executions?name=Paged")
    rows = console.page.get_by_role("row", name="Paged")
    await expect(rows).to_have_count(25)
    await console.page.get_by_role("link", name="Older").click()
    await expect(rows).to_have_count(1)
    await console.page.get_by_role("link", name="Newest").click()
    await expect(rows).to_have_count(25)


async def test_live_updates_go_on_after_the_server_was_restarted(
    browser_context: BrowserContext, trusting: ServerProcess
) -> None:
    execution = start(trusting, "StartIncorporation", "Restarted")
    console = await ConsolePage.open(browser_context, trusting.url, f"executions/{execution}")
    await expect(console.journal).to_have_count(5)
    trusting.stop()
    await expect(console.note).to_be_visible()
    trusting.start()
    steps = send(trusting, "ExecutionDetail", id=execution)["steps"]
    intake = next(step["id"] for step in steps if step["stepId"] == "intake")
    send(trusting, "CompleteStep", input={"id": intake, "outputData": {"complete": True}})
    await console.expect_step("Reserve the name", "In progress")
    await expect(console.journal.filter(has_text="step completed Intake form")).to_have_count(1)
    await expect(console.note).to_be_hidden()
    revisions = [int(text.split()[0]) for text in await console.journal.all_inner_texts()]
    assert revisions == list(range(1, len(revisions) + 1))
