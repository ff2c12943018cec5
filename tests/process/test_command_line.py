"""The command line: what it prints, what it refuses and with which exit code, what it leaves.

Every way that matters is tried as a process; spellings of one refusal are tried without.
"""

import asyncio
import socket
from pathlib import Path

import httpx
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from typer.main import get_command

from server.__main__ import cli
from server.demo.executions import STORIES
from server.operations.document_directory import (
    documents_in,
    known_documents,
)
from server.settings import Settings
from tests.databases import execute, sqlite_url
from tests.process.commands import invoke
from tests.process.pairs import pair_of_servers
from tests.process.quiet import said_since_start
from tests.process.workflows import create
from tests.servers import NO_TLS, ROOT, Ended, ServerProcess, run_command

SECRET = "hunter2"
DEMO_KEYS = sorted(path.stem for path in (ROOT / "server" / "demo").glob("*.json"))
COMMANDS: dict[str, list[str]] = {
    name: [str(parameter.opts[0]) for parameter in each.params if parameter.name in Settings.model_fields]
    for name, each in get_command(cli).commands.items()  # type: ignore[attr-defined]  # a group
}


def assert_refused(ended: Ended, *fragments: str) -> None:
    """One line on the error stream that says this, and nothing else."""
    assert ended.code == 1, ended
    assert ended.output == ""
    assert ended.errors.endswith("\n")
    assert ended.errors.count("\n") == 1, ended.errors
    for fragment in fragments:
        assert fragment in ended.errors
    assert SECRET not in ended.errors


# ---- What cannot work is refused: one line, exit code 1, nothing created

JWT = ("--auth", "jwt", "--jwt-issuer", "issuer", "--jwt-audience", "audience")

