"""The command line: `stepgraph` and `python -m server`."""

import re
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer
import uvloop
from pydantic import ValidationError
from rich.console import Console
from strawberry.printer import print_schema

from db.connect import database_for
from db.epoch import begin_epoch
from db.migrate import migrate as run_migrations
from db.migrate import require_migrated
from db.runtime.durations import parse_duration
from db.runtime.validation import definition_schema as written_definition_schema
from db.session import Unavailable
from db.store import Store
from schema.schema import build_schema
from server.app import create_app, prepare_database
from server.definitions.asking import Server
from server.definitions.checking import checked_alone, checked_by_server
from server.definitions.drawing import Drawing, drawn
from server.definitions.graph import graph_of
from server.definitions.publishing import Wanted, published
from server.definitions.source import BadSource, DefinitionSource
from server.demo import load_demo
from server.document_directory import known_documents
from server.log import configure_log
from server.manifests import ManifestFormat, written_manifest
from server.pruning import prune as run_prune
from server.serving import listen
from server.serving import serve as serve_application
from server.settings import Settings, shown
from server.types.printing import Language, printed
from server.types.refusal import NoTypes
from server.types.version import from_database, from_server
from server.watching.command import watch as run_watch
from server.watching.token import TokenSource
from server.workers import Workers, require_shared_broker

cli = typer.Typer(
    help="A GraphQL server that runs workflow executions.", no_args_is_help=True, add_completion=False
)
# No markup: a path or an IPv6 address may have brackets.
console = Console(highlight=False, soft_wrap=True, markup=False)

_USER_AND_PASSWORD = re.compile(r"(://[^\s:/@]*):\S*@")
_PASSWORD_IN_QUERY = re.compile(r"([?&]\w*password=)[^\s&]*", re.IGNORECASE)


def _help(name: str) -> str:
    """An option's help, made of the setting behind it."""
    field = Settings.model_fields[name]
    return f"{field.description} (STEPGRAPH_{name.upper()}; default: {shown(field.default)})"


Database = Annotated[str | None, typer.Option(help=_help("database"))]
DocumentsDir = Annotated[str | None, typer.Option(metavar="DIRECTORY", help=_help("documents_dir"))]


Token = Annotated[str | None, typer.Option(help=_help("token"))]
TokenFile = Annotated[str | None, typer.Option(metavar="FILE", help=_help("token_file"))]


def _fail(message: object) -> NoReturn:
    """One line on the error stream, exit code 1."""
    sys.stderr.write(" ".join(_without_passwords(str(message)).split()) + "\n")
    raise typer.Exit(1)


def _settings(**options: Any) -> Settings:
    """Options that were given outrank the environment."""
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        wrong = error.errors()[0]
        name = str(wrong["loc"][0])
        option = name.replace("_", "-")
        _fail(f"--{option} (STEPGRAPH_{name.upper()}): {wrong['msg']}, got {wrong['input']!r}.")


def _token_source(token: str | None, token_file: str | None) -> TokenSource:
    """What is shown to a server: an option outranks the environment."""
    if token is not None and token_file is not None:
        _fail("--token and --token-file: give one of them.")
    if token is not None:
        return TokenSource(token)
    settings = _settings(token_file=token_file)
    return TokenSource(settings.token, settings.token_file)


def _run(work: Any) -> Any:
    try:
        return uvloop.run(work)
    except (Unavailable, ValueError) as error:
        _fail(error)


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help=_help("host"))] = None,
    # Text, so that a wrong number is refused where that of the environment is.
    port: Annotated[str | None, typer.Option(metavar="<int>", help=_help("port"))] = None,
    database: Database = None,
    broadcast: Annotated[str | None, typer.Option(help=_help("broadcast"))] = None,
    workers: Annotated[str | None, typer.Option(metavar="<int>", help=_help("workers"))] = None,
    shutdown_delay: Annotated[
        str | None, typer.Option(metavar="<seconds>", help=_help("shutdown_delay"))
    ] = None,
    metrics: Annotated[bool | None, typer.Option("--metrics/--no-metrics", help=_help("metrics"))] = None,
    traces: Annotated[bool | None, typer.Option("--traces", help=_help("traces"))] = None,
    log: Annotated[str | None, typer.Option(metavar="text|json", help=_help("log"))] = None,
    demo: Annotated[bool | None, typer.Option("--demo", help=_help("demo"))] = None,
    auth: Annotated[str | None, typer.Option(metavar="<none|jwt>", help=_help("auth"))] = None,
    jwt_issuer: Annotated[str | None, typer.Option(help=_help("jwt_issuer"))] = None,
    jwt_audience: Annotated[str | None, typer.Option(help=_help("jwt_audience"))] = None,
    jwt_jwks_url: Annotated[str | None, typer.Option(help=_help("jwt_jwks_url"))] = None,
    jwt_algorithms: Annotated[str | None, typer.Option(help=_help("jwt_algorithms"))] = None,
    jwt_refresh: Annotated[str | None, typer.Option(metavar="<seconds>", help=_help("jwt_refresh"))] = None,
    insecure_allow_public: Annotated[
        bool | None, typer.Option("--insecure-allow-public", help=_help("insecure_allow_public"))
    ] = None,
    documents: Annotated[str | None, typer.Option(metavar="any|trusted", help=_help("documents"))] = None,
    documents_dir: DocumentsDir = None,
    origins: Annotated[str | None, typer.Option(metavar="ORIGIN,…", help=_help("origins"))] = None,
    allowed_hosts: Annotated[str | None, typer.Option(metavar="HOST,…", help=_help("allowed_hosts"))] = None,
    graphiql: Annotated[bool | None, typer.Option("--graphiql/--no-graphiql", help=_help("graphiql"))] = None,
    introspection: Annotated[
        bool | None, typer.Option("--introspection/--no-introspection", help=_help("introspection"))
    ] = None,
    suggestions: Annotated[
        bool | None, typer.Option("--suggestions/--no-suggestions", help=_help("suggestions"))
    ] = None,
) -> None:
    """Serve the API, GraphiQL and live subscriptions.

    The secret of tokens is told by STEPGRAPH_JWT_SECRET alone: everybody on a machine sees the options of a process.
    """
    _run(_serve(_settings(**locals())))


