"""Commands on a definition in a file: `validate`, `draw`, `publish`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from server.command_line.options import (
    Token,
    TokenFile,
    console,
    fail,
    help_of,
    run,
    settings_of,
    token_source,
)
from server.definitions.checking import checked_alone, checked_by_server
from server.definitions.drawing import Drawing, drawn
from server.definitions.graph import graph_of
from server.definitions.publishing import Wanted, published
from server.definitions.source import BadSource, DefinitionSource
from server.watching.asking import Server

File = Annotated[Path, typer.Argument(metavar="FILE", help="A definition as JSON.")]


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
        checked = run(checked_by_server(source, Server(server_url, token_source(token, token_file))))
    sys.stdout.writelines(f"{line}\n" for line in checked.lines())
    if checked.has_unknown_children:
        console.print("Whether the child templates exist was not asked: name a server with --url.")
    if checked.errors:
        raise typer.Exit(1)
    console.print(f"{file} can be published.")


def draw(
    file: File,
    format_: Annotated[Drawing, typer.Option("--format", help="What to draw it as.")] = Drawing.MERMAID,
) -> None:
    """Draw a definition, also one that is not right yet."""
    try:
        sys.stdout.write(drawn(graph_of(_read(file)), format_))
    except BadSource as reason:
        fail(reason)


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
    url: Annotated[str | None, typer.Option(help=help_of("url"))] = None,
    token: Token = None,
    token_file: TokenFile = None,
) -> None:
    """Publish a definition on a server, as the first or the next version of a template."""
    source, server = _read(file), Server(settings_of(url=url).url, token_source(token, token_file))
    checked = run(checked_by_server(source, server))
    sys.stderr.writelines(f"{line}\n" for line in checked.lines())
    if checked.errors:
        raise typer.Exit(1)
    console.print(run(published(source, server, Wanted(key, version, activate))))


def _read(file: Path) -> DefinitionSource:
    try:
        return DefinitionSource.read(file)
    except BadSource as reason:
        fail(reason)
