"""What a command over many objects is given to: those of a filter that it can act on now, oldest first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from graphql import GraphQLObjectType

from db.commands.bulk import Target
from schema.acting import can_be_cancelled, can_be_retried
from schema.connections import FIRST_STARTED
from schema.filters import WorkflowExecutionWhere, WorkflowStepExecutionWhere
from schema.projection.compiler import Query
from schema.projection.declare import Order, Paged
from schema.projection.executor import Plans, Reader
from schema.projection.paging import Page
from schema.projection.plan import Plan
from schema.projection.rows import Row, ValuesRow

_OLDEST_FIRST: Final = Order("createdAt", ("created_at", "id"))


@dataclass(frozen=True, slots=True)
class MatchKind:
    """What is matched: rows of `node` that `can` be acted on; `owner` is the column with the execution's id."""

    node: str
    owner: str
    where: type
    order: Order
    can: Callable[[Row, Query], str]


CANCELLABLE: Final = MatchKind(
    "WorkflowExecution", "id", WorkflowExecutionWhere, _OLDEST_FIRST, can_be_cancelled
)
RETRYABLE: Final = MatchKind(
    "WorkflowStepExecution", "execution_id", WorkflowStepExecutionWhere, FIRST_STARTED, can_be_retried
)


class Matches:
    """The matches of one command. Raises `BadUserInput` for a filter that the list's query refuses."""

    def __init__(
        self,
        kind: MatchKind,
        plans: Plans,
        node: GraphQLObjectType,
        where: Mapping[str, Any],
        *,
        limit: int,
        tenant: str,
    ) -> None:
        self._kind = kind
        self._plans = plans
        self._node = node
        self._values = {"where": where, "first": limit}
        self._tenant = tenant

    async def read(self, reader: Reader) -> tuple[int, list[Target]]:
        """How many match, and the first of them, as of one moment."""
        read = await self._answer(reader, is_counted_only=False)
        return read["matched"], [Target(**each) for each in read["first"]]

    async def count(self, reader: Reader) -> int:
        """How many match now."""
        matched: int = (await self._answer(reader, is_counted_only=True))["matched"]
        return matched

    async def _answer(self, reader: Reader, *, is_counted_only: bool) -> Any:
        plan = self._plan(is_counted_only=is_counted_only)
        text = await reader.read(*plan.bound([self._values], {"tenant": self._tenant}))
        assert text is not None
        return orjson.loads(text)

    def _plan(self, *, is_counted_only: bool) -> Plan:
        query = Query(None, self._plans.homes, self._plans.spelling)
        home = Paged(lambda _, row, __: self._kind.can(row, query), self._kind.order, self._kind.where)
        page = Page(query, home, self._node, ValuesRow({}), query.arguments_at_hand(self._values))
        source, row = query.table(query.table_of(self._node))
        told = [("matched", f"(select count(*) from {source} where {page.listed(row)})")]
        if not is_counted_only:
            told.append(("first", query.sql.nested(page.rows(lambda each: self._shown(each, query)))))
        return query.finish(f"select {query.sql.object(told)}")

    def _shown(self, row: Row, query: Query) -> str:
        return query.sql.object(
            [("id", row.id), ("execution_id", row[self._kind.owner]), ("root_id", row.root_id)]
        )
