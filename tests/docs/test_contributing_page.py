"""The places of the code that `docs/contributing.md` names are there."""

import re

import pytest

from tests.docs.pages import ROOT, read

PLACES = sorted(
    set(re.findall(r"`((?:db|schema|server|tests|frontend_queries)/[^` ]*)`", read("docs/contributing.md")))
)


@pytest.mark.parametrize("place", PLACES)
def test_what_it_names_is_there(place: str) -> None:
    assert (ROOT / place).exists()
