"""The table of bounds, with the values that the server's code holds."""

from datetime import timedelta

import uvicorn
from starlette.applications import Starlette

from db.commands.guards import KEPT_FOR
from db.postgresql import _READ_SETTINGS, _WRITE_SETTINGS
from db.runtime.limits import Limits
from db.runtime.schemas import MAX_VIOLATIONS
from db.runtime.validation.issues import MAX_ISSUES
from schema.given import LONGEST_KEY
from schema.projection.arguments import MAX_PAGE
from schema.projection.compiler import MAX_OBJECTS
from schema.projection.executor import LONGEST_ANSWER
from schema.projection.json_paths import MAX_NAMES
from schema.projection.paging import DEFAULT_PAGE, MAX_ORDER_KEYS
from schema.projection.statement import MAX_PARAMETERS
from schema.projection.where_checks import MAX_CONDITIONS, MAX_HOPS, MAX_LEVELS, MAX_VALUES
from schema.reaching import LONGEST
from server.app import uvicorn_config
from server.live.live_pages import TICK
from server.operations.limits import OperationLimits
from server.operations.operations import MAX_COMPARISONS
from server.operations.requests import MAX_DEPTH, MAX_JSON_VALUES
from server.transports.http import HTTPLimits
from server.transports.protocol import MAX_ID
from server.transports.sse import EventStreamLimits
from server.transports.uvicorn_http import MAX_HEAD, UvicornHTTP
from server.transports.websocket_connection import WebSocketLimits

__all__ = ["limits_table", "served_config"]


FAILED_STEP = "the step fails with `LIMIT_EXCEEDED`"


def served_config() -> uvicorn.Config:
    """How the server has uvicorn run."""
    return uvicorn_config(Starlette())


