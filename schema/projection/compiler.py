"""From a selection set to a statement: one text, its parameters, and what must be checked before it runs."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution import Executor
from graphql.execution.values import get_argument_values
from sqlalchemy import Table

from schema.projection import declare, paging
from schema.projection.arguments import Arguments, Site, TooLarge
from schema.projection.conditions import Filter
from schema.projection.rows import Row
from schema.projection.spelling import Spelling
from schema.projection.statement import Statement

Homes = Mapping[str, declare.TypeHome]
Details = list[Any]  # graphql-core's FieldDetailsList

_TOLD_KINDS = {"Int": "bigint", "DateTime": "timestamptz"}
_JSON_SCALARS = frozenset(("JSON", "JSONObject"))
# Like `MAX_PARAMETERS`, against fragments that spread fragments.
MAX_OBJECTS = 2_000


class Query(Statement):
    """The statement of a selection."""

    def __init__(self, executor: Executor[Any] | None, homes: Homes, spelling: Spelling) -> None:
        """Without an executor it has no selection, and arguments only by `arguments_at_hand`."""
        super().__init__(spelling)
        self._executor = executor
        self._homes = homes
        self._objects = 0

    def object(self, type_: GraphQLObjectType, row: Row, details: Details, *, at_top: bool = False) -> str:
        """The JSON object of a selection over a row; nothing is around the one at the top."""
        self._objects += 1
        if self._objects > MAX_OBJECTS:
            raise TooLarge(f"The operation selects objects in more than {MAX_OBJECTS:,} places.")
        selected = self.selected(type_, details)
        text = self.sql.object([(key, self.field(type_, row, fields)) for key, fields in selected.items()])
        table = self._homes[type_.name].table
        return text if table is None else self.outlined(text, row, table, at_top=at_top)

    def selected(self, type_: GraphQLObjectType, details: Details) -> dict[str, Details]:
        """Response keys and their fields: fragments, directives and merging are graphql-core's."""
        assert self._executor is not None, "a statement without a selection"
        return self._executor.collect_subfields(type_, details).grouped_field_set

    def object_type(self, parent: GraphQLObjectType, name: str) -> GraphQLObjectType:
        """The object type of a field."""
        return named(parent.fields[name])

    def has_table(self, type_: GraphQLObjectType) -> bool:
        """Whether the objects of a type are rows of a table."""
        return self._homes[type_.name].table is not None

    def table_of(self, type_: GraphQLObjectType) -> Table:
        """The table whose rows are the objects of a type."""
        table = self._homes[type_.name].table
        assert table is not None, f"{type_.name} has no table"
        return table

    def field(self, parent: GraphQLObjectType, row: Row, details: Details) -> str:
        """The JSON of one field over a row."""
        name = details[0].node.name.value
        if name == "__typename":
            return self.sql.literal(parent.name)
        field = parent.fields[name]
        column, home = self._homes[parent.name].fields[name]
        match home:
            case declare.Column() | declare.Expression():
                value = row[home.name or column] if isinstance(home, declare.Column) else home.sql(row, self)
                return self._leaf(field.type, value)
            case declare.Part():
                text = self.object(named(field), row, details)
                return self.sql.nested(f"select {text} where {self._present(home, row)}")
            case declare.Summary():
                return self._summary(home, named(field), row, details)
            case declare.One():
                return self._one(home, field, row, details)
            case declare.Many() | declare.Paged() | declare.Told():
                return self._list(home, field, row, details)

    def _leaf(self, type_: GraphQLOutputType, value: str) -> str:
        if is_list_type(type_.of_type if is_non_null_type(type_) else type_):
            return self.sql.json(value)
        leaf = get_named_type(type_)
        if isinstance(leaf, GraphQLEnumType):
            labels = {str(member.value): name for name, member in leaf.values.items()}
            same = all(stored == shown for stored, shown in labels.items())
            return value if same else self.sql.choose(value, labels)
        if leaf.name in _JSON_SCALARS:
            return self.sql.json(value)
        if leaf.name == "DateTime":
            return self.sql.time(value)
        return self.sql.boolean(value) if leaf.name == "Boolean" else value

    def _present(self, home: declare.Part, row: Row) -> str:
        if isinstance(home.presence, str):
            return f"{row[home.presence]} is not null"
        return home.presence(row, self)

    def _summary(self, home: declare.Summary, type_: GraphQLObjectType, row: Row, details: Details) -> str:
        columns = [name or column for column, name in self._columns_of(type_)]
        found = Row(self.alias("q"), columns)
        return self.sql.nested(
            f"select {self.object(type_, found, details)} from ({home.query(row, self)}) {found.alias}"
        )

    def _told(self, home: declare.Told, field: GraphQLField, row: Row, details: Details) -> str:
        """Objects that are in a value of the payload: a list of them, or the first."""
        type_, kinds = named(field), dict.fromkeys(home.keys, "text")
        for name, (column, inner) in self._homes[type_.name].fields.items():
            if isinstance(inner, declare.Column):
                leaf = get_named_type(type_.fields[name].type).name
                kinds[inner.name or column] = _TOLD_KINDS.get(leaf, "text")
        entry = Row(self.alias("q"), (*kinds, "n"))
        source = self.sql.records(row[home.value], entry.alias, kinds)
        item = self.object(type_, entry, details)
        if not is_list_type(field.type.of_type if is_non_null_type(field.type) else field.type):
            # As they come, which is in order: sorting takes from SQLite that it is JSON.
            return self.sql.nested(f"select {item} from {source} limit 1")
        return self.sql.array(item, source, entry.alias, "1 = 1", entry["n"], None)

    def _columns_of(self, type_: GraphQLObjectType) -> list[tuple[str, str | None]]:
        fields = self._homes[type_.name].fields.values()
        return [(column, home.name) for column, home in fields if isinstance(home, declare.Column)]

    def _one(self, home: declare.One, field: GraphQLField, row: Row, details: Details) -> str:
        type_ = named(field)
        source, other = self.table(self.table_of(type_))
        condition = home.join(row, other, self._arguments(field, details))
        return self.sql.nested(f"select {self.object(type_, other, details)} from {source} where {condition}")

    def _list(
        self,
        home: declare.Many | declare.Paged | declare.Told,
        field: GraphQLField,
        row: Row,
        details: Details,
    ) -> str:
        type_, arguments = named(field), self._arguments(field, details)
        if isinstance(home, declare.Paged):
            page = paging.Page(self, home, self.object_type(type_, "nodes"), row, arguments)
            return page.text(type_, details)
        if isinstance(home, declare.Told):
            return self._told(home, field, row, details)
        source, other = self.table(self.table_of(type_))
        condition = home.join(row, other, arguments) + Filter(home.where, arguments, self).also(other)
        item = self.object(type_, other, details)
        default = field.args["first"].default_value if home.limited else 0
        limit = arguments.size("first", default) if home.limited else None
        return self.sql.array(item, source, other.alias, condition, other[home.order], limit)

    def _arguments(self, field: GraphQLField, details: Details) -> Arguments:
        """Registers the place; what it holds is read when the statement runs."""
        if not field.args:
            return Arguments(self, -1, {})
        assert self._executor is not None, "a statement without a selection"
        node, fragment_variables = details[0].node, details[0].fragment_variable_values
        values = get_argument_values(field, node, self._executor.variable_values, fragment_variables)
        self._sites.append(Site.of(field, node, fragment_variables, values))
        return Arguments(self, len(self._sites) - 1, values)


def named(field: GraphQLField) -> GraphQLObjectType:
    """The object type behind a field's type."""
    type_ = get_named_type(field.type)
    assert isinstance(type_, GraphQLObjectType)
    return type_
