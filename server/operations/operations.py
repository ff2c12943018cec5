"""Running one operation: parse, measure and validate once per document, then execute or subscribe.

Strawberry's schema and graphql-core's executor do the work; sharing a subscription among its subscribers is
`server/operations/subscriptions.py`.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, cast

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    create_source_event_stream,
    map_source_to_response_event,
    parse,
    specified_rules,
    validate,
)
from graphql.execution import Executor
from graphql.validation import ASTValidationRule
from graphql.validation.rules import overlapping_fields_can_be_merged
from starlette.requests import HTTPConnection
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from schema.allowance import Allowance
from schema.trust import Trust
from server.operations.document_cache import DocumentCache, ValidDocument
from server.operations.documents import Documents, NoDocuments
from server.operations.limits import (
    OperationLimits,
    OperationMeasure,
    Sizes,
    check_document,
    check_nodes,
    check_variables,
    measure_operations,
)
from server.operations.overdue import OperationOverdue, OverdueMutations
from server.operations.requests import GraphQLRequest
from server.operations.responses import (
    ErrorCode,
    ExecutionOutcome,
    FormattedError,
    error,
    format_errors,
    format_input_errors,
    internal_error,
    refused,
)
from server.operations.subscription_source import Source

# How much this rule may compare, which grows with the square of fields that are repeated: a twenty-fifth of
# graphql-core's own, which lets 6 kB of them take a second. This attribute is how graphql-core lets it be set.
MAX_COMPARISONS: Final = 20_000
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = MAX_COMPARISONS

NOT_TRUSTED: Final = (
    "This server runs only the documents that it knows: name one of them by 'documentId' or by "
    "'extensions.persistedQuery', or send its text exactly."
)

RULES: Final = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)


class Viewer(Protocol):
    """Who asks. No field depends on more than tenant and scopes (`security.md` A2), so only they divide runs."""

    @property
    def tenant(self) -> str: ...
    @property
    def scopes(self) -> frozenset[str]: ...
    @property
    def expires_at(self) -> datetime | None:
        """When it is no longer known who asks, with a time zone; None: never."""

    @property
    def trust(self) -> Trust | None:
        """When this ends it is no longer known who asks either; None where nothing expires."""


class OperationContext(Protocol):
    """What resolvers are given; the transports need no more of it."""

    @property
    def viewer(self) -> Viewer: ...
    @property
    def allowance(self) -> Allowance: ...


# Returns once nobody waits for the answer any more.
Left = Callable[[], Awaitable[None]]
# The context of one operation, made anew for each. `connection.state.viewer` is who asks.
ContextFor = Callable[[HTTPConnection[Any], Left], OperationContext]


class OperationRefused(Exception):
    """A request error: nothing was executed. `errors` are as the response shows them."""

    def __init__(self, errors: list[FormattedError]) -> None:
        self.errors = errors
        super().__init__("; ".join(each["message"] for each in errors))


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a valid document, with what the client sent for it."""

    text: str
    document: DocumentNode
    measure: OperationMeasure
    variables: Mapping[str, Any]
    extensions: Mapping[str, Any]

    @property
    def definition(self) -> OperationDefinitionNode:
        return self.measure.definition

    @property
    def type(self) -> OperationType:
        return self.definition.operation

    @property
    def name(self) -> str | None:
        return self.definition.name.value if self.definition.name else None

    @property
    def root_field(self) -> FieldNode:
        """The first root field, of which a subscription has one."""
        node: Any = self.definition.selection_set.selections[0]
        while not isinstance(node, FieldNode):
            if isinstance(node, FragmentSpreadNode):
                node = next(each for each in self.document.definitions if _is_fragment(each, node.name.value))
            node = node.selection_set.selections[0]
        return node

    @property
    def is_subscription(self) -> bool:
        return self.type is OperationType.SUBSCRIPTION


class Forbidden(Exception):
    """The viewer may not run an operation, or not any more. The message goes to the client."""


# Asked before an operation is run, and before each event of a subscription is sent (`live.md` W4). Raises `Forbidden`.
Authorise = Callable[[Operation, Viewer], None]


