"""What types declare fits the tables, and every field of every type is SQL that both databases take (projection 3)."""

import re
from collections.abc import Iterator

import pytest
from graphql import GraphQLInputObjectType, get_named_type, is_non_null_type
from sqlalchemy import CheckConstraint, Table, UniqueConstraint

from db import tables
from db.columns import Timestamp
from db.store import Store
from db.tables import table_of
from schema.filters import WorkflowExecutionWhere, WorkflowStepExecutionWhere, WorkflowTemplateWhere
from schema.orders import WorkflowExecutionOrderField, WorkflowStepExecutionOrderField
from schema.projection import declare
from schema.projection.filters import Compared, Searched, where_home
from schema.projection.rows import Row
from tests.api import Api
from tests.schema.fabricated import SCHEMA, fabricated_context
from tests.schema.paths import HOMES, PATHS, nothing, object_type, selected


def test_every_declared_type_is_reached() -> None:
    """So that none is left out below."""
    assert set(HOMES) - {"Query"} <= set(PATHS)


@pytest.mark.parametrize("type_name", sorted(PATHS))
async def test_every_field_is_sql_that_the_database_takes(api: Api, type_name: str) -> None:
    """Each field alone, then all together; nothing is there to be read, but the statement is parsed and planned."""
    context = fabricated_context(
        api.context, *((nothing(name),) for name in ("TransitionSuccess", "TemplateSuccess", "ClaimSuccess"))
    )
    fields = [selected(name, field) for name, field in object_type(type_name).fields.items()]
    for selection in (*fields, " ".join(fields), "__typename"):
        document = PATHS[type_name] % selection
        result = await SCHEMA.execute(document, context_value=context)
        assert not result.errors, f"{document}: {result.errors}"
    assert len(api.database.statements) == len(fields) + 2


def _declared() -> Iterator[tuple[str, declare.TypeHome, str, str, declare.Home, bool]]:
    for type_name, home in HOMES.items():
        for name, (column, field_home) in home.fields.items():
            required = is_non_null_type(object_type(type_name).fields[name].type)
            yield f"{type_name}.{name}", home, name, column, field_home, required


def test_what_graphql_never_leaves_null_is_not_null_in_the_table() -> None:
    """A null there would be printed where the schema says never (projection 7, trap 29)."""
    checked = 0
    for name, home, _, column, field_home, required in _declared():
        if required and home.table is not None and isinstance(field_home, declare.Column):
            assert not home.table.c[field_home.name or column].nullable, name
            checked += 1
    assert checked >= 40


def test_what_graphql_never_leaves_null_refers_to_a_row_that_is_there() -> None:
    """A to-one that is never null is found by columns that are NOT NULL; by an id it is a foreign key."""
    checked = 0
    for name, home, field, _, field_home, required in _declared():
        if not (required and home.table is not None and isinstance(field_home, declare.One)):
            continue
        type_ = get_named_type(object_type(name.split(".")[0]).fields[field].type)
        target = HOMES[type_.name].table
        assert target is not None
        columns = _columns_of_parent(field_home, home.table, target)
        assert columns, name
        assert not [column for column in columns if home.table.c[column].nullable], name
        if columns != {"version_id", "step_id"} and len(columns) == 1:
            (column,) = columns
            assert [key.column.table for key in home.table.c[column].foreign_keys] == [target], name
        checked += 1
    assert checked >= 7


def _columns_of_parent(home: declare.One, parent: Table, child: Table) -> set[str]:
    rows = [Row(alias, table.columns.keys()) for alias, table in (("parent", parent), ("child", child))]
    text = home.join(rows[0], rows[1], None)  # type: ignore[arg-type]  # these joins take no arguments
    return set(re.findall(r"parent\.(\w+)", text))


def test_orders_end_with_a_unique_column_and_have_no_nulls() -> None:
    """A keyset compares whole rows of keys: a null would hide an entry, two equal keys would skip one."""
    checked = 0
    for name, parent, field, _, field_home, _ in _declared():
        if not isinstance(field_home, declare.Paged) or isinstance(field_home.order, declare.JournalOrder):
            continue
        connection = get_named_type(object_type(name.split(".")[0]).fields[field].type)
        node = get_named_type(object_type(connection.name).fields["nodes"].type)
        table = HOMES[node.name].table
        assert table is not None
        columns = [table.c[column] for column in field_home.order.columns]
        nullable = {column.name for column in columns if column.nullable}
        told = set(field_home.order.nullable)
        assert nullable - told <= _never_null_in(field_home, parent.table, table), name
        assert told <= nullable, name
        assert columns[-1].primary_key, name
        checked += 1
    assert checked == 7


def test_orders_that_are_asked_for_have_values_that_come_last_for_null() -> None:
    """Of the columns that a client may order by only times may be null; each is a column."""
    checked = 0
    for model, fields in (
        (tables.WorkflowExecution, WorkflowExecutionOrderField),
        (tables.StepExecution, WorkflowStepExecutionOrderField),
    ):
        for field in fields:
            column = table_of(model).c[field.value]
            assert isinstance(column.type, Timestamp) or not column.nullable, field
            checked += 1
    assert checked == 7


def test_conditions_are_of_columns_that_are_there() -> None:
    """Each member of a `where` is compiled on the table that it is about."""
    for where in (WorkflowExecutionWhere, WorkflowStepExecutionWhere, WorkflowTemplateWhere):
        home = where_home(where)
        graphql = SCHEMA._schema.type_map[where.__name__]
        assert isinstance(graphql, GraphQLInputObjectType)
        assert set(home.members) == set(graphql.fields)
        for column, member in home.members.values():
            if isinstance(member, Searched) or (isinstance(member, Compared) and member.within is None):
                assert column in home.table.c


def test_the_journal_is_ordered_by_what_is_unique_and_never_null() -> None:
    """Of one tree by revision, of all trees by position within a transaction."""
    journal = HOMES["Change"].table
    assert journal is not None
    assert [column.name for column in journal.primary_key] == ["position"]
    keys = [set(each.columns.keys()) for each in journal.constraints if isinstance(each, UniqueConstraint)]
    assert {"root_id", "revision"} in keys
    assert not [name for name in ("xid", "root_id", "revision") if journal.c[name].nullable]


def _never_null_in(home: declare.Paged, parent: Table | None, child: Table) -> set[str]:
    """Columns that a CHECK leaves null only together with the one by which the list finds its rows."""
    rows = [
        Row(alias, table.columns.keys() if table is not None else ())
        for alias, table in (("p", parent), ("c", child))
    ]
    found_by = re.findall(r"\bc\.(\w+) = ", home.join(rows[0], rows[1], None))  # type: ignore[arg-type]  # no arguments
    checks = [str(each.sqltext) for each in child.constraints if isinstance(each, CheckConstraint)]
    return {
        column.name
        for column in child.columns
        if any(f"({name} is null) = ({column.name} is null)" in checks for name in found_by)
    }


async def test_an_unknown_column_is_an_error_of_the_declaration(store: Store) -> None:
    """A misspelt column cannot become SQL."""
    row = Row("s1", ["id"])
    assert row.id == row["id"] == "s1.id"
    with pytest.raises(LookupError, match="s1 has no column 'nam'"):
        row["nam"]
