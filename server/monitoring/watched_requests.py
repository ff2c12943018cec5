"""Every HTTP request has an id, is counted and timed, and is a span. A socket has the id and the trace of its handshake."""

import re
import uuid
from collections.abc import Awaitable
from contextlib import AbstractContextManager, nullcontext
from time import perf_counter
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.telemetry import metrics, spans
from server.telemetry.spans import NO_SPAN, Span
from server.telemetry.trail import begin_request

REQUEST_ID: Final = b"x-request-id"

# What a log and a header take as it is.
_GIVEN_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,128}")

# Clients choose paths and methods, and each label is kept for good.
_PATHS: Final = frozenset({"/graphql", "/healthz", "/readyz", "/metrics"})
# Asked every few seconds, and no part of what anybody waits for: no spans.
_PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST"})
_OTHER: Final = "other"


class WatchedRequests:
    """An ASGI middleware. A request keeps the id that it brings in `X-Request-Id`; the response has it too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = _given_id(scope) or uuid.uuid4().hex.encode()
        begin_request(request_id.decode())
        with spans.continued(Headers(scope=scope)):
            if scope["type"] == "http":
                with _span_of(scope) as span:
                    await self._app(scope, receive, _watched(scope, send, request_id, span))
            else:
                # No span: a socket is open for hours, and its operations are spans.
                await self._app(scope, receive, send)


def _watched(scope: Scope, send: Send, request_id: bytes, span: Span) -> Send:
    began = perf_counter()

    # Not a coroutine around another: an event stream sends much through it.
    def watched_send(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), (REQUEST_ID, request_id)]
            _count(scope, message["status"], perf_counter() - began)
            _end(span, message["status"])
        return send(message)

    return watched_send


def _count(scope: Scope, status: int, seconds: float) -> None:
    path = _path(scope)
    metrics.HTTP_REQUESTS.labels(path, _method(scope), status).inc()
    metrics.HTTP_REQUEST_SECONDS.labels(path).observe(seconds)


def _span_of(scope: Scope) -> AbstractContextManager[Span]:
    method, path = _method(scope), _path(scope)
    if path in _PROBES:
        return nullcontext(NO_SPAN)
    told = {"http.request.method": "_OTHER" if method == _OTHER else method, "url.scheme": scope["scheme"]}
    name = "HTTP" if method == _OTHER else method
    if path != _OTHER:
        name, told["http.route"] = f"{name} {path}", path
    return spans.span(name, kind="server", attributes=told)


def _end(span: Span, status: int) -> None:
    """An event stream goes on for hours after its beginning."""
    span.set({"http.response.status_code": status})
    if status >= 500:
        span.failed(str(status))
    span.end()


def _path(scope: Scope) -> str:
    return scope["path"] if scope["path"] in _PATHS else _OTHER


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else _OTHER


def _given_id(scope: Scope) -> bytes | None:
    given: bytes | None = next((value for name, value in scope["headers"] if name == REQUEST_ID), None)
    return given if given is not None and _GIVEN_ID.fullmatch(given) else None
