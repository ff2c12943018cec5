"""Whether this process makes traces, as the settings say. The packages that it takes are looked for nowhere else."""

from contextlib import AbstractAsyncContextManager, nullcontext
from importlib.util import find_spec
from typing import Any, Final

from db.session import Database
from server.settings import Settings
from server.telemetry.traced_database import TracedDatabase

PACKAGE: Final = "opentelemetry.exporter.otlp.proto.http"


def traced(settings: Settings, database: Database) -> Database:
    """The database that is to be used. Raises `ValueError` where traces are asked for that nobody can make."""
    if not settings.traces:
        return database
    if not _is_there(PACKAGE):
        raise ValueError(
            "--traces (STEPGRAPH_TRACES) needs packages that are not installed: "
            "run `python -m pip install --require-hashes -r requirements-otel.txt`."
        )
    return TracedDatabase(database)


def traces_of(settings: Settings) -> AbstractAsyncContextManager[Any]:
    """The block in which they are made and sent."""
    if not settings.traces:
        return nullcontext()
    # Not before: reading these packages takes longer than all else does at the start.
    from server.telemetry.open_telemetry import exporting  # noqa: PLC0415

    return exporting()


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # not even what it is in
        return False
