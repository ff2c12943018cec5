"""`stepgraph types`: types of a version from a database or from a server, and what is said where there are none."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from server.types import programs
from server.types.refusal import NoTypes
from tests.node import installed
from tests.process.commands import invoke
from tests.process.workflows import publish, send
from tests.servers import Ended, ServerProcess, run_command
from tests.types.modules import GOLDEN

VERIFY = (GOLDEN / "verify.ts").read_text(encoding="utf-8")
VERIFY_PYTHON = (GOLDEN / "verify.py.txt").read_text(encoding="utf-8")
NOWHERE = "http://127.0.0.1:1"


def refused(reason: str) -> Ended:
    """One line on the error stream, and nothing to write into a file."""
    return Ended(1, "", f"{reason}\n")


@pytest.mark.node
def test_the_types_are_those_of_the_database_and_of_the_server(
    served_database_url: str, tmp_path: Path
) -> None:
    installed(programs.TYPESCRIPT)
    assert invoke("demo", "--database", served_database_url).code == 0
    of_database = ("--database", served_database_url)
    assert run_command("types", "verify", *of_database, cwd=tmp_path) == Ended(0, VERIFY, "")
    assert invoke("types", "verify", "--language", "python", *of_database) == Ended(0, VERIFY_PYTHON, "")
    with ServerProcess("--database", served_database_url, cwd=tmp_path) as server:
        for url in (server.url, f"{server.url}/graphql"):
            assert invoke("types", "verify", "--url", url) == Ended(0, VERIFY, "")


def test_a_version_is_the_active_one_or_the_one_that_is_named(
    served_database_url: str, tmp_path: Path
) -> None:
    with ServerProcess("--demo", "--database", served_database_url, cwd=tmp_path) as server:
        asyncio.run(_make_versions(server))
        for source in (("--database", served_database_url), ("--url", server.url)):

            def types(*arguments: str, source: tuple[str, str] = source) -> Ended:
                return invoke("types", *arguments, "--language", "python", *source)

            assert "SecondOutput" in types("verify", "--version", "2.0.0").output
            assert types("verify") == Ended(0, VERIFY_PYTHON, "") == types("verify", "--version", "1.0.0")
            assert types("verify", "--version", "3.0.0") == refused(
                "Version 3.0.0 of the template 'verify' is a draft, which may still change: publish it first."
            )
            assert types("verify", "--version", "9") == refused("The template 'verify' has no version '9'.")
            assert types("no'where") == refused('There is no template with the key "no\'where".')
            assert types("idle") == refused(
                "The template 'idle' has no active version: name one with --version."
            )
            assert types("nothing") == refused(
                "the outputSchema of step do: its schema accepts no object, so there is no type DoOutput"
            )


async def _make_versions(server: ServerProcess) -> None:
    asked = '{ workflowTemplate(key: "verify") { id versions { nodes { id version } } } }'
    template_id = server.graphql(asked)["workflowTemplate"]["id"]
    for number in ("2.0.0", "3.0.0"):
        definition = _definition("second", {"type": "object"})
        given = {"workflowTemplateId": template_id, "version": number, "definition": definition}
        await send(server, "CreateVersion", "TemplateSuccess", input=given)
    versions = server.graphql(asked)["workflowTemplate"]["versions"]["nodes"]
    (second,) = [each["id"] for each in versions if each["version"] == "2.0.0"]
    await send(server, "PublishVersion", "TemplateSuccess", input={"id": second})
    await publish(server, _definition("do", {"type": "array"}), "nothing")
    idle = {"name": "Idle", "key": "idle", "definition": _definition("do", {}), "publish": True}
    await send(server, "CreateTemplate", "TemplateSuccess", input=idle)


def _definition(step: str, schema: Any) -> dict[str, Any]:
    steps = [("start", "start"), (step, "sys.task"), ("end", "end")]
    return {
        "id": "tried",
        "name": "Tried",
        "steps": [
            {"id": each, "type": kind, "name": each} | ({"outputSchema": schema} if each == step else {})
            for each, kind in steps
        ],
        "stepTransitions": [
            {"id": "t1", "fromStepId": "start", "toStepId": step},
            {"id": "t2", "fromStepId": step, "toStepId": "end"},
        ],
    }


def test_a_source_that_is_none_is_refused_and_nothing_is_made(
    tmp_path: Path, empty_postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert invoke("types", "verify") == refused("There is no SQLite file stepgraph.db.")
    assert invoke("types", "verify", "--database", empty_postgresql_url).errors.endswith(
        "migrations: run `stepgraph migrate` first.\n"
    )
    assert invoke("types", "verify", "--url", "flows").errors.startswith("--url: A URL begins with http://")
    assert invoke("types", "verify", "--url", NOWHERE).errors.startswith(f"Cannot connect to {NOWHERE}: ")
    both = ("--database", "sqlite+aiosqlite:///x.db", "--url", NOWHERE)
    assert invoke("types", "verify", *both) == refused("--database and --url: give one of them.")
    assert list(tmp_path.iterdir()) == []


# ---- What the types are made with


def test_typescript_says_what_it_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(programs, "PATH", str(tmp_path))
    with pytest.raises(NoTypes, match=r"needs Node\.js and a package: run `make setup`"):
        programs.typescript({})


@pytest.mark.node
def test_typescript_says_that_its_package_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(programs, "TYPESCRIPT", tmp_path)
    with pytest.raises(NoTypes, match=r"needs Node\.js and a package: run `make setup`"):
        programs.typescript({})


def test_python_says_which_requirements_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "PYDANTIC_MODELS", "a_package_that_nobody_has")
    with pytest.raises(NoTypes, match=r"pip install --require-hashes -r requirements-types\.txt"):
        programs.pydantic_models({})


def test_a_program_that_fails_is_told_by_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoTypes, match=r"^The schemas cannot be turned into types: ValueError: why$"):
        programs.run([sys.executable, "-c", "raise ValueError('why')"], {})
    monkeypatch.setattr(programs, "SECONDS", 0.1)
    with pytest.raises(NoTypes, match=r"^No types within 0\.1 seconds"):
        programs.run([sys.executable, "-c", "import threading; threading.Event().wait()"], {})
