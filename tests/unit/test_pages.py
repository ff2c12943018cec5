"""The console, GraphiQL and their assets as HTTP answers. What a browser makes of them: `tests/browser/`."""

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from server.pages import CONTENT_SECURITY_POLICY, Bundle, page_of, page_routes


def client_of(dist: Path, *, console: bool = True) -> httpx.AsyncClient:
    graphiql = Bundle("GraphiQL", "graphiql", dist)
    pages = page_routes(Bundle("The console", "console", dist) if console else None, graphiql)
    app = Starlette(routes=[Route("/graphql", page_of(graphiql)), *pages])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>A page</title>", encoding="utf-8")
    (tmp_path / "assets" / "index-abc123.js").write_text("export {}", encoding="utf-8")
    return tmp_path


def directives(policy: str) -> dict[str, str]:
    return dict(directive.strip().split(" ", 1) for directive in policy.split(";"))


@pytest.mark.parametrize("path", ["/", "/graphql"])
async def test_a8_a_page_comes_with_a_strict_policy_and_is_checked_again_at_every_load(
    dist: Path, path: str
) -> None:
    async with client_of(dist) as client:
        answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.text == "<title>A page</title>"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["vary"] == "Accept"


def test_a8_nothing_foreign_may_be_loaded_and_no_page_may_frame_it() -> None:
    policy = directives(CONTENT_SECURITY_POLICY)
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == "'self'"
    allowed = {source for sources in policy.values() for source in sources.split()}
    assert allowed == {"'none'", "'self'", "'unsafe-inline'", "data:"}


@pytest.mark.parametrize(("path", "name"), [("/", "console"), ("/graphql", "graphiql")])
async def test_a_bundle_that_is_not_built_is_said_so_with_the_command_that_builds_it(
    tmp_path: Path, path: str, name: str
) -> None:
    async with client_of(tmp_path / "none") as client:
        page = await client.get(path)
        asset = await client.get(f"/{name}/assets/index-abc123.js")
    assert page.status_code == 503
    assert f"make {name}" in page.text
    assert page.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert asset.status_code == 404


async def test_a_bundle_that_is_built_while_the_server_runs_is_served(dist: Path) -> None:
    index = (dist / "index.html").rename(dist / "elsewhere.html")
    async with client_of(dist) as client:
        assert (await client.get("/graphql")).status_code == 503
        index.rename(dist / "index.html")
        assert (await client.get("/graphql")).status_code == 200


@pytest.mark.parametrize("name", ["console", "graphiql"])
async def test_assets_are_kept_for_good_because_their_names_hold_a_hash(dist: Path, name: str) -> None:
    async with client_of(dist) as client:
        answer = await client.get(f"/{name}/assets/index-abc123.js")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    ["/", "/missing.js", "/../index.html", "/%2e%2e/index.html", "/%00", "/%ff.js", "/" + "x" * 5_000],
)
async def test_only_files_of_the_assets_directory_are_served(dist: Path, path: str) -> None:
    async with client_of(dist) as client:
        answer = await client.get(f"/graphiql/assets{path}")
    assert answer.status_code == 404


async def test_without_the_console_the_index_leads_to_graphiql(dist: Path) -> None:
    async with client_of(dist, console=False) as client:
        answer = await client.get("/")
        asset = await client.get("/console/assets/index-abc123.js")
    assert asset.status_code == 404
    assert answer.status_code == 307
    assert answer.headers["location"] == "/graphql"
