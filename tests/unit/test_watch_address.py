"""Where `stepgraph watch` connects to."""

import pytest

from server.watching.address import Address, BadAddress


@pytest.mark.parametrize(
    ("url", "websocket", "shown"),
    [
        ("http://127.0.0.1:8000", "ws://127.0.0.1:8000/graphql", "http://127.0.0.1:8000"),
        ("http://127.0.0.1:8000/", "ws://127.0.0.1:8000/graphql", "http://127.0.0.1:8000"),
        ("http://127.0.0.1:8000/graphql", "ws://127.0.0.1:8000/graphql", "http://127.0.0.1:8000"),
        ("https://flows.example/graphql/", "wss://flows.example/graphql", "https://flows.example"),
        (
            "https://flows.example/team/a",
            "wss://flows.example/team/a/graphql",
            "https://flows.example/team/a",
        ),
        ("HTTP://[::1]:8000", "ws://[::1]:8000/graphql", "http://[::1]:8000"),
        ("wss://flows.example", "wss://flows.example/graphql", "https://flows.example"),
        ("https://me:secret@flows.example", "wss://me:secret@flows.example/graphql", "https://flows.example"),
    ],
)
def test_a_url_with_or_without_the_path_is_one_address(url: str, websocket: str, shown: str) -> None:
    address = Address.of(url)
    assert (address.websocket_url, address.shown) == (websocket, shown)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000",
        "ftp://x",
        "http://",
        "http://x:port",
        "http://x:99999",
        "http://[::1",
        "http://x/?a=1",
    ],
)
def test_what_names_no_server_is_refused_with_what_was_given(url: str) -> None:
    with pytest.raises(BadAddress) as refused:
        Address.of(url)
    assert repr(url) in str(refused.value)


def test_a_refusal_shows_no_password() -> None:
    with pytest.raises(BadAddress) as refused:
        Address.of("ftp://me:se/c@ret@x")
    assert "'ftp://x'" in str(refused.value)


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("http://localhost", True),
        ("http://127.0.0.5:1", True),
        ("http://[::1]", True),
        ("http://10.0.0.1", False),
    ],
)
def test_only_the_machines_own_addresses_are_reached_without_a_proxy(url: str, is_here: bool) -> None:
    assert Address.of(url).is_here is is_here