SERVE_REFUSALS = {
    "database that nobody serves": (
        ["--database", f"postgresql+asyncpg://user:{SECRET}@127.0.0.1:1/x"],
        ["postgresql+asyncpg://user:***@127.0.0.1:1/x", "Connection refused"],
    ),
    "database URL that is none": (["--database", "stepgraph.db"], ["'stepgraph.db'", "sqlite+aiosqlite:///"]),
    "database of another kind": (
        ["--database", f"mysql://user:{SECRET}@127.0.0.1/x"],
        ["mysql://user:***@127.0.0.1/x", "postgresql+asyncpg://"],
    ),
    "database driver that is not async": (["--database", "sqlite:///x.db"], ["sqlite:///x.db"]),
    "database URL with a port that is none": (
        ["--database", f"postgresql+asyncpg://user:{SECRET}@127.0.0.1:port/x"],
        ["port"],
    ),
    "SQLite without a file": (["--database", "sqlite+aiosqlite://"], ["names no file"]),
    "SQLite in memory": (["--database", "sqlite+aiosqlite:///:memory:"], ["names no file"]),
    "SQLite file in a directory that is missing": (
        ["--database", "sqlite+aiosqlite:///missing/x.db"],
        ["missing/x.db", "unable to open database file"],
    ),
    "broadcast URL that is none": (["--broadcast", "redis"], ["broadcast URL", "redis://"]),
    "broadcast of another kind": (["--broadcast", f"amqp://user:{SECRET}@127.0.0.1"], ["'amqp'", "kafka://"]),
    "broadcast URL with more than Kafka's takes": (
        ["--broadcast", f"kafka://user:{SECRET}@127.0.0.1"],
        ["use kafka://HOST:PORT"],
    ),
    "broadcast URL with a port that is none": (
        ["--broadcast", f"redis://user:{SECRET}@127.0.0.1:port"],
        ["broadcast URL", "port"],
    ),
    "several processes that cannot hear each other": (
        ["--workers", "2"],
        ["--workers 2 needs a broker", "redis://HOST:PORT or postgresql://"],
    ),
    "documents that there are not": (
        ["--documents", "all"],
        ["--documents (STEPGRAPH_DOCUMENTS)", "'trusted'"],
    ),
    "an origin that is every one": (
        ["--origins", "*"],
        ["--origins (STEPGRAPH_ORIGINS)", "'*' is no origin"],
    ),
    "a directory of documents that is missing": (
        ["--documents-dir", "missing"],
        ["There is no directory missing to read documents from"],
    ),
    "no process at all": (["--workers", "0"], ["--workers (STEPGRAPH_WORKERS)", "'0'"]),
    "port that is no number": (["--port", "http"], ["--port (STEPGRAPH_PORT)", "integer", "'http'"]),
    "port that does not exist": (["--port", "65536"], ["--port (STEPGRAPH_PORT)", "65535"]),
    "every address, and everybody may do everything": (
        ["--host", "0.0.0.0"],  # noqa: S104  # refused
        ["Refusing to listen on 0.0.0.0, where everybody could do everything", "--insecure-allow-public"],
    ),
    "every address of IPv6": (["--host", "::"], ["Refusing to listen on ::,"]),
    "no such way to know who asks": (["--auth", "basic"], ["--auth (STEPGRAPH_AUTH)", "'none' or 'jwt'"]),
    "tokens of nobody": (["--auth", "jwt"], ["--auth jwt needs --jwt-issuer (STEPGRAPH_JWT_ISSUER)"]),
    "tokens for nobody": (["--auth", "jwt", "--jwt-issuer", "i"], ["needs --jwt-audience"]),
    "tokens without a key": ([*JWT], ["needs exactly one of STEPGRAPH_JWT_SECRET and --jwt-jwks-url"]),
    "a key set at no address": (
        [*JWT, "--jwt-jwks-url", "file:///etc/passwd"],
        ["--jwt-jwks-url (STEPGRAPH_JWT_JWKS_URL) begins with http"],
    ),
    "an algorithm that a key set is not for": (
        [*JWT, "--jwt-jwks-url", "http://127.0.0.1:1/", "--jwt-algorithms", "RS256, HS256"],
        ["--jwt-algorithms (STEPGRAPH_JWT_ALGORITHMS): 'HS256' is none of RS256"],
    ),
    "an algorithm that is none": (
        [*JWT, "--jwt-jwks-url", "http://127.0.0.1:1/", "--jwt-algorithms", "none"],
        ["'none' is none of"],
    ),
    "a key set that is fetched without end": (
        [*JWT, "--jwt-jwks-url", "http://127.0.0.1:1/", "--jwt-refresh", "0"],
        ["--jwt-refresh (STEPGRAPH_JWT_REFRESH)", "'0'"],
    ),
    "host that is nobody's": (["--host", "host.invalid"], ["Cannot listen on host.invalid"]),
    "host of another machine": (["--host", "192.0.2.1"], ["Cannot listen on 192.0.2.1"]),
    # `getaddrinfo` takes it for every address that the machine has.
    "host without a name": (["--host", ""], ["--host (STEPGRAPH_HOST)", "at least 1 character"]),
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, which is empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("options", "fragments"), SERVE_REFUSALS.values(), ids=SERVE_REFUSALS.keys())
def test_serve_refuses_in_one_line_and_creates_nothing(
    options: list[str], fragments: list[str], here: Path
) -> None:
    port = [] if "--port" in options else ["--port", "0"]
    assert_refused(invoke("serve", *port, *options), *fragments)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    ["database that nobody serves", "SQLite file in a directory that is missing", "port that is no number"],
)
def test_a_process_ends_likewise(name: str, tmp_path: Path) -> None:
    options, fragments = SERVE_REFUSALS[name]
    port = [] if "--port" in options else ["--port", "0"]
    assert_refused(run_command("serve", *port, *options, cwd=tmp_path), *fragments)
    assert list(tmp_path.iterdir()) == []


