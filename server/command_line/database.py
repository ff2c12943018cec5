"""Commands on a database: `migrate`, `new-epoch`, `prune`, `demo`."""

import signal
import sys
from typing import Annotated

import typer

from db.connect import database_for
from db.epoch import begin_epoch
from db.migrate import migrate as run_migrations
from db.migrate import require_migrated
from db.runtime.durations import Duration, parse_duration
from db.session import StorageFull
from db.store import Store
from server.app import prepare_database
from server.command_line.options import Database, DemoExecutions, console, fail, run, settings_of
from server.demo import load_demo
from server.demo.executions import Made, load_demo_executions
from server.pruning import prune as run_prune
from server.settings import Settings


def migrate(database: Database = None) -> None:
    """Bring the database to this program's schema."""
    revision = run(run_migrations(settings_of(database=database).database))
    console.print(f"The database is at revision {revision}.")


def new_epoch(database: Database = None) -> None:
    """Begin another history: the last step after the database was restored from a backup."""
    epoch = run(_begin_epoch(settings_of(database=database)))
    console.print(f"The history is {epoch} from now on; subscribers begin again from the state.")


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
        fail(f"--before: {error}.")
    url = settings_of(database=database).database
    try:
        console.print(run(_pruned(url, age, executions=executions, is_trial=dry_run)))
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. What is removed stays removed; run it again to go on.\n")
        raise typer.Exit(128 + signal.SIGINT) from None


def demo(database: Database = None, demo_executions: DemoExecutions = None) -> None:
    """Load the demo templates; those that exist stay."""
    settings = settings_of(database=database, demo_executions=demo_executions)
    created, made = run(load(settings))
    console.print(f"Created {', '.join(created)}." if created else "The demo templates are there already.")
    if made is not None:
        console.print(made)


async def load(settings: Settings) -> tuple[list[str], Made | None]:
    """Publish the demo templates that are not there yet, and make the demo's executions if that is set.

    Returns the keys of the templates that were created, and what came of the executions.
    """
    await prepare_database(settings)
    async with database_for(settings.database) as database:
        store = Store(database)
        created = await load_demo(store)
        return created, await load_demo_executions(store) if settings.demo_executions else None


async def _pruned(url: str, age: Duration, *, executions: bool, is_trial: bool) -> str:
    try:
        return await run_prune(url, age, console.print, executions=executions, is_trial=is_trial)
    except StorageFull as full:
        raise StorageFull(
            f"{full} What is removed stays removed; make room and run it again to go on."
        ) from full


async def _begin_epoch(settings: Settings) -> str:
    await require_migrated(settings.database)
    async with database_for(settings.database) as database:
        return await begin_epoch(database)