@cli.command()
def migrate(database: Database = None) -> None:
    """Bring the database to this program's schema."""
    revision = _run(run_migrations(_settings(database=database).database))
    console.print(f"The database is at revision {revision}.")


@cli.command()
def new_epoch(database: Database = None) -> None:
    """Begin another history: the last step after the database was restored from a backup."""
    epoch = _run(_begin_epoch(_settings(database=database)))
    console.print(f"The history is {epoch} from now on; subscribers begin again from the state.")


@cli.command()
def prune(
    before: Annotated[
        str,
        typer.Option(
            metavar="DURATION", help="How old it must be: an ISO 8601 duration, such as P30D or PT12H."
        ),
    ],
    executions: Annotated[
        bool,
        typer.Option(
            "--executions",
            help="Delete whole trees of executions that have ended and have not changed for so long, "
            "and leave the history of the others.",
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing, only count.")] = False,
    database: Database = None,
) -> None:
    """Remove the history that is older, or the executions that ended longer ago. Beside running servers."""
    try:
        age = parse_duration(before)
    except ValueError as error:
        _fail(f"--before: {error}.")
    url = _settings(database=database).database
    try:
        console.print(_run(run_prune(url, age, console.print, executions=executions, is_trial=dry_run)))
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. What is removed stays removed; run it again to go on.\n")
        raise typer.Exit(128 + signal.SIGINT) from None


@cli.command()
def schema() -> None:
    """Print the schema in GraphQL's schema definition language."""
    sys.stdout.write(print_schema(build_schema()) + "\n")


@cli.command()
def documents(
    format_: Annotated[
        ManifestFormat, typer.Option("--format", help="Whose tools are to read it.")
    ] = ManifestFormat.CODEGEN,
    documents_dir: DocumentsDir = None,
) -> None:
    """Print the manifest of the documents that clients may name."""
    directory = _settings(documents_dir=documents_dir).documents_dir
    try:
        sys.stdout.write(written_manifest(known_documents(directory).values(), format_))
    except ValueError as error:
        _fail(error)


@cli.command()
def demo(database: Database = None) -> None:
    """Load the demo templates; those that exist stay."""
    created = _run(_load_demo(_settings(database=database)))
    console.print(f"Created {', '.join(created)}." if created else "The demo templates are there already.")


@cli.command()
def watch(
    execution_id: Annotated[str, typer.Argument(metavar="ID", help="The root execution's id.")],
    url: Annotated[str | None, typer.Option(help=_help("url"))] = None,
    token: Token = None,
    token_file: TokenFile = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per line, for scripts.")
    ] = False,
) -> None:
    """Show an execution and all below it live, until it ends."""
    source = _token_source(token, token_file)
    raise typer.Exit(run_watch(_settings(url=url).url, execution_id, source, as_json=json))


@cli.command()
def types(
    template_key: Annotated[str, typer.Argument(metavar="TEMPLATE", help="The template's key.")],
    version: Annotated[str | None, typer.Option(help="A version's number; default: the active one.")] = None,
    language: Annotated[Language, typer.Option(help="What to print them in.")] = Language.TYPESCRIPT,
    database: Database = None,
    server_url: Annotated[
        str | None,
        typer.Option("--url", help="Ask this server, with or without `/graphql`, and no database."),
    ] = None,
    token: Token = None,
    token_file: TokenFile = None,
) -> None:
    """Print the types of a version's context and step outputs."""
    if server_url is None:
        finding = from_database(_settings(database=database).database, template_key, version)
    elif database is None:
        finding = from_server(server_url, template_key, version, _token_source(token, token_file))
    else:
        _fail("--database and --url: give one of them.")
    try:
        sys.stdout.write(printed(_run(finding), language))
    except NoTypes as reason:
        _fail(reason)


File = Annotated[Path, typer.Argument(metavar="FILE", help="A definition as JSON.")]


@cli.command()
def validate(
    file: File,
    server_url: Annotated[
        str | None,
        typer.Option("--url", help="Ask this server, which knows the templates that the definition names."),
    ] = None,
    token: Token = None,
    token_file: TokenFile = None,
) -> None:
    """Check a definition, and say of every issue where it is."""
    source = _read(file)
    if server_url is None:
        checked = checked_alone(source)
    else:
        checked = _run(checked_by_server(source, Server(server_url, _token_source(token, token_file))))
    sys.stdout.writelines(f"{line}\n" for line in checked.lines())
    if checked.has_unknown_children:
        console.print("Whether the child templates exist was not asked: name a server with --url.")
    if checked.errors:
        raise typer.Exit(1)
    console.print(f"{file} can be published.")


@cli.command()
def definition_schema() -> None:
    """Print the JSON Schema of definitions, for editors."""
    sys.stdout.write(
        orjson.dumps(
            written_definition_schema(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        ).decode()
    )


@cli.command()
def draw(
    file: File,
    format_: Annotated[Drawing, typer.Option("--format", help="What to draw it as.")] = Drawing.MERMAID,
) -> None:
    """Draw a definition, also one that is not right yet."""
    try:
        sys.stdout.write(drawn(graph_of(_read(file)), format_))
    except BadSource as reason:
        _fail(reason)


@cli.command()
def publish(
    file: File,
    key: Annotated[str | None, typer.Option(help="The template's key; default: the definition's id.")] = None,
    version: Annotated[
        str | None,
        typer.Option(help="The version's number; default: 1.0.0, or the minor version after the highest."),
    ] = None,
    activate: Annotated[
        bool, typer.Option("--activate/--no-activate", help="Whether it runs from now on.")
    ] = True,
    url: Annotated[str | None, typer.Option(help=_help("url"))] = None,
    token: Token = None,
    token_file: TokenFile = None,
) -> None:
    """Publish a definition on a server, as the first or the next version of a template."""
    source, server = _read(file), Server(_settings(url=url).url, _token_source(token, token_file))
    checked = _run(checked_by_server(source, server))
    sys.stderr.writelines(f"{line}\n" for line in checked.lines())
    if checked.errors:
        raise typer.Exit(1)
    console.print(_run(published(source, server, Wanted(key, version, activate))))


def _read(file: Path) -> DefinitionSource:
    try:
        return DefinitionSource.read(file)
    except BadSource as reason:
        _fail(reason)


async def _load_demo(settings: Settings) -> list[str]:
    await prepare_database(settings)
    async with database_for(settings.database) as database:
        return await load_demo(Store(database))


async def _begin_epoch(settings: Settings) -> str:
    await require_migrated(settings.database)
    async with database_for(settings.database) as database:
        return await begin_epoch(database)


async def _serve(settings: Settings) -> None:
    require_shared_broker(settings)
    configure_log(settings.log)
    with listen(settings) as listener:
        app = create_app(settings)
        await prepare_database(settings)
        if settings.demo:
            await _load_demo(settings)
        announce = partial(_announce, settings, listener.getsockname()[1])
        if settings.workers > 1:
            await Workers(settings, listener, on_started=announce).run()
        else:
            await serve_application(app, listener, on_started=announce)


def _announce(settings: Settings, port: int) -> None:
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    base = f"http://{shown}:{port}"
    console.print(f"Stepgraph serves {base}", style="bold")
    if settings.graphiql:
        console.print(f"  GraphiQL       {base}/graphql  (open it in a browser)")
    console.print(f"  GraphQL        {base}/graphql  (HTTP, WebSocket, server-sent events)")
    console.print(f"  Health         {base}/healthz  {base}/readyz")
    if settings.metrics:
        console.print(f"  Metrics        {base}/metrics")
    console.print(f"  Database       {_without_passwords(settings.database)}")
    console.print(f"  Broadcast      {_without_passwords(settings.broadcast)}")
    if settings.workers > 1:
        console.print(f"  Workers        {settings.workers} processes")
    console.print("Stop it with Ctrl+C.")


def _without_passwords(text: str) -> str:
    """A URL, or a message that holds some, as it may be shown."""
    return _PASSWORD_IN_QUERY.sub(r"\1***", _USER_AND_PASSWORD.sub(r"\1:***@", text))


def main() -> None:
    """The entry point of `stepgraph`."""
    cli()


if __name__ == "__main__":
    main()