def limits_table() -> str:
    """One row per bound."""
    runtime, socket, events, config = Limits(), WebSocketLimits(), EventStreamLimits(), served_config()
    operation = OperationLimits()
    rows = [
        ("Head of an HTTP request", _bytes(MAX_HEAD), "431"),
        ("Wait for the head", _seconds(UvicornHTTP.head_seconds), "the connection is closed"),
        ("Wait for the body", _seconds(HTTPLimits().body_seconds), "408, `REQUEST_TIMEOUT`"),
        ("Body of an HTTP request", _bytes(HTTPLimits().body), "413, `PAYLOAD_TOO_LARGE`"),
        ("Message to the server over WebSocket", _bytes(config.ws_max_size), "the socket closes with 1009"),
        ("Nesting of the JSON of a request", f"{MAX_DEPTH} levels", "`BAD_REQUEST`; over WebSocket 4400"),
        ("Values in the JSON of a request", f"{MAX_JSON_VALUES:,}", "`BAD_REQUEST`"),
        ("Length of a document", f"{operation.characters:,} characters", "`LIMIT_EXCEEDED`"),
        ("Tokens of a document", f"{operation.tokens:,}", "`GRAPHQL_PARSE_FAILED`"),
        ("Depth of an operation", f"{operation.depth} fields", "`LIMIT_EXCEEDED`"),
        (
            "Depth below `__schema` and `__type`",
            f"{operation.introspection_depth} fields",
            "`LIMIT_EXCEEDED`",
        ),
        ("Aliases of an operation", f"{operation.aliases}", "`LIMIT_EXCEEDED`"),
        ("Directives of an operation", f"{operation.directives}", "`LIMIT_EXCEEDED`"),
        ("Root fields of an operation", f"{operation.root_fields}", "`LIMIT_EXCEEDED`"),
        ("Nodes that an operation asks for", f"{operation.nodes:,}", "`LIMIT_EXCEEDED`"),
        (
            "Items and members that the variables hold, beside what is JSON to the schema",
            f"{operation.values:,}",
            "`LIMIT_EXCEEDED`",
        ),
        (
            "Comparisons of fields of one name, two for each pair",
            f"{MAX_COMPARISONS:,}",
            "`GRAPHQL_VALIDATION_FAILED`",
        ),
        (
            "Time of a query",
            f"{_seconds(operation.seconds)}, beside the wait for a revision",
            "`TIMEOUT`; it is stopped",
        ),
        ("Wait for a revision", _seconds(LONGEST), "`REVISION_NOT_REACHED`"),
        ("Time of a mutation", _seconds(operation.seconds), "`TIMEOUT`; it goes on"),
        ("`first`, `last`", f"0 to {MAX_PAGE}; {DEFAULT_PAGE} where neither is given", "`BAD_USER_INPUT`"),
        ("Keys of an `orderBy`", f"{MAX_ORDER_KEYS}", "`BAD_USER_INPUT`"),
        ("Nesting of a `where`", f"{MAX_LEVELS} levels below it", "`BAD_USER_INPUT`"),
        ("Relations one after the other in a `where`", f"{MAX_HOPS}", "`BAD_USER_INPUT`"),
        ("Conditions of a `where`", f"{MAX_CONDITIONS}", "`BAD_USER_INPUT`"),
        ("Values of an `in`", f"{MAX_VALUES}", "`BAD_USER_INPUT`"),
        ("Names of a path", f"{MAX_NAMES}", "`BAD_USER_INPUT`"),
        (
            "Objects, values that one root field compares with",
            f"{MAX_OBJECTS:,}, {MAX_PARAMETERS:,}",
            "`LIMIT_EXCEEDED`",
        ),
        ("Answer of a root field", _bytes(LONGEST_ANSWER), "`LIMIT_EXCEEDED`"),
        ("`limit` of a command for many", f"1 to {MAX_PAGE}", "`BAD_USER_INPUT`"),
        ("Ids of `nodes`", f"{MAX_PAGE}", "`BAD_USER_INPUT`"),
        ("`context` of an execution", _bytes(runtime.context_bytes), "`LimitExceeded`"),
        ("`outputData` of a step", _bytes(runtime.output_bytes), "`LimitExceeded`"),
        ("Definition of a version", _bytes(runtime.definition_bytes), "`LimitExceeded`"),
        ("Steps of a definition", f"{runtime.steps_per_definition:,}", "issue `LIMIT_EXCEEDED`"),
        ("One JSON Schema in a definition", _bytes(runtime.schema_bytes), "issue `LIMIT_EXCEEDED`"),
        ("Nesting of a `context` or an `outputData`", f"{runtime.json_depth} levels", "`LimitExceeded`"),
        ("Executions above one another", f"{runtime.nesting_depth} below the root", FAILED_STEP),
        ("Items of one batch", f"{runtime.batch_items:,}", FAILED_STEP),
        ("Executions of one tree", f"{runtime.executions_per_tree:,}", FAILED_STEP),
        ("Executions started by one command", f"{runtime.executions_per_command:,}", FAILED_STEP),
        (
            "Contexts of the children that it creates, together",
            _bytes(runtime.contexts_bytes_per_command),
            FAILED_STEP,
        ),
        (
            "Passes of one step by one command",
            f"{runtime.passes_per_command}",
            "the step fails with `LOOP_LIMIT`",
        ),
        (
            "`idempotencyKey`",
            f"1 to {LONGEST_KEY} characters, kept for {_hours(KEPT_FOR)}",
            "`BAD_USER_INPUT`",
        ),
        ("Violations of a schema that are told", f"{MAX_VIOLATIONS}", "the others are left out"),
        (
            "Issues of a definition that are told",
            f"{MAX_ISSUES:,} errors, {MAX_ISSUES:,} warnings",
            "the others are left out",
        ),
        ("Operations of one socket at a time", f"{socket.operations}", "`TOO_MANY_OPERATIONS`"),
        ("Id of an operation on a socket", f"{MAX_ID} characters", "the socket closes with 4400"),
        ("Wait for `connection_init`", _seconds(socket.init_timeout), "the socket closes with 4408"),
        ("Events of a live list", f"one every {TICK * 1000:g} ms", "changes are told together"),
        (
            "Ping to a socket, and the wait for its pong",
            f"every {_seconds(config.ws_ping_interval)}, {_seconds(config.ws_ping_timeout)}",
            "the socket closes with 1013",
        ),
        ("A reader of a socket that takes nothing", _seconds(socket.stall_timeout), "closed with 1013"),
        ("A reader of an event stream that takes nothing", _seconds(events.stall_timeout), "dropped"),
        (
            "One statement on PostgreSQL",
            f"{_READ_SETTINGS['statement_timeout'].removesuffix('s')} s to read, "
            f"{_WRITE_SETTINGS['statement_timeout'].removesuffix('s')} s to write",
            "`UNAVAILABLE`",
        ),
    ]
    lines = [f"| {bound} | {value} | {beyond} |" for bound, value, beyond in rows]
    return "\n".join(["| Bound | Value | Beyond it |", "|---|---|---|", *lines])


def _bytes(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"


def _hours(time: timedelta) -> str:
    return f"{time.total_seconds() / 3600:g} hours"


def _seconds(seconds: float | None) -> str:
    return f"{seconds:g} s"