def test_serve_refuses_a_port_that_is_taken_before_it_touches_the_database(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run_command("serve", "--demo", "--port", str(port), cwd=tmp_path)
    assert_refused(ended, f"Cannot listen on 127.0.0.1:{port}: Address already in use.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("variable", "value", "fragments"),
    [
        ("STEPGRAPH_PORT", "http", ["--port (STEPGRAPH_PORT)", "'http'"]),
        ("STEPGRAPH_DEMO", "perhaps", ["--demo (STEPGRAPH_DEMO)", "'perhaps'"]),
        ("STEPGRAPH_DATABASE", "", ["''", "sqlite+aiosqlite:///"]),
    ],
)
def test_a_wrong_environment_variable_is_named(
    variable: str, value: str, fragments: list[str], here: Path
) -> None:
    assert_refused(invoke("serve", variables={variable: value}), *fragments)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("name", ["migrate", "demo"])
def test_other_commands_refuse_a_database_likewise(name: str) -> None:
    url = f"postgresql+asyncpg://user:{SECRET}@127.0.0.1:1/x"
    assert_refused(invoke(name, "--database", url), "user:***@127.0.0.1:1/x")


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("not a database " * 100)
    ended = invoke("serve", "--port", "0", "--database", sqlite_url(notes))
    assert_refused(ended, "notes.txt", "file is not a database")
    assert notes.read_text() == "not a database " * 100


def test_a_database_of_a_newer_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "newer.db")
    assert invoke("migrate", "--database", url).code == 0
    engine = create_engine(url.replace("+aiosqlite", ""))
    with engine.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = 'ffff'")
    ended = invoke("serve", "--port", "0", "--database", url)
    assert_refused(ended, "newer.db", "a migration that this program does not know", "ffff")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select version_num from alembic_version").scalar() == "ffff"
    engine.dispose()


@pytest.mark.postgresql
def test_an_unmigrated_postgresql_is_refused_with_what_to_run(
    empty_postgresql_url: str, tmp_path: Path
) -> None:
    """A database that several processes share is migrated by a person."""
    option = ("--database", empty_postgresql_url)
    for ended in (run_command("serve", "--port", "0", *option, cwd=tmp_path), invoke("demo", *option)):
        assert_refused(ended, "The database lacks 7 migrations: run `stepgraph migrate` first.")
    assert invoke("migrate", "--database", empty_postgresql_url).code == 0


@pytest.mark.postgresql
def test_a_database_that_gives_too_few_connections_is_refused_in_one_line(
    migrated_postgresql_url: str, tmp_path: Path
) -> None:
    """What fails only when the parts start is told as what fails before."""
    role = f"{make_url(migrated_postgresql_url).database}_role"
    execute(migrated_postgresql_url, f"create role {role} login connection limit 1")
    try:
        execute(migrated_postgresql_url, f"grant all on all tables in schema public to {role}")
        url = make_url(migrated_postgresql_url).set(username=role).render_as_string(hide_password=False)
        ended = run_command("serve", "--port", "0", "--database", url, cwd=tmp_path)
    finally:
        execute(migrated_postgresql_url, f"drop owned by {role}; drop role {role}")
    assert_refused(ended, f"{role}@", "too many connections")


@pytest.mark.parametrize("arguments", [["--prot", "1"], ["extra"]])
def test_a_misspelt_command_is_a_usage_error(arguments: list[str], here: Path) -> None:
    ended = invoke("serve", *arguments)
    assert (ended.code, ended.output) == (2, "")
    assert arguments[0] in ended.errors
    assert list(here.iterdir()) == []


# ---- What the commands do


def test_schema_prints_the_exported_schema(tmp_path: Path) -> None:
    ended = run_command("schema", cwd=tmp_path)
    assert (ended.code, ended.errors) == (0, "")
    assert ended.output == (ROOT / "schema" / "schema.graphql").read_text()


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_the_environment_variable_of_every_setting(name: str) -> None:
    ended = invoke(name, "--help")
    assert (ended.code, ended.errors) == (0, "")
    for option in COMMANDS[name]:
        assert option in ended.output
        assert f"(STEPGRAPH_{option.removeprefix('--').replace('-', '_').upper()};" in ended.output


def test_migrate_says_the_revision_and_may_run_again(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "x.db")
    first, second = (
        run_command("migrate", "--database", url, cwd=tmp_path),
        invoke("migrate", "--database", url),
    )
    assert first == second == Ended(0, "The database is at revision 0007.\n", "")


