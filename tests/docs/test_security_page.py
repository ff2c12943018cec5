"""A server that is set up as `docs/security.md` says asks who asks."""

from pathlib import Path

from tests.databases import sqlite_url
from tests.docs.owners import runs
from tests.docs.pages import in_section
from tests.docs.terminal import TypedServer
from tests.issuer import token
from tests.key_server import KeyServer

(TOKENS,) = in_section("docs/security.md", "Who asks", "sh")


@runs(TOKENS)
def test_a_server_answers_who_shows_a_token_of_the_issuer(tmp_path: Path) -> None:
    database = {"STEPGRAPH_DATABASE": sqlite_url(tmp_path / "tokens.db")}
    with KeyServer() as keys:
        replaced = {"https://login.example.com/.well-known/jwks.json": keys.url, "192.0.2.7": "127.0.0.1"}
        with TypedServer(TOKENS.text, cwd=tmp_path, replaced=replaced, variables=database) as server:
            shown = f"Bearer {token(iss='https://login.example.com/')}"
            path = "/graphql?query={__typename}"
            assert server.answer(path).status_code == 401
            assert server.answer(path, Authorization=f"Bearer {token()}").status_code == 401
            assert server.answer(path, Authorization=shown).json() == {"data": {"__typename": "Query"}}
