"""The console as a person uses it."""

from typing import Self

from playwright.async_api import BrowserContext, Locator, Page, expect


class ConsolePage:
    """One browser tab with the console in it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.graph = page.get_by_role("application", name="Graph of the steps")
        self.panel = page.locator("section.panel")
        self.journal = page.get_by_role("list", name="Journal").get_by_role("listitem")
        self.note = page.get_by_text("Reconnecting …")

    @classmethod
    async def open(cls, context: BrowserContext, url: str, place: str = "") -> Self:
        console = cls(await context.new_page(), url)
        await console.go(place)
        return console

    async def go(self, place: str) -> None:
        """To a place, such as `executions/exec_…?step=intake`."""
        await self.page.goto(f"{self.url}/#/{place}")
        await expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    def step(self, name: str) -> Locator:
        """A step as it is drawn."""
        return self.graph.get_by_role("button", name=name)

    async def expect_step(self, name: str, status: str) -> None:
        await expect(self.step(f"{name}, {status}")).to_be_visible()

    async def choose(self, step: str) -> None:
        """Show a step beside the graph, by the keyboard."""
        await self.step(step).press("Enter")
        await expect(self.panel.get_by_role("heading", level=2)).to_have_text(step)

    async def command(self, name: str) -> Locator:
        """Open the form of a command on the step that is shown."""
        await self.panel.get_by_role("button", name=name, exact=True).click()
        return self.panel.get_by_role("form")

    async def complete(self, step: str, **outputs: str) -> None:
        """Complete a step with what its form asks for: texts, or choices by their words."""
        await self.choose(step)
        form = await self.command("Complete")
        for name, value in outputs.items():
            field = form.get_by_label(name)
            if await field.evaluate("field => field.tagName") == "SELECT":
                await field.select_option(value)
            else:
                await field.fill(value)
        await form.get_by_role("button", name="Complete the step").click()
        await expect(form).to_be_hidden()

    async def expect_status(self, status: str) -> None:
        """How the execution stands."""
        await expect(self.page.locator(".facts .status")).to_have_text(f"{status}")
