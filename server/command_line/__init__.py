"""The command line: its commands, in the order in which `--help` lists them."""

import typer

from server.command_line import clients, database, definitions, printing, serving

COMMANDS = (
    serving.serve,
    database.migrate,
    database.new_epoch,
    database.prune,
    printing.schema,
    printing.documents,
    database.demo,
    clients.watch,
    clients.types,
    definitions.validate,
    printing.definition_schema,
    definitions.draw,
    definitions.publish,
)

cli = typer.Typer(
    help="A GraphQL server that runs workflow executions.", no_args_is_help=True, add_completion=False
)
for command in COMMANDS:
    cli.command()(command)
