"""Which web pages may use the server: exactly those of its own origin and of the list, on every transport (A6)."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.protocol.raw_client import raw_client
from tests.protocol.serving import Toy, served_toy

APP = "https://app.example"
PORT = "https://ports.example:8443"

ADMITTED = {
    "none": None,
    "its own": "http://{own}",
    "its own, where TLS ends before it": "https://{own}",
    "a listed one": APP,
    "a listed one with a port": PORT,
}
FOREIGN = {
    "another": "https://evil.example",
    "another scheme": "http://app.example",
    "another port": "https://app.example:8443",
    "the default port": "https://app.example:443",
    "the list's without its port": "https://ports.example",
    "the list's port with more": "https://ports.example:84430",
    "a sub-domain": "https://sub.app.example",
    "the domain above": "https://example",
    "a suffix": "https://app.example.evil.example",
    "a suffix without a dot": "https://app.exampleevil",
    "a prefix": "https://evilapp.example",
    "a prefix with a hyphen": "https://evil-app.example",
    "the beginning": "https://app.exampl",
    "a user": "https://app.example@evil.example",
    "a user before it": "https://evil@app.example",
    "a path": "https://app.example/",
    "a dot at the end": "https://app.example.",
    "upper case": "https://APP.example",
    "a scheme in upper case": "HTTPS://app.example",
    "null": "null",
    "Null": "Null",
    "nothing": "",
    "an asterisk": "*",
    "two": "https://app.example https://evil.example",
    "two with a comma": "https://app.example, https://evil.example",
    "no scheme": "app.example",
    "no scheme but slashes": "//app.example",
    "its own address with another port": "http://127.0.0.1:1",
    "its own address without a port": "http://127.0.0.1",
    "its own name": "http://localhost:{port}",
    "its own after a user": "http://user@{own}",
    "its own with a path": "http://{own}/graphql",
    "its own with another scheme": "ws://{own}",
    "no URL": "http://[",
    "not ASCII": "https://app.exämple",
}


@pytest.fixture
async def toy() -> AsyncIterator[Toy]:
    async with served_toy(origins=(APP, PORT)) as serving:
        yield serving


def filled(toy: Toy, origin: str) -> str:
    return origin.format(own=f"127.0.0.1:{toy.port}", port=toy.port)


async def asked(toy: Toy, *origins: str, method: str = "POST", **headers: str) -> httpx.Response:
    """One query, with so many `Origin` headers."""
    sent = [("Origin", origin.encode("latin-1")) for origin in origins]
    more = [(name.replace("_", "-"), value) for name, value in headers.items()]
    options: dict[str, Any] = {"json": {"query": "{ hello }"}} if method == "POST" else {}
    if method == "GET":
        options["params"] = {"query": "{ hello }"}
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.request(method, toy.url, headers=[*sent, *more], **options)


@pytest.mark.parametrize("origin", ADMITTED.values(), ids=ADMITTED.keys())
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_a6_http_answers_its_own_pages_and_those_of_the_list(
    toy: Toy, origin: str | None, method: str, accept: str
) -> None:
    sent = () if origin is None else (filled(toy, origin),)
    response = await asked(toy, *sent, method=method, accept=accept)
    assert response.status_code == 200
    assert '{"data":{"hello":"world"}}' in response.text
    assert "Origin" in response.headers["vary"]
    is_listed = origin in (APP, PORT)
    assert response.headers.get("access-control-allow-origin") == (origin if is_listed else None)
    assert (response.headers.get("access-control-allow-credentials") == "true") == bool(sent)


@pytest.mark.parametrize("origin", FOREIGN.values(), ids=FOREIGN.keys())
async def test_a6_http_refuses_every_other_page(toy: Toy, origin: str) -> None:
    for method in ("GET", "POST"):
        response = await asked(toy, filled(toy, origin), method=method)
        assert response.status_code == 403
        (error,) = response.json()["errors"]
        assert error["extensions"] == {"code": "ORIGIN_NOT_ALLOWED"}
        assert "access-control-allow-origin" not in response.headers
        assert response.headers["vary"] == "Accept, Origin"


@pytest.mark.parametrize("origin", ADMITTED.values(), ids=ADMITTED.keys())
async def test_a6_a_socket_opens_for_them(toy: Toy, origin: str | None) -> None:
    options = {} if origin is None else {"origin": filled(toy, origin)}
    async with raw_client(toy, **options) as client:
        await client.init()


# This client sends ASCII only; another origin is in `tests/process/test_bad_websocket.py`.
@pytest.mark.parametrize(
    "origin", [pytest.param(each, id=name) for name, each in FOREIGN.items() if each.isascii()]
)
async def test_a6_a_handshake_of_any_other_page_is_403(toy: Toy, origin: str) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        async with raw_client(toy, origin=filled(toy, origin)):
            pass
    assert len(toy.endpoint.websocket) == 0


@pytest.mark.parametrize(
    "origins", [(APP, "https://evil.example"), ("https://evil.example", APP), (APP, APP)]
)
async def test_a6_two_origins_are_none_that_is_allowed(toy: Toy, origins: tuple[str, str]) -> None:
    assert (await asked(toy, *origins)).status_code == 403
    first, second = origins
    with pytest.raises(InvalidStatus, match="400"):  # no handshake at all
        async with raw_client(toy, origin=first, additional_headers=[("Origin", second)]):
            pass


async def test_a6_without_a_list_only_its_own_pages_may() -> None:
    async with served_toy() as toy:
        assert (await asked(toy, toy.origin)).status_code == 200
        assert (await asked(toy, APP)).status_code == 403
        assert (await preflight(toy, APP)).status_code == 400


async def test_a6_its_own_origin_is_that_of_the_host_that_was_asked_for(toy: Toy) -> None:
    for host, origin in (("api.example", "https://api.example"), ("API.example:81", "http://api.example:81")):
        assert (await asked(toy, origin, host=host)).status_code == 200
        assert (await asked(toy, toy.origin, host=host)).status_code == 403


async def test_a6_behind_tls_the_page_without_tls_is_foreign(toy: Toy) -> None:
    secure = {"host": "api.example", "x_forwarded_proto": "https"}
    assert (await asked(toy, "https://api.example", **secure)).status_code == 200
    assert (await asked(toy, "http://api.example", **secure)).status_code == 403


# ---- Preflights


async def preflight(
    toy: Toy, origin: str, method: str = "POST", headers: str = "content-type"
) -> httpx.Response:
    return await asked(
        toy,
        origin,
        method="OPTIONS",
        access_control_request_method=method,
        access_control_request_headers=headers,
    )


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("headers", ["content-type", "authorization,content-type,last-event-id,traceparent"])
async def test_a6_a_preflight_of_the_list_says_what_its_pages_may_send(
    toy: Toy, method: str, headers: str
) -> None:
    response = await preflight(toy, APP, method, headers)
    assert response.status_code == 200
    allowed = {name: value for name, value in response.headers.items() if name.startswith("access-control-")}
    assert allowed == {
        "access-control-allow-origin": APP,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": (
            "Accept, Accept-Language, Authorization, Content-Language, Content-Type, Last-Event-ID, traceparent, "
            "tracestate"
        ),
        "access-control-max-age": "600",
    }
    assert response.headers["vary"].startswith("Origin,")


@pytest.mark.parametrize("origin", FOREIGN.values(), ids=FOREIGN.keys())
async def test_a6_a_preflight_of_any_other_page_allows_nothing(toy: Toy, origin: str) -> None:
    response = await preflight(toy, filled(toy, origin))
    assert response.status_code == 400
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(("method", "headers"), [("DELETE", "content-type"), ("POST", "x-something-else")])
async def test_a6_a_preflight_for_anything_else_is_refused(toy: Toy, method: str, headers: str) -> None:
    assert (await preflight(toy, APP, method, headers)).status_code == 400


# ---- What a page can send without a preflight


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", None],
)
@pytest.mark.parametrize("origin", [None, APP])
async def test_a6_a_form_does_nothing(toy: Toy, content_type: str | None, origin: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    headers |= {} if origin is None else {"origin": origin}
    async with httpx.AsyncClient(trust_env=False) as http:
        body = b'{"query": "mutation { change(value: 3) }"}'
        response = await http.post(toy.url, content=body, headers=headers)
    assert (response.status_code, toy.world.value) == (415, 0)


async def test_a6_a_mutation_by_a_link_does_nothing(toy: Toy) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        response = await http.get(toy.url, params={"query": "mutation { change(value: 3) }"})
    assert (response.status_code, response.headers["allow"], toy.world.value) == (405, "POST", 0)
