"""The hook into graphql-core: a value that the projection answers is not completed in Python."""

from collections import OrderedDict
from collections.abc import Awaitable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Protocol

import orjson
from graphql import (
    ExecutionResult,
    FieldNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    OperationType,
    located_error,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path
from orjson import Fragment
from strawberry.dataloader import DataLoader
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from db.session import AnswerTooLong
from schema.allowance import Allowance
from schema.projection.arguments import TooLarge, shape
from schema.projection.compiler import Details, Homes, Query
from schema.projection.declare import Paged
from schema.projection.past import AS_OF
from schema.projection.plan import Plan
from schema.projection.planning import Moved, plan_field, plan_nodes, plan_result
from schema.projection.rows import DECLARED, Declared, Rows
from schema.projection.spelling import Spelling

_KEPT_PLANS = 1_000
# A longer document is compiled each time (about 1 ms): a thousand kept ones would hold a gigabyte.
_LONGEST_KEPT = 16 << 10
_LONGEST_TEXT_KEPT = 256 << 10
# Of one root field: what an answer may hold in memory, here and on its way.
LONGEST_ANSWER = 16 << 20
# What a declared root field is answered from.
_NO_ROWS = Rows("")


class Reader(Protocol):
    """Where statements run."""

    async def read(self, text: str, arguments: list[Any]) -> str | None:
        """The first column of the first row, or None."""


@dataclass(slots=True)
class Plans:
    """Compiled selections of one schema on one kind of database, the least recently used dropped first."""

    homes: Homes
    spelling: Spelling
    _kept: OrderedDict[Any, Plan] = field(default_factory=OrderedDict)

    def get(self, key: Any) -> Plan | None:
        """A kept plan."""
        plan = self._kept.get(key)
        if plan is not None:
            self._kept.move_to_end(key)
        return plan

    def keep(self, key: Any, plan: Plan) -> None:
        """Keep a plan for the next request of its shape."""
        self._kept[key] = plan
        if len(self._kept) > _KEPT_PLANS:
            self._kept.popitem(last=False)


class Projecting(Protocol):
    """What the executor needs of an operation's context."""

    @property
    def plans(self) -> Plans:
        """The plans of this process."""

    @property
    def reader(self) -> Reader:
        """The database."""

    @property
    def tenant(self) -> str:
        """Whose rows are seen."""

    @property
    def allowance(self) -> Allowance:
        """How long the operation may take."""


class ProjectionExecutor(StrawberryGraphQLCoreExecutionContext):
    """Answers `Rows` and declared root fields with one statement each; all else is Strawberry's."""

    def execute_operation(self, serially: bool | None = None) -> Any:
        """As graphql-core's, which does many times more for a query of one declared field than that needs."""
        field = self._only_field()
        return super().execute_operation(serially) if field is None else self._answer_only(field)

    def complete_value(
        self,
        return_type: GraphQLOutputType,
        field_details_list: Details,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        if isinstance(result, Fragment):
            return result
        if isinstance(result, Rows | Declared):
            return self._projected(return_type, field_details_list, info, path, result, position_context)
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)

    async def _projected(
        self,
        return_type: GraphQLOutputType,
        details: Details,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Rows | Declared,
        position: Any,
    ) -> Any:
        self.context_value.allowance.enter()
        rows = result if isinstance(result, Rows) else _NO_ROWS
        shown = self._shared if rows.is_one_of_many else self._fragment
        # Back through graphql-core, so that null where the schema says never is its own error.
        fragment = await shown(rows, info.parent_type, details)
        completed = self.complete_value(return_type, details, info, path, fragment, position)
        return await completed if isinstance(completed, Awaitable) else completed

    def _only_field(self) -> FieldNode | None:
        """The one field of a query, if it is a declared list: one that no directive or fragment brings in or leaves out."""
        operation = self.operation
        if operation.operation is not OperationType.QUERY or operation.directives:
            return None
        first, *more = operation.selection_set.selections
        if more or not isinstance(first, FieldNode) or first.directives:
            return None
        context: Projecting = self.context_value
        _, home = context.plans.homes[self._query.name].fields.get(first.name.value, (None, None))
        return first if isinstance(home, Paged) else None

    @property
    def _query(self) -> GraphQLObjectType:
        assert self.schema.query_type is not None
        return self.schema.query_type

    async def _answer_only(self, field: FieldNode) -> ExecutionResult:
        """The answer to a query of one declared list, which is never null."""
        key = field.alias.value if field.alias else field.name.value
        try:
            fragment = await self._fragment(_NO_ROWS, self._query, [FieldDetails(field, None)])
        except Exception as error:
            return ExecutionResult(None, [located_error(error, [field], [key])])
        return ExecutionResult({key: fragment}, None)

    async def _fragment(self, rows: Rows, parent: GraphQLObjectType, details: Details) -> Fragment | None:
        """What is shown of rows, or of a declared field of the parent."""
        try:
            text = await self._text(rows, parent, details)
        except Moved:
            text = await self._text(replace(rows, is_now=False), parent, details)
        return None if text is None else Fragment(text)

    async def _shared(self, rows: Rows, parent: GraphQLObjectType, details: Details) -> Fragment | None:
        """What is shown of rows, by the statement of all that are asked for at the same place at the same time."""
        place = (id(details), rows.type_name, rows.kinds)
        loader = self._sharing.get(place)
        if loader is None:
            # It keeps the details, whose id so stays theirs.
            loader = DataLoader(partial(self._all_of, parent, details), cache=False)
            self._sharing[place] = loader
        return await loader.load(rows)

    async def _all_of(
        self, parent: GraphQLObjectType, details: Details, many: Sequence[Rows]
    ) -> list[Fragment | None]:
        entries = orjson.dumps([dict(rows.values) for rows in many]).decode()
        whole = Rows(many[0].type_name, {"entries": entries}, each=many[0].kinds)
        text = await self._text(whole, parent, details)
        assert text is not None
        return [None if each is None else Fragment(each) for each in orjson.loads(text)]

    @cached_property
    def _sharing(self) -> dict[Hashable, DataLoader[Rows, Fragment | None]]:
        """By place in the document, what loads those that share a statement there."""
        return {}

    async def _text(self, rows: Rows, parent: GraphQLObjectType, details: Details) -> str | None:
        context: Projecting = self.context_value
        plan = self._plan(context.plans, rows, parent, details)
        values = {**rows.values, "tenant": context.tenant, AS_OF: rows.as_of}
        statement = plan.statement(self, values)
        if plan.answer is not None:
            return plan.answer
        text = await self._read(context.reader, statement)
        plan.require_answer(text)
        if plan.is_constant:
            plan.answer = text
        return text

    @staticmethod
    async def _read(reader: Reader, statement: tuple[str, list[Any]]) -> str | None:
        try:
            text = await reader.read(*statement)
        except AnswerTooLong:
            raise _too_long() from None
        if text is not None and len(text) > LONGEST_ANSWER:
            raise _too_long()
        return text

    def _plan(self, plans: Plans, rows: Rows, parent: GraphQLObjectType, details: Details) -> Plan:
        # The text and where its fields begin, never a node: nodes are equal wherever they stand.
        location = self.operation.loc
        document = location.source.body if location else ""
        key = (
            document,
            self.operation.name.value if self.operation.name else None,
            tuple(detail.node.loc.start for detail in details if detail.node.loc),
            rows.type_name,
            rows.is_list,
            rows.each,
            rows.as_of is None,
            rows.is_now,
            rows.listing,
            tuple((name, type(value)) for name, value in rows.values.items()),
            self._shapes(),
        )
        plan = plans.get(key) if document else None
        if plan is None:
            plan = self._compiled(Query(self, plans.homes, plans.spelling), rows, parent, details)
            if 0 < len(document) <= _LONGEST_KEPT and len(plan.text) <= _LONGEST_TEXT_KEPT:
                plans.keep(key, plan)
        return plan

    def _compiled(self, query: Query, rows: Rows, parent: GraphQLObjectType, details: Details) -> Plan:
        if not rows.type_name:
            return plan_field(query, parent, details)
        type_ = self.schema.get_type(rows.type_name)
        if isinstance(type_, GraphQLInterfaceType):
            return plan_nodes(query, self.schema.get_possible_types(type_), details)
        assert isinstance(type_, GraphQLObjectType)
        return plan_result(query, rows, type_, details)

    def _shapes(self) -> tuple[Any, ...]:
        variables = self.variable_values
        return tuple(
            (name, shape(value, variables.sources[name].signature.type))
            for name, value in variables.coerced.items()
        )


def declared_or_attribute(source: Any, name: str) -> Any:
    """Strawberry's default resolver: an attribute of a payload, or "declared" where there is no source (a root field)."""
    return DECLARED if source is None else getattr(source, name)


def _too_long() -> TooLarge:
    return TooLarge(f"The answer has more than {LONGEST_ANSWER >> 20} MiB: ask for less at a time.")
