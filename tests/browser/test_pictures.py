"""The pictures of `docs/console.md` show the console as it is; `make pictures` takes them anew.

Not compared pixel by pixel: fonts differ between machines. What each shows is written in it.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from playwright.async_api import Browser, expect

from tests.browser.console_page import ConsolePage
from tests.browser.pictures import picture_of, shown_in, size_of
from tests.databases import sqlite_url
from tests.docs.pages import ROOT, read
from tests.frontend_documents import document, sample_variables
from tests.servers import ServerProcess

PICTURES: Final = ROOT / "docs" / "pictures"
TAKE_ANEW: Final = os.environ.get("STEPGRAPH_TEST_PICTURES") == "write"
MOST_BYTES: Final = 150_000
WIDTH: Final = 1200
HEIGHTS: Final = {"executions": 450, "execution": 900, "execution-dark": 900}
CHANGES: Final = 21  # in the journal of the incorporation

pytestmark = pytest.mark.browser


def send(server: ServerProcess, name: str, **variables: Any) -> Any:
    """What a frontend's operation comes to."""
    (result,) = server.graphql(document(name), **variables).values()
    return result


def start(server: ServerProcess, operation: str, name: str, **more: Any) -> dict[str, str]:
    """Start the sample's execution under a name; the ids of its steps by theirs in the definition, and its own."""
    given = {**sample_variables(operation)["input"], "name": name, **more}
    made = send(server, operation, input=given)["workflowExecution"]
    return {"execution": made["id"], **{step["stepId"]: step["id"] for step in made["steps"]}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    directory = tmp_path_factory.mktemp("pictures")
    with ServerProcess("--demo", "--database", sqlite_url(directory / "x.db"), cwd=directory) as process:
        yield process


@pytest.fixture(scope="module")
def acme(server: ServerProcess) -> str:
    """An incorporation with branches in progress, beside executions in other statuses."""
    done = start(server, "StartExecution", "Verify Dora Lang")
    send(server, "CompleteStep", input={"id": done["verify"], "outputData": {"verified": True}})
    failed = start(server, "StartExecution", "Verify Emil Berg")
    send(server, "FailStep", input={"id": failed["verify"], "message": "Nobody answers."})
    cancelled = start(server, "StartExecution", "Verify Finn Ruud")
    send(server, "CancelExecution", input={"id": cancelled["execution"], "reason": "Withdrawn"})
    start(server, "StartExecution", "Verify Gina Sole")
    acme = start(server, "StartIncorporation", "Incorporate Acme LLP")
    send(server, "CompleteStep", input={"id": acme["intake"], "outputData": {"complete": True}})
    return acme["execution"]


async def taken(browser: Browser, server: ServerProcess, execution: str, name: str) -> bytes:
    """The picture of a name, taken now."""
    scheme: Literal["light", "dark"] = "dark" if name.endswith("dark") else "light"
    context = await browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHTS[name]},
        color_scheme=scheme,
        locale="en-GB",
        timezone_id="UTC",
    )
    place = "executions" if name == "executions" else f"executions/{execution}?step=dsc-step"
    console = await ConsolePage.open(context, server.url, place)
    if name == "executions":
        await expect(console.page.get_by_text("5 in all")).to_be_visible()
        await expect(console.page.get_by_label("Template").get_by_role("option")).to_have_count(5)
    else:
        await console.expect_step("Certificates for directors", "In progress")
        await expect(console.panel.get_by_text("It waits for 2 of its children to end.")).to_be_visible()
        await expect(console.panel.get_by_role("link", name="DSC for Ben")).to_be_visible()
        await expect(console.journal).to_have_count(CHANGES)
        await expect(console.page.get_by_text(f"Revision {CHANGES} of {CHANGES}")).to_be_visible()
    return await picture_of(console.page)


@pytest.mark.parametrize("name", HEIGHTS)
async def test_a_picture_shows_the_console_as_it_is(
    browser: Browser, server: ServerProcess, acme: str, name: str, tmp_path: Path
) -> None:
    now = await taken(browser, server, acme, name)
    kept = PICTURES / f"{name}.png"
    (kept if TAKE_ANEW else tmp_path / kept.name).write_bytes(now)
    there = kept.read_bytes()
    assert shown_in(there) == shown_in(now), "take it anew: make pictures"
    assert size_of(there) == size_of(now)
    assert len(there) <= MOST_BYTES


def test_the_page_shows_every_picture_and_no_other() -> None:
    assert sorted(path.stem for path in PICTURES.iterdir()) == sorted(HEIGHTS)
    assert [name for name in HEIGHTS if f"(pictures/{name}.png)" not in read("docs/console.md")] == []
