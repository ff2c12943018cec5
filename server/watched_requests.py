"""Every HTTP request has an id, and is counted and timed. A socket has the id of its handshake."""

import re
import uuid
from collections.abc import Awaitable
from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server import metrics
from server.trail import begin_request

REQUEST_ID: Final = b"x-request-id"

# What a log and a header take as it is.
_GIVEN_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,128}")

# Clients choose paths and methods, and each label is kept for good.
_PATHS: Final = frozenset({"/graphql", "/healthz", "/readyz", "/metrics"})
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST"})
_OTHER: Final = "other"


class WatchedRequests:
    """An ASGI middleware. A request keeps the id that it brings in `X-Request-Id`; the response has it too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = _given_id(scope) or uuid.uuid4().hex.encode()
        begin_request(request_id.decode())
        if scope["type"] == "http":
            send = _watched(scope, send, request_id)
        await self._app(scope, receive, send)


def _watched(scope: Scope, send: Send, request_id: bytes) -> Send:
    began = perf_counter()

    # Not a coroutine around another: an event stream sends much through it.
    def watched_send(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), (REQUEST_ID, request_id)]
            _count(scope, message["status"], perf_counter() - began)
        return send(message)

    return watched_send


def _count(scope: Scope, status: int, seconds: float) -> None:
    path = scope["path"] if scope["path"] in _PATHS else _OTHER
    method = scope["method"] if scope["method"] in _METHODS else _OTHER
    metrics.HTTP_REQUESTS.labels(path, method, status).inc()
    metrics.HTTP_REQUEST_SECONDS.labels(path).observe(seconds)


def _given_id(scope: Scope) -> bytes | None:
    given: bytes | None = next((value for name, value in scope["headers"] if name == REQUEST_ID), None)
    return given if given is not None and _GIVEN_ID.fullmatch(given) else None
