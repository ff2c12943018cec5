"""What `docs/glossary.md` lists is what there is."""

import re

from tests.api import SCHEMA
from tests.docs.pages import table

UNIONS = ("TransitionResult", "TemplateResult", "ClaimResult", "BulkResult")


def test_every_refusal_is_listed() -> None:
    members = {each.name for union in UNIONS for each in SCHEMA._schema.get_type(union).types}
    (told,) = [row[1] for row in table("docs/glossary.md", "Glossary") if row[0] == "refusal"]
    assert set(re.findall(r"`(\w+)`", told)) == {name for name in members if not name.endswith("Success")}
