"""GraphiQL as a person uses it."""

from typing import Self

from playwright.async_api import BrowserContext, Page, expect


class GraphiQLPage:
    """One browser tab with GraphiQL in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.panel = page.get_by_role("region", name="Ready operations")
        self.tabs = page.locator(".graphiql-tab-button")
        self.answer = page.locator(".graphiql-response .view-lines")
        self.variables = page.locator(".graphiql-editor-tool .view-lines").first

    @classmethod
    async def open(cls, context: BrowserContext, url: str) -> Self:
        graphiql = cls(await context.new_page())
        await graphiql.page.goto(url)
        await expect(graphiql.page.locator(".graphiql-query-editor .view-line").first).to_be_visible()
        return graphiql

    async def run(self, operation: str, *, headers: str | None = None) -> None:
        """Open a ready operation from the panel, in a tab of its own, and run it with these headers."""
        await self.panel.get_by_role("button", name=operation, exact=True).click()
        # The tab bears the name once GraphiQL has parsed the operation; before, the last one would run.
        await expect(self.page.locator("[aria-selected=true] .graphiql-tab-button")).to_have_text(operation)
        if headers is not None:
            await self.page.get_by_role("button", name="Headers", exact=True).click()
            await self.page.locator(".graphiql-editor-tool .graphiql-editor:visible .view-lines").click()
            await self.page.keyboard.insert_text(headers)
        await self.page.get_by_role("button", name="Execute query").click()

    async def expect_answer(self, text: str) -> None:
        await expect(self.answer).to_contain_text(text)

    async def expect_idle(self) -> None:
        """Nothing runs any more: a subscription has been completed by the server."""
        await expect(self.page.get_by_role("button", name="Execute query")).to_be_visible()
