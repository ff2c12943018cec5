"""GraphQL over HTTP: methods, media types, sizes and status codes (`security.md` A6).

https://graphql.github.io/graphql-over-http/draft/. Reading a request is `server/requests.py`, writing an answer
`server/responses.py`, streaming one `server/sse.py`.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from server.authentication import Authenticate, Unauthenticated, authenticated
from server.operations import ContextFor, Operation, OperationContext, OperationRefused, Operations
from server.requests import BadRequest, GraphQLRequest
from server.responses import (
    EVENT_STREAM,
    GRAPHQL_JSON,
    HTML,
    JSON,
    ErrorCode,
    ExecutionOutcome,
    encode_outcome,
    error,
    internal_error,
    json_media_type,
    media_ranges,
    refused,
)
from server.sse import EventStreams
from server.subscriptions import SubscriptionFailed, Subscriptions

Page = Callable[[Request], Awaitable[Response]]

METHODS: Final = "GET, POST"
NO_STORE: Final = {"cache-control": "no-store", "vary": "Accept"}


@dataclass(frozen=True, slots=True)
class HTTPLimits:
    """Sizes in bytes."""

    body: int = 2 * 1024 * 1024


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
    ) -> None:
        self._operations = operations
        self._subscriptions = subscriptions
        self._streams = streams
        self._context_for = context_for
        self._authenticate = authenticate
        self._limits = limits or HTTPLimits()
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request: Request[Any] = Request(scope, receive)
        try:
            response = await self._respond(request)
        except ClientDisconnect:
            return
        except Rejected as rejected:
            response = answer(request, rejected.outcome, rejected.status, rejected.headers)
        except BadRequest as bad:
            response = answer(request, refused([error(str(bad), ErrorCode.BAD_REQUEST)]), 400)
        except Exception as cause:  # the edge: nothing leaves unmasked
            response = answer(request, refused([internal_error(cause)]), 500)
        await response(scope, receive, send)

    async def _respond(self, request: Request[Any]) -> ASGIApp:
        if self._page and asks_for_page(request):
            return await self._page(request)
        await self._check_viewer(request)
        wanted = await self._read(request)
        if json_media_type(request.headers.get("accept")) is None and not accepts_events(request):
            message = (
                f"This answers with {JSON}, {GRAPHQL_JSON} or {EVENT_STREAM}; 'Accept' names none of them."
            )
            raise Rejected(406, ErrorCode.NOT_ACCEPTABLE, message)
        try:
            operation = self._operations.prepare(wanted)
        except OperationRefused as refusal:
            return self._answer(request, refused(refusal.errors))
        self._check(request, operation)
        context = self._context_for(request)
        if operation.is_subscription:
            stream = self._subscription(operation, context)
            return self._streams.respond(stream, context.viewer)
        return self._answer(request, await self._operations.execute(operation, context))

    async def _check_viewer(self, request: Request[Any]) -> None:
        try:
            await authenticated(self._authenticate, request)
        except Unauthenticated as cause:
            raise Rejected(401, ErrorCode.UNAUTHENTICATED, str(cause), www_authenticate="Bearer") from None

    async def _read(self, request: Request[Any]) -> GraphQLRequest:
        if request.method == "GET":
            wanted = GraphQLRequest.from_parameters(request.query_params)
        elif request.method == "POST":
            check_content_type(request.headers.get("content-type", ""))
            wanted = GraphQLRequest.from_body(await self._body(request))
        else:
            message = f"GraphQL over HTTP is GET or POST, not {request.method}."
            raise Rejected(405, ErrorCode.METHOD_NOT_ALLOWED, message, allow=METHODS)
        if wanted.fault:
            raise BadRequest(wanted.fault)
        return wanted

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

    def _check(self, request: Request[Any], operation: Operation) -> None:
        if operation.type is OperationType.MUTATION and request.method == "GET":
            message = "A mutation is sent by POST: GET is for queries and event streams."
            raise Rejected(405, ErrorCode.METHOD_NOT_ALLOWED, message, allow="POST")
        if operation.is_subscription and not accepts_events(request):
            message = f"A subscription needs 'Accept: {EVENT_STREAM}', or a WebSocket that speaks graphql-transport-ws."
            raise Rejected(406, ErrorCode.NOT_ACCEPTABLE, message)

    def _answer(self, request: Request[Any], outcome: ExecutionOutcome) -> ASGIApp:
        """On a stream errors are events too: a browser's EventSource sees no body with an error status."""
        if prefers_events(request):
            return self._streams.respond(_once(outcome))
        return answer(request, outcome, status_of(request, outcome))

    async def _subscription(
        self, operation: Operation, context: OperationContext
    ) -> AsyncGenerator[bytes, None]:
        try:
            self._operations.authorise(operation, context.viewer)
            with self._subscriptions.open(operation, context) as payloads:
                async for payload in payloads:
                    self._operations.authorise(operation, context.viewer)
                    yield payload.encode()
        except (OperationRefused, SubscriptionFailed) as failure:
            yield encode_outcome(refused(failure.errors))
        except Exception as cause:  # the edge: nothing leaves unmasked
            yield encode_outcome(refused([internal_error(cause)]))


def asks_for_page(request: Request[Any]) -> bool:
    """Whether a browser was sent here: it wants HTML before anything and names no operation."""
    if request.method != "GET" or not request.query_params.keys().isdisjoint(("query", "documentId")):
        return False
    return _first_of(request, HTML, JSON, GRAPHQL_JSON, EVENT_STREAM) == HTML


def accepts_events(request: Request[Any]) -> bool:
    """Whether the client takes an event stream by name: a wildcard means no stream."""
    return EVENT_STREAM in media_ranges(request.headers.get("accept", ""))


def prefers_events(request: Request[Any]) -> bool:
    """Whether the client would rather have an event stream than JSON."""
    return _first_of(request, EVENT_STREAM, JSON, GRAPHQL_JSON, "*/*", "application/*") == EVENT_STREAM


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


def status_of(request: Request[Any], outcome: ExecutionOutcome) -> int:
    """400 for a request error, which under the older media type is 200."""
    is_refused = not outcome.was_executed
    return 400 if is_refused and _json_type(request) == GRAPHQL_JSON else 200


def answer(
    request: Request[Any], outcome: ExecutionOutcome, status: int, headers: dict[str, str] | None = None
) -> Response:
    content_type = f"{_json_type(request)}; charset=utf-8"
    all_headers = {**NO_STORE, "content-type": content_type, **(headers or {})}
    return Response(encode_outcome(outcome), status, all_headers)


def _json_type(request: Request[Any]) -> str:
    return json_media_type(request.headers.get("accept")) or JSON


def _first_of(request: Request[Any], *names: str) -> str | None:
    ranges = media_ranges(request.headers.get("accept", ""))
    return next((name for name in ranges if name in names), None)


async def _once(outcome: ExecutionOutcome) -> AsyncGenerator[bytes, None]:
    yield encode_outcome(outcome)
