"""Which statement answers what: one object, a list, the nodes of some ids, a declared root field."""

from collections.abc import Sequence

from graphql import GraphQLError, GraphQLObjectType

from schema.projection.compiler import Details, Query
from schema.projection.past import AS_OF, EXECUTIONS, Past
from schema.projection.plan import Plan
from schema.projection.rows import Listing, Row, Rows, ValuesRow


class Moved(GraphQLError):  # raised by a guard, and answered by reading the past
    """The tree is no longer at the revision at which it is to be shown."""

    def __init__(self) -> None:
        super().__init__("The tree has moved on.")


def plan_result(query: Query, rows: Rows, type_: GraphQLObjectType, details: Details) -> Plan:
    """The statement of what a resolver returned."""
    _place(query, rows)
    if rows.each is not None:
        return _each(query, rows.each, type_, details)
    if rows.listing is not None:
        return _listing(query, rows.listing, type_, details)
    return _list(query, type_, details) if rows.is_list else _object(query, rows, type_, details)


def plan_nodes(query: Query, types: Sequence[GraphQLObjectType], details: Details) -> Plan:
    """The statement of a list of objects of several types by their ids, in the order of these; null where none is."""
    entry = Row(query.alias("q"), ("id", "n"))
    found = [_node(query, type_, entry, details) for type_ in types]
    return query.finish(f"select {query.sql.each(query.value('ids', 'json'), entry.alias, found)}")


def plan_field(query: Query, type_: GraphQLObjectType, details: Details) -> Plan:
    """The statement of a root field that is declared."""
    return query.finish(f"select {query.field(type_, ValuesRow({}), details)}")


def _place(query: Query, rows: Rows) -> None:
    """Show how the execution's tree stood, or refuse to show it where it no longer stands so."""
    if rows.as_of is None:
        return
    execution_id, revision = query.value("id"), query.value(AS_OF, "bigint")
    if not rows.is_now:
        query.look_back(Past(query.sql, query.value("tenant"), execution_id, revision))
        return
    source, execution = query.constant_table(EXECUTIONS)
    now = f"(select {execution.tree_revision} from {source} where {execution.id} = {execution_id})"
    query.guard(f"{now} <> {revision}", now, lambda _: Moved())


def _object(query: Query, rows: Rows, type_: GraphQLObjectType, details: Details) -> Plan:
    if not query.has_table(type_):
        row = ValuesRow({name: query.value(name, kind) for name, kind in rows.kinds})
        return query.finish(f"select {query.object(type_, row, details)}")
    source, found = query.table(query.table_of(type_))
    conditions = [f"{found[name]} = {query.value(name)}" for name in rows.values]
    selected = query.object(type_, found, details, at_top=True)
    return query.finish(f"select {selected} from {source} where {' and '.join(conditions)}")


def _each(query: Query, kinds: Sequence[tuple[str, str]], type_: GraphQLObjectType, details: Details) -> Plan:
    """A list of texts, one for each entry of a JSON array: the payload that it is, or the row that it finds."""
    entry = Row(query.alias("q"), (*(name for name, _ in kinds), "n"))
    source = query.sql.records(query.value("entries"), entry.alias, dict(kinds))
    if query.has_table(type_):
        table, found = query.table(query.table_of(type_))
        conditions = " and ".join(f"{found[name]} = {entry[name]}" for name, _ in kinds)
        shown = query.sql.nested(
            f"select {query.object(type_, found, details)} from {table} where {conditions}"
        )
    else:
        shown = query.object(type_, entry, details)
    text = query.sql.quoted(shown)
    return query.finish(f"select {query.sql.array(text, source, entry.alias, '1 = 1', entry['n'], None)}")


def _listing(query: Query, listing: Listing, type_: GraphQLObjectType, details: Details) -> Plan:
    """A list that hangs on an execution, without which there is none, or events, each as a text with its cursor."""
    source, found = query.table(query.table_of(type_))
    item = query.object(type_, found, details)
    condition, order = listing.condition(found, query), ", ".join(found[name] for name in listing.order)
    if listing.cursor is not None:
        event = query.sql.object([("id", listing.cursor(found, query)), ("text", query.sql.quoted(item))])
        return query.finish(f"select {query.sql.array(event, source, found.alias, condition, order, None)}")
    listed = query.sql.array(item, source, found.alias, condition, order, None)
    owner, execution = query.table(EXECUTIONS)
    return query.finish(f"select {listed} from {owner} where {execution.id} = {query.value('id')}")


def _list(query: Query, type_: GraphQLObjectType, details: Details) -> Plan:
    """Objects by their ids, which are bound as a JSON array."""
    source, found = query.table(query.table_of(type_))
    item = query.object(type_, found, details)
    source, among = query.sql.among(source, found["id"], query.value("ids", "json"))
    return query.finish(f"select {query.sql.array(item, source, found.alias, among, found['id'], None)}")


def _node(query: Query, type_: GraphQLObjectType, entry: Row, details: Details) -> str:
    source, row = query.table(query.table_of(type_))
    text = query.object(type_, row, details)
    return query.sql.nested(f"select {text} from {source} where {row['id']} = {entry['id']}")
