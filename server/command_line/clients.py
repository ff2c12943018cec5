"""Commands that look at executions and versions: `watch`, `types`."""

import sys
from typing import Annotated

import typer

from server.command_line.options import (
    Database,
    Token,
    TokenFile,
    fail,
    help_of,
    run,
    settings_of,
    token_source,
)
from server.types.printing import Language, printed
from server.types.refusal import NoTypes
from server.types.version import from_database, from_server
from server.watching.asking import Server
from server.watching.command import watch as run_watch


def watch(
    execution_id: Annotated[str, typer.Argument(metavar="ID", help="The root execution's id.")],
    url: Annotated[str | None, typer.Option(help=help_of("url"))] = None,
    token: Token = None,
    token_file: TokenFile = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per line, for scripts.")
    ] = False,
) -> None:
    """Show an execution and all below it live, until it ends."""
    source = token_source(token, token_file)
    raise typer.Exit(run_watch(settings_of(url=url).url, execution_id, source, as_json=json))


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
        finding = from_database(settings_of(database=database).database, template_key, version)
    elif database is None:
        server = Server(server_url, token_source(token, token_file))
        finding = from_server(server, template_key, version)
    else:
        fail("--database and --url: give one of them.")
    try:
        sys.stdout.write(printed(run(finding), language))
    except NoTypes as reason:
        fail(reason)
