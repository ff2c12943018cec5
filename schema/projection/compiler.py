"""From a selection set to a statement: one text, its parameters, and what must be checked before it runs."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLError,
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
from schema.projection.arguments import (
    AnySite,
    Arguments,
    Convert,
    KnownSite,
    Site,
    TooLarge,
    Values,
    bindable,
)
from schema.projection.conditions import Filter
from schema.projection.journal import is_told
from schema.projection.past import JOURNAL, Past, refuse_expired
from schema.projection.plan import Guard, Parameter, Plan
from schema.projection.rows import Row
from schema.projection.spelling import Spelling, depth

Homes = Mapping[str, declare.TypeHome]
Details = list[Any]  # graphql-core's FieldDetailsList

_PLACEHOLDER = re.compile("⟦([0-9]+)⟧")
# A page nests five times around the conditions of its rows.
_DEEPEST_CONDITION = 4
_TOLD_KINDS = {"Int": "bigint", "DateTime": "timestamptz"}
_JSON_SCALARS = frozenset(("JSON", "JSONObject"))


# Fragments that spread fragments make much of little: in half a second no text of more than this is made or bound.
MAX_PARAMETERS = 5_000
MAX_OBJECTS = 2_000


class Query:
    """A statement in the making."""

    def __init__(self, executor: Executor[Any] | None, homes: Homes, spelling: Spelling) -> None:
        """Without an executor it has no selection, and arguments only by `arguments_at_hand`."""
        self.sql = spelling
        self._executor = executor
        self._homes = homes
        self._aliases = 0
        self._objects = 0
        self._tables: dict[str, None] = {}
        self._originals: dict[str, None] = {}
        self._outlines: list[str] = []
        self._parameters: list[Parameter] = []
        self._sites: list[AnySite] = []
        self._numbers: list[tuple[int, Convert]] = []
        self._checks: list[tuple[int, Callable[[Values], None]]] = []
        self._guards: list[Guard] = []
        self._past: Past | None = None

    # What declarations use.

    def table(self, table: Table) -> tuple[str, Row]:
        """A table under a fresh alias (`step_execution s3`), and its row."""
        self._tables[table.name] = None
        columns = [column.name for column in table.columns]
        row = Row(self.alias(table.name[0]), [*columns, "rid"] if self.sql.deepest else columns)
        return f"{table.name} {row.alias}", row

    def original_table(self, table: Table) -> tuple[str, Row]:
        """A table with all its rows, whoever may see them, under a fresh alias, and its row."""
        self._originals[table.name] = None
        row = Row(self.alias(table.name[0]), [column.name for column in table.columns])
        return f"{self.sql.original(table.name)} {row.alias}", row

    def constant_table(self, table: Table) -> tuple[str, Row]:
        """A table that belongs to no tenant."""
        row = Row(self.alias(table.name[0]), [column.name for column in table.columns])
        return f"{table.name} {row.alias}", row

    def value(self, name: str, kind: str = "text") -> str:
        """A placeholder for one of the values of `Rows`."""
        return self._parameter(Parameter(None, lambda values: bindable(values[name], name), kind))

    def bind(self, site: int, read: Convert, kind: str) -> str:
        """A placeholder for what `read` finds in a site's arguments."""
        return self._parameter(Parameter(site, read, kind))

    def number(self, site: int, read: Convert) -> str:
        """An integer that is written into the text."""
        self._numbers.append((site, read))
        return f"⟪{len(self._numbers) - 1}⟫"

    def check(self, site: int, check: Callable[[Values], None]) -> None:
        """Have a site's arguments checked before the statement runs."""
        self._checks.append((site, check))

    def guard(self, broken: str, told: str, refuse: Callable[[str], GraphQLError]) -> None:
        """Have the statement answer nothing but `told`, of which `refuse` makes the error, while `broken` holds."""
        self._guards.append(Guard(broken, told, refuse))

    def arguments_at_hand(self, values: Values) -> Arguments:
        """A field's arguments where its values are known beforehand; `Plan.bound` takes them."""
        self._sites.append(KnownSite(values))
        return Arguments(self, len(self._sites) - 1, values)

    def look_back(self, past: Past) -> None:
        """Have the tables of an execution's tree show how they stood."""
        self.guard(past.beyond, past.told, past.refuse)
        self._past = past
        self.require_kept(past.revision)

    def require_kept(self, revision: str) -> None:
        """Refuse a revision of the tree that is looked back on, of which no more is kept."""
        assert self._past is not None, "nothing is looked back on"
        self.guard(self._past.expired(revision), self._past.oldest_kept(revision), refuse_expired)

    @property
    def is_past(self) -> bool:
        """Whether the tree is shown as it stood."""
        return self._past is not None

    # The statement as a whole.

    def finish(self, select: str) -> Plan:
        """The statement around a select, once nothing is added any more."""
        views = self._views()
        outlines = [f"{name} as not materialized ({text})" for name, text in enumerate_names(self._outlines)]
        guarded = self._guarded(select)
        text = f"with {', '.join((*views, *outlines))} {guarded}" if views else guarded
        text, parameters = self._numbered(text)
        return Plan(
            text,
            parameters,
            tuple(self._sites),
            tuple(self._numbers),
            tuple(self._checks),
            tuple(self._guards),
        )

    def _views(self) -> list[str]:
        """Each table under its own name, as this request may see it."""
        past, tenant = self._past, self.value("tenant")
        originals = self.sql.originals(tuple(self._originals))
        views = [f"{name} as not materialized ({select})" for name, select in originals]
        if past is not None:
            views = past.before_views()
        for name in self._tables:
            condition = f"tenant = {tenant}"
            if name == JOURNAL.name:
                condition += f" and {is_told(name)}"
            seen = (past and past.visible(name)) or self.sql.visible(name, condition)
            views.append(f"{name} as not materialized ({seen})")
        return views

    def _guarded(self, select: str) -> str:
        if not self._guards:
            return select
        told = [self.sql.text(f"'{number} ' || {guard.told}") for number, guard in enumerate(self._guards)]
        cases = [f"when {guard.broken} then {text}" for guard, text in zip(self._guards, told, strict=True)]
        return f"select case {' '.join(cases)} else ({select}) end"

    def _numbered(self, text: str) -> tuple[str, tuple[Parameter, ...]]:
        """Placeholders become the driver's, numbered as they come; PostgreSQL refuses one that the text lacks."""
        order: dict[int, int] = {}

        def numbered(found: re.Match[str]) -> str:
            index = int(found[1])
            number = order.setdefault(index, len(order) + 1)
            return self.sql.parameter(number, self._parameters[index].kind)

        return _PLACEHOLDER.sub(numbered, text), tuple(self._parameters[index] for index in order)

    # Objects and fields.

    def object(self, type_: GraphQLObjectType, row: Row, details: Details, *, at_top: bool = False) -> str:
        """The JSON object of a selection over a row; nothing is around the one at the top."""
        self._objects += 1
        if self._objects > MAX_OBJECTS:
            raise TooLarge(f"The operation selects objects in more than {MAX_OBJECTS:,} places.")
        selected = self.selected(type_, details)
        text = self.sql.object([(key, self.field(type_, row, fields)) for key, fields in selected.items()])
        table = self._homes[type_.name].table
        return text if table is None else self.outlined(text, row, table, at_top=at_top)

    def outlined(self, text: str, row: Row, table: Table, *, at_top: bool = False) -> str:
        """JSON over a row; SQLite's parser has a small stack, so deep JSON moves to an expression of its own."""
        if self.sql.deepest is None or depth(text) <= self.sql.deepest * (2 if at_top else 1):
            return text
        name = f"o{len(self._outlines)}"
        self._outlines.append(f"select {row['rid']} as rid, {text} as j from {table.name} {row.alias}")
        return f"json((select {name}.j from {name} where {name}.rid = {row['rid']}))"

    def outlined_condition(self, text: str, row: Row, table: Table) -> str:
        """A condition on a row, where it nests deep moved as `outlined` does."""
        if self.sql.deepest is None or depth(text) <= _DEEPEST_CONDITION:
            return text
        name = f"o{len(self._outlines)}"
        self._outlines.append(f"select {row['rid']} as rid from {table.name} {row.alias} where {text}")
        return f"exists (select 1 from {name} where {name}.rid = {row['rid']})"

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

    def alias(self, prefix: str) -> str:
        """A name that nothing else in the statement has."""
        self._aliases += 1
        return f"{prefix}{self._aliases}"

    def _parameter(self, parameter: Parameter) -> str:
        self._parameters.append(parameter)
        if len(self._parameters) > MAX_PARAMETERS:
            raise TooLarge(f"The operation compares and pages with more than {MAX_PARAMETERS:,} values.")
        return f"⟦{len(self._parameters) - 1}⟧"


def named(field: GraphQLField) -> GraphQLObjectType:
    """The object type behind a field's type."""
    type_ = get_named_type(field.type)
    assert isinstance(type_, GraphQLObjectType)
    return type_


def enumerate_names(outlines: Sequence[str]) -> list[tuple[str, str]]:
    """Outlines with the names by which the text calls them."""
    return [(f"o{number}", text) for number, text in enumerate(outlines)]
