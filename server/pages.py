"""The pages that a browser gets from the server itself: GraphiQL and the way to it.

The bundle is built from `server/graphiql/` (`make graphiql`) and served from here: no CDN, nothing foreign,
a strict Content-Security-Policy (`security.md` A8). Which `GET /graphql` is a browser's and which a client's
is not decided here.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from anyio import Path as AsyncPath
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

Page = Callable[[Request], Awaitable[Response]]

DIST: Final = Path(__file__).parent / "graphiql" / "dist"
ASSETS_PATH: Final = "/graphiql/assets"  # `base` in graphiql/vite.config.ts and Vite's own directory below it

# Styles are inline because Monaco writes them at run time; scripts never are.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
# One address answers browsers with the page and clients with JSON.
PAGE_HEADERS: Final = SECURITY_HEADERS | {"Cache-Control": "no-cache", "Vary": "Accept"}
# Vite puts a hash of the content into every file's name.
ASSET_HEADERS: Final = SECURITY_HEADERS | {"Cache-Control": "public, max-age=31536000, immutable"}

NOT_BUILT: Final = """<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>Stepgraph · GraphiQL is not built</title></head>
  <body>
    <h1>GraphiQL is not built</h1>
    <p>Run <code>make graphiql</code> in the checkout and load this page again.
    The API itself is up: clients can use this address.</p>
  </body>
</html>
"""


def graphiql_page_of(dist: Path) -> Page:
    """A handler that answers with the GraphiQL page of a bundle; 503 and what to do where it is not built."""

    async def page(_request: Request) -> Response:
        try:
            html = await AsyncPath(dist / "index.html").read_text(encoding="utf-8")
        except FileNotFoundError:
            return HTMLResponse(NOT_BUILT, status_code=503, headers=PAGE_HEADERS)
        return HTMLResponse(html, headers=PAGE_HEADERS)

    return page


graphiql_page: Final = graphiql_page_of(DIST)


def graphiql_routes(dist: Path = DIST) -> list[BaseRoute]:
    """What the GraphiQL page needs beside itself: its assets, and `/` leading to it."""
    return [
        Route("/", index, methods=["GET"]),
        Mount(ASSETS_PATH, app=Assets(directory=dist / "assets", check_dir=False)),
    ]


async def index(_request: Request) -> Response:
    return RedirectResponse("/graphql")


class Assets(StaticFiles):
    """The files of a bundle, kept by browsers for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(ASSET_HEADERS)
        return response

    async def check_config(self) -> None:
        """A bundle that is not built has no files: 404, where Starlette's own check would answer 500."""
