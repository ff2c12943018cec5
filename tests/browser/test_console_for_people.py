"""The console's pages by light and dark, without a mouse, and in a window as wide as a phone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.console_page import ConsolePage
from tests.databases import sqlite_url
from tests.frontend_documents import document, sample_variables
from tests.node import installed
from tests.servers import ServerProcess

AXE = Path(__file__).parent / "axe"
# What keeps somebody from using a page; the other impacts are `moderate` and `minor`.
FIND = (
    "async () => (await axe.run()).violations.filter(({impact}) => ['serious', 'critical'].includes(impact))"
)
WIDER_THAN_THE_WINDOW = "document.documentElement.scrollWidth - innerWidth"

pytestmark = [pytest.mark.browser, pytest.mark.node]


@pytest.fixture(scope="module")
def axe() -> str:
    return (installed(AXE) / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    directory = tmp_path_factory.mktemp("console")
    with ServerProcess("--demo", "--database", sqlite_url(directory / "x.db"), cwd=directory) as process:
        yield process


@pytest.fixture(scope="module")
def execution(server: ServerProcess) -> str:
    """An incorporation with its parallel steps in progress."""
    (made,) = server.graphql(
        document("StartIncorporation"), **sample_variables("StartIncorporation")
    ).values()
    intake = next(step["id"] for step in made["workflowExecution"]["steps"] if step["stepId"] == "intake")
    server.graphql(document("CompleteStep"), input={"id": intake, "outputData": {"complete": True}})
    id_: str = made["workflowExecution"]["id"]
    return id_


def places(execution: str) -> dict[str, str]:
    """Every page, by what it shows once it is loaded."""
    return {
        "executions?children=1": "DSC for Ben",
        f"executions/{execution}?step=dsc-step": "DSC for Ben",
        f"executions/{execution}?step=name-check": "Due",
        f"executions/{execution}?step=intake&asOf=4": "the past",
        "queue": "Reserve the name",
        "templates": "Employee onboarding",
        "templates/incorporation": "Start an execution",
    }


async def violations(page: Page, axe: str) -> list[Any]:
    """What axe finds that is serious or critical, and where."""
    await page.evaluate(axe)
    found = await page.evaluate(FIND)
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious(
    browser: Browser, server: ServerProcess, execution: str, axe: str, scheme: Literal["light", "dark"]
) -> None:
    context = await browser.new_context(color_scheme=scheme)
    console = await ConsolePage.open(context, server.url)
    for place, shown in places(execution).items():
        await console.go(place)
        await expect(console.page.get_by_text(shown).first).to_be_visible()
        assert await violations(console.page, axe) == [], place
    await console.go(f"executions/{execution}?step=name-check")
    await console.command("Complete")
    await console.page.get_by_role("button", name="Token").click()
    assert await violations(console.page, axe) == []


async def test_axe_would_tell(browser: Browser, server: ServerProcess, axe: str) -> None:
    console = await ConsolePage.open(await browser.new_context(), server.url)
    await console.page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert [name for name, _ in await violations(console.page, axe)] == ["button-name"]


async def test_every_page_fits_a_phone(browser: Browser, server: ServerProcess, execution: str) -> None:
    context = await browser.new_context(viewport={"width": 360, "height": 740})
    console = await ConsolePage.open(context, server.url)
    for place, shown in places(execution).items():
        await console.go(place)
        await expect(console.page.get_by_text(shown).first).to_be_visible()
        assert await console.page.evaluate(WIDER_THAN_THE_WINDOW) <= 0, place
    await console.go(f"executions/{execution}")
    await console.complete("Reserve the name", available="Yes")
    await console.expect_step("Reserve the name", "Completed")


async def test_a_step_is_reached_and_opened_by_the_keyboard(
    browser: Browser, server: ServerProcess, execution: str
) -> None:
    console = await ConsolePage.open(await browser.new_context(), server.url, f"executions/{execution}")
    await console.expect_step("Start", "Completed")
    await console.page.get_by_role("slider").focus()
    await console.page.keyboard.press("Tab")
    await expect(console.step("Start, Completed")).to_be_focused()
    await console.page.keyboard.press("Tab")
    await expect(console.step("Intake form")).to_be_focused()
    await console.page.keyboard.press("Enter")
    await expect(console.panel.get_by_role("heading", level=2)).to_have_text("Intake form")
