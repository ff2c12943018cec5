"""Style habits 1 and 8: what pages say of statuses, settings and bounds is made of the code and compared with it."""

import pytest

from db.runtime.statuses import EXECUTION_TRANSITIONS, STEP_TRANSITIONS
from db.runtime.versions import VERSION_TRANSITIONS
from server.settings import Settings
from tests.docs.diagrams import arrows
from tests.docs.generated import MAKERS, parts
from tests.docs.pages import page_names, read, table
from tests.docs.settings_table import command_names, options_of

PARTS = [(page, name) for page in page_names() for name in parts(read(page))]
LIVES = {
    "Execution": EXECUTION_TRANSITIONS,
    "Attempt at a step": STEP_TRANSITIONS,
    "Template version": VERSION_TRANSITIONS,
}


@pytest.mark.parametrize(("page", "name"), PARTS)
def test_a_generated_part_is_as_the_code_has_it(page: str, name: str) -> None:
    written = parts(read(page))[name]
    assert written == MAKERS[name](), f"{page} is out of date: python -m tests.docs.generated"


def test_everything_that_can_be_generated_stands_on_a_page() -> None:
    assert sorted(name for _, name in PARTS) == sorted(MAKERS)


@pytest.mark.parametrize("section", LIVES)
def test_the_causes_of_changes_are_told_for_every_arrow_of_the_tables(section: str) -> None:
    told = [row[0].replace("`", "").split(" → ") for row in table("docs/lifecycle.md", section)]
    assert sorted(map(tuple, told)) == sorted(arrows(LIVES[section]))


def test_every_command_of_the_command_line_is_told() -> None:
    told = [row[0].strip("`") for row in table("docs/configuration.md", "Commands")]
    assert told == command_names()


def test_serve_takes_every_setting_as_an_option_but_the_secret() -> None:
    """Everybody on a machine sees the options of a process."""
    of_clients = {"url", "token", "token_file"}
    assert options_of("serve") == Settings.model_fields.keys() - {"jwt_secret", *of_clients}
