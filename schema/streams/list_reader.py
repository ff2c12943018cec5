"""What a live list asks the database: its first page, and whether a change may touch that (`live.md` H6).

Both statements are made of the field's arguments by what makes the query's.
"""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from graphql import GraphQLObjectType, GraphQLResolveInfo

from schema.projection import declare
from schema.projection.arguments import Values, values_at
from schema.projection.compiler import Query
from schema.projection.executor import Plans, Reader
from schema.projection.journal import epoch_of
from schema.projection.paging import Page
from schema.projection.past import EXECUTIONS
from schema.projection.plan import Plan
from schema.projection.rows import Row, ValuesRow
from schema.reach import Reach, reach_of
from schema.streams.list_page import ListRow


@dataclass(frozen=True, slots=True)
class ListKind:
    """A list that is live: the query's field of the same name gives the page.

    `owner` is the column with the id of the execution that a row's change names.
    """

    field: str
    node: str
    owner: str
    event: str


EXECUTION_LIST: Final = ListKind(
    "workflowExecutions", "WorkflowExecution", "id", "WorkflowExecutionListEvent"
)
STEP_LIST: Final = ListKind(
    "workflowStepExecutions", "WorkflowStepExecution", "execution_id", "WorkflowStepExecutionListEvent"
)


class ListReader:
    """One list at one place in a document. Raises `BadUserInput` for arguments that the query refuses."""

    def __init__(
        self, kind: ListKind, plans: Plans, database: Reader, tenant: str, info: GraphQLResolveInfo[Any]
    ) -> None:
        self.tenant = tenant
        self._database = database
        reach = reach_of(info.field_nodes, info.fragments)
        values = values_at(info)
        statements = _Statements(kind, reach, plans, info.schema.get_type(kind.node), values)
        self._values = values
        self._page = statements.page().bound([values], {"tenant": tenant})
        self._touch = statements.touch()
        # Refuses here what it would refuse at the first change.
        self._touching((), ())

    @property
    def key(self) -> Hashable:
        """Equal where the page is: for the same list, filter, order, size, tenant and reach."""
        text, arguments = self._page
        return text, *arguments

    async def page(self) -> tuple[str, tuple[ListRow, ...]]:
        """The epoch, and the page's rows now."""
        text = await self._database.read(*self._page)
        assert text is not None
        read = orjson.loads(text)
        return read["epoch"], tuple(ListRow(**row) for row in read["rows"])

    async def is_touched(self, rows: Collection[ListRow], changed: Collection[str]) -> bool:
        """Whether a change of these executions may change the page, which has these rows."""
        if any(row.owner in changed for row in rows):
            return True
        roots = {row.root for row in rows if row.root is not None}
        return await self._database.read(*self._touching(changed, roots)) is not None

    def _touching(self, changed: Collection[str], roots: Collection[str]) -> tuple[str, list[Any]]:
        bound = {"tenant": self.tenant, "changed": _array(changed), "roots": _array(roots)}
        return self._touch.bound([self._values], bound)


class _Statements:
    """The statements of a list."""

    def __init__(self, kind: ListKind, reach: Reach, plans: Plans, node: Any, values: Values) -> None:
        self._kind = kind
        self._reach = reach
        self._plans = plans
        self._node: GraphQLObjectType = node
        self._values = values

    def page(self) -> Plan:
        """Of the page: `{"epoch", "rows": [{…}, …]}`, a row as `ListRow` has it."""
        query, page = self._begun()
        rows = query.sql.nested(page.rows(lambda row: query.sql.object(self._shown(row, query))))
        return query.finish(f"select {query.sql.object([('epoch', epoch_of(query)), ('rows', rows)])}")

    def touch(self) -> Plan:
        """Answers with a row where one of the executions `changed` has a row that the list has, whatever the page."""
        query, page = self._begun()
        source, row = query.table(query.table_of(self._node))
        source, among = query.sql.among(source, row[self._kind.owner], query.value("changed", "json"))
        text = f"select 'touched' from {source} where {among} and {page.listed(row)}"
        if self._reach is Reach.TREE:
            text = f"{text} union all {_of_trees(query)}"
        return query.finish(f"{text} limit 1")

    def _begun(self) -> tuple[Query, Page]:
        query = Query(None, self._plans.homes, self._plans.spelling)
        _, home = self._plans.homes["Query"].fields[self._kind.field]
        assert isinstance(home, declare.Paged)
        return query, Page(query, home, self._node, ValuesRow({}), query.arguments_at_hand(self._values))

    def _shown(self, row: Row, query: Query) -> Sequence[tuple[str, str]]:
        is_tree = self._reach is Reach.TREE
        return [
            ("id", row.id),
            ("revision", row.revision),
            ("owner", row[self._kind.owner]),
            ("root", row.root_id if is_tree else "null"),
            ("mark", self._mark(row, query)),
        ]

    def _mark(self, row: Row, query: Query) -> str:
        if self._reach is Reach.TREE:
            source, root = query.table(EXECUTIONS)
            return f"(select {root.tree_revision} from {source} where {root.id} = {row.root_id})"
        if self._reach is Reach.OWN or self._kind.owner == "id":
            return row.revision
        source, execution = query.table(EXECUTIONS)
        return f"(select {execution.revision} from {source} where {execution.id} = {row[self._kind.owner]})"


def _of_trees(query: Query) -> str:
    """Which of the executions `changed` are in one of the trees `roots`."""
    source, execution = query.table(EXECUTIONS)
    source, among = query.sql.among(source, execution.id, query.value("changed", "json"))
    inside = query.sql.one_of(execution.root_id, query.value("roots", "json"))
    return f"select 'touched' from {source} where {among} and {inside}"


def _array(texts: Collection[str]) -> str:
    return orjson.dumps(list(texts)).decode()
