"""`stepgraph prune`: what it says, what it refuses and with which exit code, beside a server that runs."""

import asyncio
import re
from pathlib import Path

import pytest

from db.migrate import migrate
from tests.databases import sqlite_url
from tests.process.commands import invoke
from tests.process.workflows import create
from tests.servers import Ended, ServerProcess, run_command

MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
CANCEL = """
  mutation ($id: ID!) { cancelWorkflowExecution(input: { id: $id }) { __typename } }
"""
SHOWN = "query ($id: ID!) { workflowExecution(id: $id) { treeRevision changes { totalCount } } }"


@pytest.mark.parametrize("given", ["30d", "12h", "30", "", "P", "P-1D", "a month", "P1D\n", "P30D " * 30])
def test_a_wrong_duration_is_refused_with_an_example(given: str, tmp_path: Path) -> None:
    ended = invoke("prune", "--before", given, "--database", sqlite_url(tmp_path / "x.db"))
    assert (ended.code, ended.output) == (1, "")
    assert ended.errors.startswith("--before: ")
    assert ended.errors.endswith("is not an ISO 8601 duration, such as PT10S, P3D or P1Y6M.\n")
    assert ended.errors.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", ["P0D", "P1001Y"])
def test_no_time_and_too_much_are_refused(given: str) -> None:
    ended = invoke("prune", "--before", given)
    assert (ended.code, ended.output) == (1, "")
    assert ended.errors.startswith(f"--before: '{given}' is ")


def test_without_a_duration_it_is_a_usage_error() -> None:
    ended = invoke("prune", "--executions")
    assert (ended.code, ended.output) == (2, "")
    assert "--before" in ended.errors


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    ended = invoke("prune", "--before", "P30D", "--database", sqlite_url(path))
    assert ended == Ended(1, "", f"There is no database file {path}.\n")
    assert not path.exists()


def test_an_older_database_is_refused_with_what_to_run(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.touch()
    ended = run_command("prune", "--before", "P30D", "--database", sqlite_url(path), cwd=tmp_path)
    assert (ended.code, ended.output) == (1, "")
    assert "run `stepgraph migrate` first" in ended.errors


async def test_beside_a_running_server(served_database_url: str, tmp_path: Path) -> None:
    """What is young stays; then everything is old, and what has ended goes as well."""
    await migrate(served_database_url)
    with ServerProcess("--demo", "--database", served_database_url, cwd=tmp_path) as server:
        going, over = [await create(server) for _ in range(2)]
        answer = server.graphql(CANCEL, id=over.id)
        assert answer["cancelWorkflowExecution"]["__typename"] == "TransitionSuccess"

        def prune(*options: str) -> str:
            ended = run_command("prune", *options, "--database", served_database_url, cwd=tmp_path)
            assert (ended.code, ended.errors) == (0, "")
            return re.sub(MOMENT, "MOMENT", ended.output)

        told = await asyncio.to_thread(prune, "--before", "P30D")
        assert told == "Removed 0 changes from before MOMENT.\n"
        told = await asyncio.to_thread(prune, "--before", "P30D", "--executions")
        assert told == "Deleted 0 trees last changed before MOMENT.\n"
        told = await asyncio.to_thread(prune, "--before", "PT0.001S", "--executions", "--dry-run")
        assert told == "Would have deleted 1 tree last changed before MOMENT.\n"
        told = await asyncio.to_thread(prune, "--before", "PT0.001S", "--executions")
        assert told == "Deleted 1 tree last changed before MOMENT.\n"
        assert server.graphql(SHOWN, id=over.id)["workflowExecution"] is None
        assert server.graphql(SHOWN, id=going.id)["workflowExecution"]["changes"]["totalCount"] == 5
