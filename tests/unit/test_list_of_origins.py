"""What the list of origins takes: an origin as browsers write it, for it is compared as a whole (`security.md` A6)."""

import pytest
from pydantic import ValidationError

from server.settings import Settings
from server.trust.origins import checked_origin

ORIGINS = [
    "https://app.example",
    "http://app.example:8080",
    "https://xn--bcher-kva.example",
    "http://localhost:5173",
    "http://127.0.0.1:1",
    "http://[::1]:3000",
    "tauri://localhost",
    "chrome-extension://abcdefghijklmnop",
]
OTHERS = [
    "*",
    "null",
    "",
    "app.example",
    "https://",
    "https://*.example",
    "https://App.example",
    "HTTPS://app.example",
    "https://app.example/",
    "https://app.example/path",
    "https://app.example?",
    "https://user@app.example",
    "https://app.example:",
    "https://app.example:0",
    "https://app.example:443",
    "http://app.example:80",
    "https://bücher.example",
    "https://app.example\n",
    "https://a.example https://b.example",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_a6_an_origin_is_taken_as_browsers_write_it(origin: str) -> None:
    assert checked_origin(origin) == origin


@pytest.mark.parametrize("text", OTHERS)
def test_a6_what_no_browser_would_send_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no origin: write scheme://host"):
        checked_origin(text)


def test_a6_the_setting_is_a_list_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPGRAPH_ORIGINS", " https://a.example, https://b.example:8443 ,")
    assert Settings().origins == ("https://a.example", "https://b.example:8443")
    assert Settings.model_validate_json(Settings().model_dump_json()) == Settings()
    with pytest.raises(ValidationError, match=r"A\.example' is no origin"):
        Settings(origins=("https://A.example",))


def test_a6_there_is_no_other_origin_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STEPGRAPH_ORIGINS", raising=False)
    assert Settings().origins == ()