def test_demo_says_what_it_created_and_the_second_time_that_all_is_there(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "x.db")
    first, second = run_command("demo", "--database", url, cwd=tmp_path), invoke("demo", "--database", url)
    assert (first.code, first.errors) == (0, "")
    created = first.output.removeprefix("Created ").removesuffix(".\n")
    assert sorted(created.split(", ")) == DEMO_KEYS
    assert second == Ended(0, "The demo templates are there already.\n", "")
    with ServerProcess("--demo", "--database", url, cwd=tmp_path) as server:
        keys = server.graphql("{ workflowTemplates { nodes { key versions { totalCount } } } }")
    assert sorted(
        (node["key"], node["versions"]["totalCount"]) for node in keys["workflowTemplates"]["nodes"]
    ) == [(key, 1) for key in DEMO_KEYS]


def test_demo_makes_executions_where_they_are_asked_for(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "x.db")
    for options in ([], ["--demo-executions", "--no-demo-executions"]):
        assert "executions" not in invoke("demo", "--database", url, *options).output
    first, second = (invoke("demo", "--database", url, "--demo-executions") for _ in range(2))
    assert first == Ended(0, "The demo templates are there already.\nMade the demo's executions.\n", "")
    assert second == Ended(
        0, "The demo templates are there already.\nThe demo's executions are there already.\n", ""
    )


def test_servers_that_start_side_by_side_make_the_demos_executions_once(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "x.db")
    with pair_of_servers(url, "memory://", tmp_path, "--demo-executions") as pair:
        for server in pair:
            assert said_since_start(server.output) == []
        found = pair[0].graphql("{ workflowExecutions(where: {isRoot: true}) { totalCount } }")
    assert found == {"workflowExecutions": {"totalCount": len(STORIES)}}


@pytest.mark.parametrize("format_", ["codegen", "relay", "apollo"])
def test_documents_prints_the_manifest_that_serve_reads(format_: str, here: Path) -> None:
    printed = invoke("documents", "--format", format_)
    assert (printed.code, printed.errors) == (0, "")
    (here / "manifest.json").write_text(printed.output, encoding="utf-8")
    assert documents_in(here) == known_documents(None)
    assert invoke("documents", "--format", format_, "--documents-dir", ".").output == printed.output


def test_documents_refuses_a_directory_that_holds_something_else_in_one_line(here: Path) -> None:
    (here / "package.json").write_text('{"version": 1}', encoding="utf-8")
    refused = invoke("documents", "--documents-dir", ".")
    assert_refused(refused, "package.json: this is no manifest of documents")


def test_serve_migrates_an_older_sqlite_file_by_itself(tmp_path: Path) -> None:
    """The oldest there is: Alembic's table and nothing else."""
    url = sqlite_url(tmp_path / "older.db")
    assert invoke("demo", "--database", url).code == 0
    _downgrade_to_base(url)
    with ServerProcess("--demo", "--database", url, cwd=tmp_path) as server:
        asyncio.run(create(server))


def _downgrade_to_base(url: str) -> None:
    engine = create_engine(url.replace("+aiosqlite", ""))
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(ROOT / "db" / "migrations"))
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()
        tables = connection.exec_driver_sql("select name from sqlite_master where name like 'workflow%'")
        assert tables.all() == []
    engine.dispose()


# ---- Where values come from, and the start screen


def test_the_start_screen_says_what_is_served_where(tmp_path: Path) -> None:
    """The defaults, but for the port: SQLite in the working directory, the in-memory doorbell."""
    with ServerProcess(cwd=tmp_path) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert server.output == [
            f"Stepgraph serves {server.url}",
            f"  Console        {server.url}/  (open it in a browser: executions, work queue, templates)",
            f"  GraphiQL       {server.url}/graphql  (open it in a browser: ready operations, the schema)",
            f"  Documentation  {ROOT / 'README.md'}",
            f"  GraphQL        {server.url}/graphql  (HTTP, WebSocket, server-sent events)",
            f"  Health         {server.url}/healthz  {server.url}/readyz",
            f"  Metrics        {server.url}/metrics",
            "  Database       sqlite+aiosqlite:///stepgraph.db",
            "  Broadcast      memory://",
            "Stop it with Ctrl+C.",
        ]
        assert httpx.get(f"{server.url}/healthz", trust_env=False, verify=NO_TLS).json() == {"status": "ok"}
        ready = httpx.get(f"{server.url}/readyz", trust_env=False, verify=NO_TLS)
        assert ready.json() == {"status": "ready", "database": "ok", "doorbell": "ok"}
        assert server.graphql("{ workflowTemplates { totalCount } }") == {
            "workflowTemplates": {"totalCount": 0}
        }
    assert (tmp_path / "stepgraph.db").exists()


