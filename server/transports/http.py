"""GraphQL over HTTP: methods, media types, sizes and status codes (`security.md` A6).

https://graphql.github.io/graphql-over-http/draft/. Reading a request is `server/operations/requests.py`, writing an answer
`server/operations/responses.py`, streaming one `server/transports/sse.py`.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from server.operations.operations import ContextFor, Operation, OperationContext, OperationRefused, Operations
from server.operations.payload import Payload, SubscriptionFailed
from server.operations.requests import BadRequest, GraphQLRequest
from server.operations.responses import (
    EVENT_STREAM,
    GRAPHQL_JSON,
    JSON,
    Accepted,
    ErrorCode,
    ExecutionOutcome,
    accepted_by,
    encode_outcome,
    error,
    internal_error,
    refused,
)
from server.operations.subscriptions import Subscriptions
from server.transports.leaving import client_leaves
from server.transports.sse import EventStreams
from server.trust.authentication import Authenticate, Unauthenticated, Undecided, authenticated
from server.trust.origins import Origins

Page = Callable[[Request], Awaitable[Response]]

METHODS: Final = "GET, POST"
NAMES_OPERATION: Final = ("query", "documentId", "extensions")
NO_STORE: Final = {"cache-control": "no-store", "vary": "Accept", "x-content-type-options": "nosniff"}


@dataclass(frozen=True, slots=True)
class HTTPLimits:
    """A size in bytes, and how long a body may take to come."""

    body: int = 2 * 1024 * 1024
    body_seconds: float = 30.0


class Rejected(Exception):
    """A request that HTTP itself turns down, with the status and headers that say so."""

    def __init__(self, status: int, code: ErrorCode, message: str, **headers: str) -> None:
        self.status = status
        self.outcome = refused([error(message, code)])
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(message)


class HTTPEndpoint:
    """The ASGI application of a `Route`. `page` answers a browser that asks for no operation."""

    def __init__(
        self,
        operations: Operations,
        subscriptions: Subscriptions,
        streams: EventStreams,
        context_for: ContextFor,
        *,
        authenticate: Authenticate,
        limits: HTTPLimits | None = None,
        page: Page | None = None,
        origins: Origins | None = None,
    ) -> None:
        self._operations = operations
        self._subscriptions = subscriptions
        self._streams = streams
        self._context_for = context_for
        self._authenticate = authenticate
        self._limits = limits or HTTPLimits()
        self._page = page
        self._origins = origins or Origins()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request: Request[Any] = Request(scope, receive)
        accepted = accepted_by(request.headers.get("accept"))
        try:
            response = await self._respond(request, accepted)
        except ClientDisconnect:
            return
        except Rejected as rejected:
            response = answer(accepted, rejected.outcome, rejected.status, rejected.headers)
        except BadRequest as bad:
            response = answer(accepted, refused([error(str(bad), ErrorCode.BAD_REQUEST)]), 400)
        except Exception as cause:  # the edge: nothing leaves unmasked
            response = answer(accepted, refused([internal_error(cause)]), 500)
        await response(scope, receive, send)

    async def _respond(self, request: Request[Any], accepted: Accepted) -> ASGIApp:
        if not self._origins.admits(request):
            message = f"Pages of the origin {request.headers['origin'][:100]!r} may not use this server."
            raise Rejected(403, ErrorCode.ORIGIN_NOT_ALLOWED, message)
        if self._page and accepted.prefers_html and names_no_operation(request):
            return await self._page(request)
        await self._check_viewer(request)
        wanted = await self._read(request)
        if accepted.json is None and not accepted.has_events:
            message = (
                f"This answers with {JSON}, {GRAPHQL_JSON} or {EVENT_STREAM}; 'Accept' names none of them."
            )
            raise Rejected(406, ErrorCode.NOT_ACCEPTABLE, message)
        try:
            operation = self._operations.prepare(wanted)
        except OperationRefused as refusal:
            return self._answer(accepted, refused(refusal.errors))
        check_operation(request.method, accepted, operation)
        context = self._context_for(request, partial(client_leaves, request))
        if operation.is_subscription:
            stream = self._subscription(operation, context)
            return self._streams.respond(stream, context.viewer)
        return self._answer(accepted, await self._operations.execute(operation, context))

    async def _check_viewer(self, request: Request[Any]) -> None:
        try:
            await authenticated(self._authenticate, request)
        except Unauthenticated as cause:
            raise Rejected(401, ErrorCode.UNAUTHENTICATED, str(cause), www_authenticate="Bearer") from None
        except Undecided as cause:
            raise Rejected(503, ErrorCode.UNAVAILABLE, str(cause), retry_after="5") from None

    async def _read(self, request: Request[Any]) -> GraphQLRequest:
        if request.method == "GET":
            wanted = GraphQLRequest.from_parameters(request.query_params)
        elif request.method == "POST":
            check_content_type(request.headers.get("content-type", ""))
            check_content_encoding(request.headers.get("content-encoding", ""))
            wanted = GraphQLRequest.from_body(await self._body_in_time(request))
        else:
            message = f"GraphQL over HTTP is GET or POST, not {request.method}."
            raise Rejected(405, ErrorCode.METHOD_NOT_ALLOWED, message, allow=METHODS)
        if wanted.fault:
            raise BadRequest(wanted.fault)
        return wanted

    async def _body_in_time(self, request: Request[Any]) -> bytes:
        seconds = self._limits.body_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._body(request)
        except TimeoutError:
            message = f"The body did not come within {seconds:g} s."
            raise Rejected(408, ErrorCode.REQUEST_TIMEOUT, message, connection="close") from None

    async def _body(self, request: Request[Any]) -> bytes:
        limit = self._limits.body
        body = bytearray()
        length = request.headers.get("content-length", "")
        is_too_large = length.isdecimal() and int(length[:20]) > limit
        if not is_too_large:
            async for chunk in request.stream():
                body += chunk
                is_too_large = len(body) > limit
                if is_too_large:
                    break
        if is_too_large:
            message = f"The body is larger than {limit} bytes."
            raise Rejected(413, ErrorCode.PAYLOAD_TOO_LARGE, message)
        return bytes(body)

    def _answer(self, accepted: Accepted, outcome: ExecutionOutcome) -> ASGIApp:
        """On a stream errors are events too: a browser's EventSource sees no body with an error status."""
        if accepted.prefers_events:
            return self._streams.respond(_once(outcome))
        return answer(accepted, outcome, status_of(accepted, outcome))

    async def _subscription(
        self, operation: Operation, context: OperationContext
    ) -> AsyncGenerator[Payload, None]:
        try:
            self._operations.authorise(operation, context.viewer)
            async with aclosing(self._subscriptions.open(operation, context)) as payloads:
                async for payload in payloads:
                    self._operations.authorise(operation, context.viewer)
                    yield payload
        except (OperationRefused, SubscriptionFailed) as failure:
            yield Payload.of(encode_outcome(refused(failure.errors)))
        except Exception as cause:  # the edge: nothing leaves unmasked
            yield Payload.of(encode_outcome(refused([internal_error(cause)])))


