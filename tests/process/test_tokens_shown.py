"""`stepgraph watch` and `stepgraph types --url` with a server that asks for tokens (`security.md` A1, W4)."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from server.demo import demo_definition
from server.watching.address import Address
from server.watching.events import Changed, Snapshot
from server.watching.follower import Follower
from server.watching.token import TokenRefused, TokenSource
from tests.databases import sqlite_url
from tests.frontend_documents import document
from tests.issuer import AUDIENCE, ISSUER, SECRET, secret_token
from tests.process.commands import invoke
from tests.process.test_tokens_served import outcome, post
from tests.servers import Ended, ServerProcess, run_command

NOWHERE = "exec_00000000000000000000000000"
UNKNOWN = f"There is no execution with the id '{NOWHERE}'.\n"
NO_TOKEN = "set STEPGRAPH_TOKEN or STEPGRAPH_TOKEN_FILE"
LASTS = 4  # seconds, of a token that is to expire


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that asks for tokens which a secret has signed."""
    directory = tmp_path_factory.mktemp("tokens")
    variables = {
        "STEPGRAPH_AUTH": "jwt",
        "STEPGRAPH_JWT_ISSUER": ISSUER,
        "STEPGRAPH_JWT_AUDIENCE": AUDIENCE,
        "STEPGRAPH_JWT_SECRET": SECRET,
    }
    options = ("--demo", "--database", sqlite_url(directory / "tokens.db"))
    with ServerProcess(*options, cwd=directory, variables=variables) as running:
        yield running


def test_a_token_is_shown_from_wherever_it_is_given(server: ServerProcess, tmp_path: Path) -> None:
    good, bad = secret_token(), secret_token("another secret that is long enough as well")
    path = tmp_path / "token"
    path.write_text(f"{good}\n")
    watch = ("watch", NOWHERE, "--url", server.url)
    told = Ended(5, "", UNKNOWN)
    assert run_command(*watch, "--token", good, cwd=tmp_path, variables={"STEPGRAPH_TOKEN": bad}) == told
    assert invoke(*watch, variables={"STEPGRAPH_TOKEN": good}) == told
    assert invoke(*watch, "--token-file", str(path), variables={"STEPGRAPH_TOKEN": bad}) == told
    assert invoke(*watch, variables={"STEPGRAPH_TOKEN_FILE": str(path), "STEPGRAPH_TOKEN": bad}) == told


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (None, f"The server asks for a token (There is no bearer token): {NO_TOKEN}."),
        ("nonsense", "The server refuses the token: The token is malformed."),
        (
            secret_token(exp=datetime(2020, 1, 1, tzinfo=UTC)),
            "The server refuses the token: The token has expired.",
        ),
        (
            secret_token(aud="elsewhere"),
            "The server refuses the token: The token was not issued for this server.",
        ),
        (secret_token(scope=""), "executions:read"),
    ],
    ids=["none", "malformed", "expired", "of another audience", "without a scope"],
)
def test_a_token_that_does_not_do_is_told_in_one_line(
    server: ServerProcess, token: str | None, reason: str
) -> None:
    shown = [] if token is None else ["--token", token]
    watched = invoke("watch", NOWHERE, "--url", server.url, *shown)
    printed = invoke("types", "verify", "--language", "python", "--url", server.url, *shown)
    assert (watched.code, printed.code) == (7, 1)
    for ended in (watched, printed):
        assert ended.output == ""
        assert reason in ended.errors
        assert ended.errors.count("\n") == 1
        assert token is None or token not in ended.errors


def test_types_are_printed_for_who_shows_a_token(server: ServerProcess) -> None:
    types = ("types", "verify", "--language", "python", "--url", server.url)
    printed = invoke(*types, "--token", secret_token(scope="templates:write"))
    assert (printed.code, printed.errors) == (0, "")
    assert "class VerifyOutput" in printed.output


def test_a_source_of_a_token_that_is_none_is_refused(server: ServerProcess, tmp_path: Path) -> None:
    for command in (("watch", NOWHERE), ("types", "verify")):
        ended = invoke(*command, "--url", server.url, "--token-file", str(tmp_path / "missing"))
        assert (ended.code, ended.output) == (1, "")
        assert ended.errors.startswith("--token-file (STEPGRAPH_TOKEN_FILE): ")
        assert ended.errors.endswith("missing cannot be read: No such file or directory.\n")
        both = invoke(*command, "--url", server.url, "--token", "t", "--token-file", "f")
        assert both == Ended(1, "", "--token and --token-file: give one of them.\n")


async def test_a_token_that_expires_is_read_anew_where_it_stands_in_a_file(
    server: ServerProcess, tmp_path: Path
) -> None:
    execution = await asyncio.to_thread(create, server)
    expires_at = datetime.now(UTC) + timedelta(seconds=LASTS)
    short, path = secret_token(exp=expires_at), tmp_path / "token"
    path.write_text(short)
    address = Address.of(server.url)
    with_file = Follower(address, execution["id"], token=TokenSource(file=path))
    with_text = Follower(address, execution["id"], token=TokenSource(short))
    async with aclosing(with_file.events()) as renewed, aclosing(with_text.events()) as left:
        assert isinstance(await anext(renewed), Snapshot)
        assert isinstance(await anext(left), Snapshot)
        path.write_text(secret_token())
        with pytest.raises(TokenRefused, match=r"The token has expired\.$"):
            await anext(left)
        cancel = {"input": {"id": execution["id"]}}
        writer = secret_token(scope="executions:write")
        answer = await asyncio.to_thread(lambda: post(server, document("CancelExecution"), writer, **cancel))
        assert outcome(answer)["__typename"] == "TransitionSuccess"
        assert isinstance(await anext(renewed), Changed)


def create(server: ServerProcess) -> dict[str, Any]:
    given = {"workflowTemplateKey": "verify", "context": {"customerId": "c-1"}}
    created = post(server, document("StartExecution"), secret_token(scope="executions:write"), input=given)
    execution: dict[str, Any] = outcome(created)["workflowExecution"]
    return execution


def test_definitions_are_published_with_a_token_that_may(server: ServerProcess, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({**demo_definition("verify"), "id": "mine"}), encoding="utf-8")
    url = ("--url", server.url)
    assert NO_TOKEN in invoke("publish", str(file), *url).errors
    reads, publishes = secret_token(scope="executions:read"), secret_token(scope="templates:write")
    assert invoke("validate", str(file), *url, "--token", reads).code == 0
    refused = invoke("publish", str(file), *url, "--token", reads)
    assert (refused.code, "templates:write" in refused.errors) == (1, True)
    told = "Created the template 'mine' in version 1.0.0; it runs from now on.\n"
    assert invoke("publish", str(file), *url, "--token", publishes) == Ended(0, told, "")