@pytest.mark.parametrize(
    ("secret", "more", "fault"),
    [
        (SECRET, (), "STEPGRAPH_JWT_SECRET is shorter than 32 bytes"),
        (SECRET * 8, ("--jwt-jwks-url", "http://127.0.0.1:1/"), "exactly one of"),
        (SECRET * 8, ("--jwt-algorithms", "RS256"), "'RS256' is none of HS256"),
    ],
)
def test_a_secret_that_cannot_be_one_is_refused_and_not_shown(
    secret: str, more: tuple[str, ...], fault: str, here: Path
) -> None:
    assert_refused(
        invoke("serve", "--port", "0", *JWT, *more, variables={"STEPGRAPH_JWT_SECRET": secret}), fault
    )
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3"])
def test_loopback_may_be_listened_on_whoever_asks(host: str, here: Path) -> None:
    with ServerProcess("--host", host, cwd=here) as server:
        assert server.graphql("{ __typename }") == {"__typename": "Query"}


def test_everybody_may_be_let_in_where_that_is_meant(here: Path) -> None:
    everywhere = "0.0.0.0"  # noqa: S104  # an empty database, for a moment
    with ServerProcess("--host", everywhere, "--insecure-allow-public", cwd=here) as server:
        assert server.graphql("{ __typename }") == {"__typename": "Query"}


def test_an_option_outranks_the_environment_and_the_environment_the_default(tmp_path: Path) -> None:
    # What looks like markup is printed as it is.
    directory = tmp_path / "[red]" / "[" / "bold]"
    directory.mkdir(parents=True)
    variables = {
        "STEPGRAPH_DATABASE": sqlite_url(directory / "environment.db"),
        "STEPGRAPH_HOST": "127.0.0.2",
        "STEPGRAPH_PORT": "0",
        "STEPGRAPH_DEMO": "true",
    }
    with ServerProcess("--host", "127.0.0.3", cwd=tmp_path, variables=variables) as server:
        assert server.url.startswith("http://127.0.0.3:")
        assert f"  Database       {variables['STEPGRAPH_DATABASE']}" in server.output
        found = server.graphql("{ workflowTemplates { totalCount } }")["workflowTemplates"]
        assert found["totalCount"] == len(DEMO_KEYS)
    option = sqlite_url(tmp_path / "option.db")
    assert invoke("migrate", "--database", option, variables=variables).code == 0
    assert sorted(path.name for path in tmp_path.rglob("*.db")) == ["environment.db", "option.db"]


@pytest.mark.postgresql
def test_no_password_is_printed_whatever_its_characters(migrated_postgresql_url: str, tmp_path: Path) -> None:
    url = make_url(migrated_postgresql_url)
    with_password = url.set(password=url.password or SECRET).render_as_string(hide_password=False)
    broadcast = f"redis://:{SECRET}%40x@127.0.0.1:1?password={SECRET}"
    options = ("--database", with_password, "--broadcast", broadcast)
    with ServerProcess(*options, cwd=tmp_path) as server:
        assert (
            f"  Database       {url.set(password='***').render_as_string(hide_password=True)}"
            in server.output
        )
        assert "  Broadcast      redis://:***@127.0.0.1:1?password=***" in server.output
        ready = httpx.get(f"{server.url}/readyz", trust_env=False, verify=NO_TLS)
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert SECRET not in "\n".join(server.output)
    assert "the broker is away" in server.output[0]
