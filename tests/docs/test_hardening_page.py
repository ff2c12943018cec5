"""The settings of `docs/hardening.md` do what it says, and its requests name documents that a server runs."""

import json
from pathlib import Path

import httpx

from server.operations.document_directory import FRONTEND_QUERIES, documents_in
from server.operations.documents import sha256_of
from tests.databases import sqlite_url
from tests.docs.owners import runs
from tests.docs.pages import Block, in_section
from tests.docs.terminal import TypedServer, typed
from tests.servers import NO_TLS

PAGE = "docs/hardening.md"
BY_ID, BY_HASH = in_section(PAGE, "Documents", "json")
(MANIFEST,) = in_section(PAGE, "Documents", "sh")
(ORIGINS,) = in_section(PAGE, "Origins", "sh")
(HOSTS,) = in_section(PAGE, "Hosts", "sh")
(PRODUCTION,) = in_section(PAGE, "For production", "sh")
SHORTENED = "5f1e0d…"
TYPENAME = "/graphql?query={__typename}"


def serving(directory: Path, *settings: Block) -> TypedServer:
    """A server with the settings of these blocks, to be started."""
    database = {"STEPGRAPH_DATABASE": sqlite_url(directory / "hardened.db")}
    return TypedServer("".join(block.text for block in settings), cwd=directory, variables=database)


def template_list() -> str:
    """The id of a ready operation that needs no variables."""
    (found,) = [text for text in documents_in(FRONTEND_QUERIES).values() if "query TemplateList" in text]
    return sha256_of(found)


@runs(MANIFEST)
def test_the_manifest_has_every_ready_operation() -> None:
    (printed,) = typed(MANIFEST.text)
    assert {each["body"] for each in json.loads(printed)["operations"]} == set(
        documents_in(FRONTEND_QUERIES).values()
    )


@runs(PRODUCTION, BY_ID, BY_HASH)
def test_in_production_a_document_is_named_and_nothing_else_is_run(tmp_path: Path) -> None:
    with serving(tmp_path, PRODUCTION) as server:
        for block in (BY_ID, BY_HASH):
            assert SHORTENED in block.text
            body = json.loads(block.text.replace(SHORTENED, template_list()))
            answer = httpx.post(
                f"{server.url}/graphql", json=body, timeout=60, trust_env=False, verify=NO_TLS
            )
            assert list(answer.json()) == ["data"], str(block)
        assert "errors" in server.answer(TYPENAME).json()
        assert server.answer("/").status_code == 404


@runs(ORIGINS, HOSTS)
def test_the_listed_origins_and_hosts_are_answered(tmp_path: Path) -> None:
    with serving(tmp_path, ORIGINS, HOSTS) as server:
        of_origins = {
            origin: server.answer(TYPENAME, Origin=origin).status_code
            for origin in ("https://app.example", "http://localhost:5173", "https://other.example")
        }
        of_hosts = {
            host: server.answer("/healthz", Host=host).status_code
            for host in ("stepgraph.test", "a.internal.example", "internal.example")
        }
    assert list(of_origins.values()) == [200, 200, 403]
    assert list(of_hosts.values()) == [200, 200, 400]
