"""`serve`: the server."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from server.app import create_app, prepare_database
from server.command_line.database import load
from server.command_line.options import (
    Database,
    DemoExecutions,
    DocumentsDir,
    console,
    help_of,
    run,
    settings_of,
    without_passwords,
)
from server.serving import listen
from server.serving import serve as serve_application
from server.settings import Settings
from server.telemetry.log import configure_log
from server.workers import Workers, require_shared_broker

# In a checkout.
_README = Path(__file__).parents[2] / "README.md"


def serve(
    host: Annotated[str | None, typer.Option(help=help_of("host"))] = None,
    # Text, so that a wrong number is refused where that of the environment is.
    port: Annotated[str | None, typer.Option(metavar="<int>", help=help_of("port"))] = None,
    database: Database = None,
    broadcast: Annotated[str | None, typer.Option(help=help_of("broadcast"))] = None,
    workers: Annotated[str | None, typer.Option(metavar="<int>", help=help_of("workers"))] = None,
    shutdown_delay: Annotated[
        str | None, typer.Option(metavar="<seconds>", help=help_of("shutdown_delay"))
    ] = None,
    metrics: Annotated[bool | None, typer.Option("--metrics/--no-metrics", help=help_of("metrics"))] = None,
    traces: Annotated[bool | None, typer.Option("--traces", help=help_of("traces"))] = None,
    log: Annotated[str | None, typer.Option(metavar="text|json", help=help_of("log"))] = None,
    demo: Annotated[bool | None, typer.Option("--demo", help=help_of("demo"))] = None,
    demo_executions: DemoExecutions = None,
    auth: Annotated[str | None, typer.Option(metavar="<none|jwt>", help=help_of("auth"))] = None,
    jwt_issuer: Annotated[str | None, typer.Option(help=help_of("jwt_issuer"))] = None,
    jwt_audience: Annotated[str | None, typer.Option(help=help_of("jwt_audience"))] = None,
    jwt_jwks_url: Annotated[str | None, typer.Option(help=help_of("jwt_jwks_url"))] = None,
    jwt_algorithms: Annotated[str | None, typer.Option(help=help_of("jwt_algorithms"))] = None,
    jwt_refresh: Annotated[str | None, typer.Option(metavar="<seconds>", help=help_of("jwt_refresh"))] = None,
    insecure_allow_public: Annotated[
        bool | None, typer.Option("--insecure-allow-public", help=help_of("insecure_allow_public"))
    ] = None,
    documents: Annotated[str | None, typer.Option(metavar="any|trusted", help=help_of("documents"))] = None,
    documents_dir: DocumentsDir = None,
    origins: Annotated[str | None, typer.Option(metavar="ORIGIN,…", help=help_of("origins"))] = None,
    allowed_hosts: Annotated[
        str | None, typer.Option(metavar="HOST,…", help=help_of("allowed_hosts"))
    ] = None,
    console: Annotated[bool | None, typer.Option("--console/--no-console", help=help_of("console"))] = None,
    graphiql: Annotated[
        bool | None, typer.Option("--graphiql/--no-graphiql", help=help_of("graphiql"))
    ] = None,
    introspection: Annotated[
        bool | None, typer.Option("--introspection/--no-introspection", help=help_of("introspection"))
    ] = None,
    suggestions: Annotated[
        bool | None, typer.Option("--suggestions/--no-suggestions", help=help_of("suggestions"))
    ] = None,
) -> None:
    """Serve the API, live subscriptions, the console and GraphiQL.

    The secret of tokens is told by STEPGRAPH_JWT_SECRET alone: everybody on a machine sees the options of a process.
    """
    run(_serve(settings_of(**locals())))


async def _serve(settings: Settings) -> None:
    require_shared_broker(settings)
    configure_log(settings.log)
    with listen(settings) as listener:
        app = create_app(settings)
        await prepare_database(settings)
        if settings.demo or settings.demo_executions:
            await load(settings)
        announce = partial(_announce, settings, listener.getsockname()[1])
        if settings.workers > 1:
            await Workers(settings, listener, on_started=announce).run()
        else:
            await serve_application(app, listener, on_started=announce)


def _announce(settings: Settings, port: int) -> None:
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    base = f"http://{shown}:{port}"
    console.print(f"Stepgraph serves {base}", style="bold")
    if settings.console:
        console.print(f"  Console        {base}/  (open it in a browser: executions, work queue, templates)")
    if settings.graphiql:
        console.print(
            f"  GraphiQL       {base}/graphql  (open it in a browser: ready operations, the schema)"
        )
    if _README.is_file():
        console.print(f"  Documentation  {_README}")
    console.print(f"  GraphQL        {base}/graphql  (HTTP, WebSocket, server-sent events)")
    console.print(f"  Health         {base}/healthz  {base}/readyz")
    if settings.metrics:
        console.print(f"  Metrics        {base}/metrics")
    console.print(f"  Database       {without_passwords(settings.database)}")
    console.print(f"  Broadcast      {without_passwords(settings.broadcast)}")
    if settings.workers > 1:
        console.print(f"  Workers        {settings.workers} processes")
    console.print("Stop it with Ctrl+C.")
