"""What `docs/retention.md` has one type removes what is old, and says how much that was."""

from pathlib import Path

from tests.databases import sqlite_url
from tests.docs.owners import runs
from tests.docs.pages import in_section
from tests.docs.terminal import PROGRAM, typed

(PRUNE,) = in_section("docs/retention.md", "Retention", "sh")


@runs(PRUNE)
def test_of_a_new_database_nothing_is_removed(tmp_path: Path) -> None:
    database = {"STEPGRAPH_DATABASE": sqlite_url(tmp_path / "pruned.db")}
    typed(f"{PROGRAM} migrate", **database)
    history, executions = typed(PRUNE.text, **database)
    assert history.startswith("Removed 0 changes from before ")
    assert executions.startswith("Deleted 0 trees last changed before ")
