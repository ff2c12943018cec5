"""The pages that a browser gets from the server itself: the console at `/`, and GraphiQL at `/graphql`.

The bundles are built from `server/console/` and `server/graphiql/` and served from here: no CDN, nothing foreign,
a strict Content-Security-Policy (`security.md` A8). Which `GET /graphql` is a browser's and which a client's
is not decided here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anyio import Path as AsyncPath
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

Page = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A page that is built: its title, the `make` target that builds it, and where its files are."""

    title: str
    target: str
    dist: Path

    @property
    def assets_path(self) -> str:
        """`base` in its vite.config.ts and Vite's own directory below it."""
        return f"/{self.target}/assets"


CONSOLE: Final = Bundle("The console", "console", Path(__file__).parent / "console" / "dist")
GRAPHIQL: Final = Bundle("GraphiQL", "graphiql", Path(__file__).parent / "graphiql" / "dist")

# Styles are inline because Monaco, GraphiQL's editor, writes them at run time; scripts never are.
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
  <head><meta charset="utf-8"><title>Stepgraph · {title} is not built</title></head>
  <body>
    <h1>{title} is not built</h1>
    <p>Run <code>make {target}</code> in the checkout and load this page again.
    The API itself is up: clients can use <code>/graphql</code>.</p>
  </body>
</html>
"""


def page_of(bundle: Bundle) -> Page:
    """A handler that answers with the page of a bundle; 503 and what to do where it is not built."""

    async def page(_request: Request) -> Response:
        try:
            html = await AsyncPath(bundle.dist / "index.html").read_text(encoding="utf-8")
        except FileNotFoundError:
            not_built = NOT_BUILT.format(title=bundle.title, target=bundle.target)
            return HTMLResponse(not_built, status_code=503, headers=PAGE_HEADERS)
        return HTMLResponse(html, headers=PAGE_HEADERS)

    return page


def page_routes(console: Bundle | None = CONSOLE, graphiql: Bundle | None = GRAPHIQL) -> list[BaseRoute]:
    """`/`, which is the console or, without it, leads to GraphiQL; and the assets of both. What is None is not there."""
    routes: list[BaseRoute] = [
        Mount(bundle.assets_path, app=Assets(directory=bundle.dist / "assets", check_dir=False))
        for bundle in (console, graphiql)
        if bundle
    ]
    if console:
        routes.append(Route("/", page_of(console), methods=["GET"]))
    elif graphiql:
        routes.append(Route("/", to_graphiql, methods=["GET"]))
    return routes


async def to_graphiql(_request: Request) -> Response:
    return RedirectResponse("/graphql")


class Assets(StaticFiles):
    """The files of a bundle, kept by browsers for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(ASSET_HEADERS)
        return response

    async def check_config(self) -> None:
        """A bundle that is not built has no files: 404, where Starlette's own check would answer 500."""
