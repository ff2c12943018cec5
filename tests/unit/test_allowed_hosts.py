"""What the list of hosts takes, and which settings need no list (`security.md` A6)."""

import pytest
from pydantic import ValidationError

from server.settings import Settings
from server.trust.authenticating import trusts_loopback
from server.trust.hosts import checked_host

HOSTS = ["api.example", "localhost", "10.0.0.7", "[2001:db8::7]", "*.internal.example", "a_b.example", "*"]
OTHERS = [
    "",
    "API.example",
    "api.example:8000",
    "https://api.example",
    "api.example/",
    "*.*.example",
    "a*.example",
    "2001:db8::7",
    "bücher.example",
    "a.example b.example",
    "api.example\n",
]


@pytest.mark.parametrize("host", HOSTS)
def test_a6_a_host_is_taken_as_it_is_asked_for(host: str) -> None:
    assert checked_host(host) == host


@pytest.mark.parametrize("text", OTHERS)
def test_a6_what_nobody_would_ask_for_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no host: write a name or an address"):
        checked_host(text)


def test_a6_the_setting_is_a_list_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPGRAPH_ALLOWED_HOSTS", " a.example, *.b.example ,")
    assert Settings().allowed_hosts == ("a.example", "*.b.example")
    assert Settings.model_validate_json(Settings().model_dump_json()) == Settings()
    with pytest.raises(ValidationError, match=r"A\.example' is no host"):
        Settings(allowed_hosts=("A.example",))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, True),
        ({"host": "127.0.0.2"}, True),
        ({"host": "::1"}, True),
        ({"host": "localhost"}, True),
        ({"host": "127.0.0.1", "insecure_allow_public": True}, True),
        ({"host": "192.0.2.7", "insecure_allow_public": True}, False),
        ({"host": "server.example", "insecure_allow_public": True}, False),
        ({"auth": "jwt"}, False),
    ],
)
def test_a6_loopback_is_trusted_where_nobody_is_asked_for_a_token(
    given: dict[str, object], expected: bool
) -> None:
    assert trusts_loopback(Settings(**given)) is expected
