"""`/metrics`: every number that this process keeps of itself, for Prometheus (`security.md` O1).

Counts and durations are kept where a thing happens; how things stand is looked at by `server/monitoring/sampling.py`. A
label has few values, whatever clients send: names of trusted documents, fields of the schema, outcomes of ours.

Where `serve --workers` runs several processes, each writes its numbers to files in a directory that they share, and whoever
is asked tells of all (https://prometheus.github.io/client_python/multiprocess/). `Workers` names the directory before the
process starts, because prometheus_client looks for it once, when it is imported.
"""

import os
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

DIRECTORY_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

REGISTRY: Final = CollectorRegistry()

# When each number began, which doubles what is told and which Prometheus does not read.
disable_created_metrics()  # type: ignore[no-untyped-call]  # untyped there

# Seconds: from a statement on a small file to what is given up.
_DURATIONS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LAGS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)

HTTP_REQUESTS: Final = Counter(
    "stepgraph_http_requests_total",
    "HTTP requests that were answered, by address, method and status code.",
    ("path", "method", "status"),
    registry=REGISTRY,
)
HTTP_REQUEST_SECONDS: Final = Histogram(
    "stepgraph_http_request_seconds",
    "From a request to the beginning of its response.",
    ("path",),
    buckets=_DURATIONS,
    registry=REGISTRY,
)
OPERATIONS: Final = Counter(
    "stepgraph_operations_total",
    "GraphQL operations over every transport, by type, name and outcome; a subscription counts when it begins.",
    ("type", "name", "outcome"),
    registry=REGISTRY,
)
OPERATION_SECONDS: Final = Histogram(
    "stepgraph_operation_seconds",
    "How long a query or a mutation took to execute, waiting included.",
    ("type", "name"),
    buckets=_DURATIONS,
    registry=REGISTRY,
)
UNEXPECTED_ERRORS: Final = Counter(
    "stepgraph_unexpected_errors_total",
    "Errors that nobody expected: masked for the client, logged with an id.",
    registry=REGISTRY,
)
COMMANDS: Final = Counter(
    "stepgraph_commands_total",
    "Commands, by root field of Mutation and outcome.",
    ("kind", "outcome"),
    registry=REGISTRY,
)
COMMAND_SECONDS: Final = Histogram(
    "stepgraph_command_seconds",
    "How long a command took, from its arguments to its commit and the doorbell.",
    ("kind",),
    buckets=_DURATIONS,
    registry=REGISTRY,
)
SOCKETS: Final = Gauge(
    "stepgraph_websockets", "WebSockets that are open.", registry=REGISTRY, multiprocess_mode="livesum"
)
EVENT_STREAMS: Final = Gauge(
    "stepgraph_event_streams",
    "Streams of server-sent events that are open.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
WAITING_CLAIMS: Final = Gauge(
    "stepgraph_waiting_claims",
    "Claims that wait for work.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
SUBSCRIBERS: Final = Gauge(
    "stepgraph_subscribers",
    "Subscribers now, by root field of Subscription.",
    ("field",),
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
SHARED_SUBSCRIPTIONS: Final = Gauge(
    "stepgraph_shared_subscriptions",
    "Different subscriptions now, by root field: who asks for the same shares one.",
    ("field",),
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
PAYLOADS: Final = Counter(
    "stepgraph_payloads_total",
    "Payloads that were made for subscribers, by root field; each is made once for all who share it.",
    ("field",),
    registry=REGISTRY,
)
DELIVERIES: Final = Counter(
    "stepgraph_deliveries_total",
    "Payloads times the subscribers who were given them, by root field.",
    ("field",),
    registry=REGISTRY,
)
FEED_LAG_SECONDS: Final = Histogram(
    "stepgraph_feed_lag_seconds",
    "From the moment at which the feed knows that a watched tree has changed until it has read the change.",
    buckets=_LAGS,
    registry=REGISTRY,
)
FEED_TREES: Final = Gauge(
    "stepgraph_feed_trees", "Trees that are watched.", registry=REGISTRY, multiprocess_mode="livesum"
)
FEED_MISSED_RINGS: Final = Counter(
    "stepgraph_feed_missed_rings_total",
    "Changed trees of which no ring had told, found by comparing revisions.",
    registry=REGISTRY,
)
DOORBELL_UP: Final = Gauge(
    "stepgraph_doorbell_up",
    "1 while the broker answers, 0 while the doorbell is degraded; of several processes the lowest.",
    registry=REGISTRY,
    multiprocess_mode="livemin",
)
DOORBELL_RINGS: Final = Counter(
    "stepgraph_doorbell_rings_total",
    "Rings, by what became of them: published, dropped, heard or malformed.",
    ("outcome",),
    registry=REGISTRY,
)
DOORBELL_OUTAGES: Final = Counter(
    "stepgraph_doorbell_outages_total", "Times that the broker was lost.", registry=REGISTRY
)
TIMER_LAG_SECONDS: Final = Histogram(
    "stepgraph_timer_lag_seconds",
    "How long what was due for longest had been due when the timer found it.",
    buckets=_LAGS,
    registry=REGISTRY,
)
TIMER_LOOKED: Final = Gauge(
    "stepgraph_timer_last_look_timestamp_seconds",
    "When the timer last looked for what is due, in seconds since 1970; of several processes the earliest.",
    registry=REGISTRY,
    multiprocess_mode="livemin",
)
TIMER_TREES: Final = Counter(
    "stepgraph_timer_trees_total",
    "Trees in which something was due, by outcome: done, busy (a command was at work) or failed.",
    ("outcome",),
    registry=REGISTRY,
)
POOL_SIZE: Final = Gauge(
    "stepgraph_database_connections",
    "Connections to the database that are open, by pool.",
    ("pool",),
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
POOL_USED: Final = Gauge(
    "stepgraph_database_connections_used",
    "Connections to the database that are at work, by pool.",
    ("pool",),
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
POOL_LIMIT: Final = Gauge(
    "stepgraph_database_connections_limit",
    "Connections to the database that may be open at most, by pool.",
    ("pool",),
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
POOL_WAITING: Final = Gauge(
    "stepgraph_database_waiting",
    "Pieces of work that wait for a connection, by pool.",
    ("pool",),
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
LOOP_LAG_SECONDS: Final = Histogram(
    "stepgraph_event_loop_lag_seconds",
    "How much later than it should the event loop went on, looked at every two seconds.",
    buckets=_LAGS,
    registry=REGISTRY,
)


def exposition() -> bytes:
    """All numbers as Prometheus reads them: this process's, or where there are several those of all."""
    directory = os.environ.get(DIRECTORY_VARIABLE)
    if directory is None:
        return generate_latest(REGISTRY)
    of_all = CollectorRegistry()
    MultiProcessCollector(of_all, path=directory)  # type: ignore[no-untyped-call]  # untyped there
    return generate_latest(of_all)
