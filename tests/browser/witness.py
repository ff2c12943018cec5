"""What pages did that they must not."""

from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Request, WebSocket


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
