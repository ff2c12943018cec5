"""GraphiQL as a person uses it, and what its page did meanwhile that it must not."""

from typing import Self
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request, WebSocket, expect


class Witness:
    """What the pages of a browser context complained of, and which hosts they asked."""

    def __init__(self, context: BrowserContext) -> None:
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        self.sockets: list[str] = []
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.errors.append(error.error.stack or str(error.error)))
        context.on("request", self._asked)
        context.on("page", lambda page: page.on("websocket", self._connected))

    def _heard(self, message: ConsoleMessage) -> None:
        # A violation of the Content-Security-Policy is an error on the console, too.
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _asked(self, request: Request) -> None:
        if request.url.startswith(("http:", "https:")):
            self.hosts.add(urlsplit(request.url).netloc)

    def _connected(self, socket: WebSocket) -> None:
        self.sockets.append(socket.url)
        self.hosts.add(urlsplit(socket.url).netloc)


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
