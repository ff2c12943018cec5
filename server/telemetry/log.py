"""The log: as text, of faults only, or as JSON, one object per event and line with the ids of what it belongs to.

Source: `security.md` O1, A7. Nothing that a client has sent is in an event but names and ids; of an error of PostgreSQL the
details, which quote rows, are left out.
"""

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, Final, Literal

import orjson

from server.telemetry.spans import trace_ids
from server.telemetry.trail import trail

# What an event may have beside its message: all else that a record has is of no use here.
_MEMBERS: Final = ("operation_type", "operation", "outcome", "seconds", "error_id")


class TextFormatter(logging.Formatter):
    """Writes a record's message, and the traceback where there is one."""

    def formatException(self, ei: Any) -> str:  # noqa: N802  # logging's name
        return told(ei[1])


class JSONFormatter(logging.Formatter):
    """Writes a record as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        own = trail()
        event: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **trace_ids(),
            "request_id": own.request_id,
            "tenant": own.tenant,
            "execution_ids": own.execution_ids or None,
            "process": record.process,
            **{name: getattr(record, name, None) for name in _MEMBERS},
        }
        if record.exc_info and record.exc_info[1] is not None:
            event["traceback"] = told(record.exc_info[1])
        shown = {name: value for name, value in event.items() if value is not None}
        return orjson.dumps(shown, default=str).decode()


def told(error: BaseException) -> str:
    """Where an exception comes from and what it says, below the same of its causes."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\nwhich led to:\n".join(map(_one, reversed(chain)))


def _one(error: BaseException) -> str:
    # asyncpg's errors have `detail`, and `str` of them quotes it.
    says = error.args[0] if hasattr(error, "detail") and error.args else error
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{frames}{type(error).__qualname__}: {says}"


def configure_log(kind: Literal["text", "json"]) -> None:
    """Let this process write its log so, to the error stream; before anything is logged."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONFormatter() if kind == "json" else TextFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("server").setLevel(logging.INFO if kind == "json" else logging.WARNING)


def is_json() -> bool:
    """Whether the log is written as JSON; uvicorn then must not write its own."""
    return any(isinstance(handler.formatter, JSONFormatter) for handler in logging.getLogger().handlers)