def names_no_operation(request: Request[Any]) -> bool:
    """Whether a browser may have been sent here, not a program."""
    return request.method == "GET" and request.query_params.keys().isdisjoint(NAMES_OPERATION)


def check_operation(method: str, accepted: Accepted, operation: Operation) -> None:
    """Raises `Rejected` for an operation that is not sent so, or not answered so."""
    if operation.type is OperationType.MUTATION and method == "GET":
        message = "A mutation is sent by POST: GET is for queries and event streams."
        raise Rejected(405, ErrorCode.METHOD_NOT_ALLOWED, message, allow="POST")
    if operation.is_subscription and not accepted.has_events:
        message = (
            f"A subscription needs 'Accept: {EVENT_STREAM}', or a WebSocket that speaks graphql-transport-ws."
        )
        raise Rejected(406, ErrorCode.NOT_ACCEPTABLE, message)


def check_content_type(content_type: str) -> None:
    """Raises `Rejected` for what is not JSON in UTF-8."""
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if media_type != JSON:
        message = f"A request is sent as {JSON}, not {media_type[:100] or 'without a Content-Type'}."
        raise Rejected(415, ErrorCode.UNSUPPORTED_MEDIA_TYPE, message)
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "charset" and value.strip('"') not in {"utf-8", "utf8"}:
            message = f"A request is sent in UTF-8, not {value[:100]}."
            raise Rejected(415, ErrorCode.UNSUPPORTED_MEDIA_TYPE, message)


def check_content_encoding(encoding: str) -> None:
    """Raises `Rejected` for what is compressed: a small body could become any size."""
    if encoding.strip().lower() not in {"", "identity"}:
        message = f"A request is sent as it is, not encoded as {encoding[:100]}."
        raise Rejected(415, ErrorCode.UNSUPPORTED_MEDIA_TYPE, message, accept_encoding="identity")


def status_of(accepted: Accepted, outcome: ExecutionOutcome) -> int:
    """403 for what the viewer may not, 400 for another request error; both are 200 under the older media type."""
    if outcome.was_executed or accepted.json != GRAPHQL_JSON:
        return 200
    is_forbidden = any(each["extensions"]["code"] == ErrorCode.FORBIDDEN for each in outcome.errors)
    return 403 if is_forbidden else 400


def answer(
    accepted: Accepted, outcome: ExecutionOutcome, status: int, headers: dict[str, str] | None = None
) -> Response:
    content_type = f"{accepted.json or JSON}; charset=utf-8"
    all_headers = {**NO_STORE, "content-type": content_type, **(headers or {})}
    return Response(encode_outcome(outcome), status, all_headers)


async def _once(outcome: ExecutionOutcome) -> AsyncGenerator[Payload, None]:
    yield Payload.of(encode_outcome(outcome))