class Operations:
    """Runs the operations of one schema, which may have no schema extensions: those would not be run."""

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        rules: Sequence[type[ASTValidationRule]] = (),
        limits: OperationLimits | None = None,
        hide_suggestions: bool = False,
        cache: DocumentCache | None = None,
        documents: Documents | None = None,
        authorise: Authorise | None = None,
    ) -> None:
        if schema.get_extensions():
            raise ValueError("schema extensions are not run")
        self._schema = schema._schema  # graphql-core's own has no public name there
        self._executor_class = schema.execution_context_class
        self._rules = (*RULES, *rules)
        self._limits = limits or OperationLimits()
        self._sizes = Sizes(self._schema)
        self._hide_suggestions = hide_suggestions
        self._cache = cache or DocumentCache()
        self._documents = documents or NoDocuments()
        self._authorise = authorise
        self._overdue = OverdueMutations()

    def prepare(self, request: GraphQLRequest) -> Operation:
        """Parse, measure, validate, pick the operation. Raises `OperationRefused`."""
        text = self._text_of(request)
        document = self._cache.get(text) or self._read(text)
        measure = document.operation(request.operation_name)
        if measure is None:
            message = (
                f"There is no operation named {request.operation_name[:100]!r} in the document."
                if request.operation_name
                else "The document holds several operations, or none: 'operationName' must name one."
            )
            raise OperationRefused([error(message, ErrorCode.OPERATION_RESOLUTION_FAILURE)])
        return Operation(text, document.node, measure, request.variables, request.extensions)

    def authorise(self, operation: Operation, viewer: Viewer) -> None:
        """Raises `OperationRefused` where the viewer may not run it, or not any more."""
        if self._authorise is None:
            return
        try:
            self._authorise(operation, viewer)
        except Forbidden as forbidden:
            raise OperationRefused([error(str(forbidden), ErrorCode.FORBIDDEN)]) from None

    async def execute(self, operation: Operation, context: OperationContext) -> ExecutionOutcome:
        """Run a query or mutation. Never raises: what goes wrong is in the outcome."""
        try:
            self.authorise(operation, context.viewer)
            executor = self.executor(operation, context)
            result = executor.execute_operation()
            if optimized_is_awaitable(result):
                result = await self._in_time(operation, context, cast("Any", result))
        except OperationRefused as refusal:
            return refused(refusal.errors)
        except OperationOverdue as overdue:
            return ExecutionOutcome(None, [error(str(overdue), ErrorCode.TIMEOUT)])
        except Exception as cause:  # the edge: nothing leaves unmasked
            return ExecutionOutcome(None, [internal_error(cause)])
        return outcome_of(cast("ExecutionResult", result))

    async def subscribe(
        self, operation: Operation, context: OperationContext
    ) -> AsyncGenerator[ExecutionResult, None]:
        """The events of a subscription as they are answered. Raises as `source` does."""
        source = await self.source(operation, context)
        return map_source_to_response_event(source.executor, source.events, cast("Any", source.execute))

    async def source(self, operation: Operation, context: OperationContext) -> "Source":
        """The source of a subscription, created here. Raises `OperationRefused`."""
        executor = self.executor(operation, context)
        events = create_source_event_stream(executor)
        if optimized_is_awaitable(events):
            events = await cast("Any", events)
        if isinstance(events, ExecutionResult):
            raise OperationRefused(format_errors(events.errors or (), ErrorCode.BAD_USER_INPUT))
        return Source(executor, cast("Any", events))

    def executor(self, operation: Operation, context: OperationContext) -> Executor[Any]:
        """graphql-core's executor, which holds the coerced variables; how much is asked for may depend on them.

        Raises `OperationRefused`.
        """
        passed = check_variables(self._limits, self._schema, operation.measure, operation.variables)
        if passed:
            raise OperationRefused(format_errors(passed, ErrorCode.LIMIT_EXCEEDED))
        built = self._executor_class.build(
            self._schema,
            operation.document,
            context_value=context,
            raw_variable_values=dict(operation.variables),
            operation_name=operation.name,
            is_awaitable=cast("Any", optimized_is_awaitable),
            hide_suggestions=self._hide_suggestions,
            operation_extensions=operation.extensions,
        )
        if isinstance(built, list):
            raise OperationRefused(format_input_errors(built, ErrorCode.BAD_USER_INPUT))
        too_many = check_nodes(self._limits, operation.measure, built.variable_values.coerced)
        if too_many:
            raise OperationRefused(format_errors(too_many, ErrorCode.LIMIT_EXCEEDED))
        return built

    async def close(self) -> None:
        """Let mutations end whose clients were told that they take too long."""
        await self._overdue.wait()

    async def _in_time(
        self, operation: Operation, context: OperationContext, result: Awaitable[ExecutionResult]
    ) -> ExecutionResult:
        """The result, unless it takes too long. Raises `OperationOverdue`."""
        seconds = self._limits.seconds
        context.allowance.begin(seconds)
        if operation.type is OperationType.MUTATION:
            return await self._overdue.in_time(result, context.allowance, seconds)
        try:
            return await context.allowance.within(seconds, result)
        except TimeoutError:
            raise OperationOverdue(f"The query took longer than {seconds:g} s and was stopped.") from None

    def _text_of(self, request: GraphQLRequest) -> str:
        if request.query is not None:
            if not self._documents.admits(request.query):
                raise OperationRefused([error(NOT_TRUSTED, ErrorCode.DOCUMENT_NOT_TRUSTED)])
            return request.query
        document_id = request.document_id or request.sha256_hash or ""
        text = self._documents.text_of(document_id)
        if text is not None:
            return text
        if request.document_id is None:
            raise OperationRefused([error("PersistedQueryNotFound", ErrorCode.PERSISTED_QUERY_NOT_FOUND)])
        message = f"There is no document with the id {document_id[:100]!r}."
        raise OperationRefused([error(message, ErrorCode.PERSISTED_DOCUMENT_NOT_FOUND)])

    def _read(self, text: str) -> ValidDocument:
        if len(text) > self._limits.characters:
            # A text or a number of 2 MB is one token, and to read it would hold everybody up.
            raise OperationRefused([error(_too_long(text, self._limits), ErrorCode.LIMIT_EXCEEDED)])
        try:
            # Without the option `{ }` is a document, of which nobody could say what it asks.
            document = parse(text, max_tokens=self._limits.tokens, allow_empty_selection_sets=False)
        except GraphQLError as syntax_error:
            failed = format_errors([syntax_error], ErrorCode.GRAPHQL_PARSE_FAILED)
            raise OperationRefused(failed) from None
        # Before validation: some of its rules take far longer than measuring does.
        operations = measure_operations(self._schema, self._sizes, document)
        if passed := check_document(self._limits, operations):
            raise OperationRefused(format_errors(passed, ErrorCode.LIMIT_EXCEEDED))
        errors = validate(self._schema, document, self._rules, hide_suggestions=self._hide_suggestions)
        if errors:
            shown = format_input_errors(map(unfinished, errors), ErrorCode.GRAPHQL_VALIDATION_FAILED)
            raise OperationRefused(shown)
        valid = ValidDocument(document, operations)
        self._cache.keep(text, valid)
        return valid


def _is_fragment(node: Any, name: str) -> bool:
    return isinstance(node, FragmentDefinitionNode) and node.name.value == name


def _too_long(text: str, limits: OperationLimits) -> str:
    return (
        f"The document has {len(text):,} characters, and at most {limits.characters:,} are allowed: "
        "send values as variables."
    )


def unfinished(error: GraphQLError) -> GraphQLError:
    """The error, with a reason where graphql-core only says that it has given up."""
    if error.message != "Validation aborted.":
        return error
    return GraphQLError("The document repeats or nests fields and fragments more than can be validated.")


def outcome_of(result: ExecutionResult) -> ExecutionOutcome:
    """graphql-core's result as an answer, its errors masked where nobody expected them."""
    errors = format_errors(result.errors, ErrorCode.BAD_USER_INPUT) if result.errors else []
    return ExecutionOutcome(result.data, errors)
