"""SQLite's spelling, for 3.40 and newer. The remarks are measured traps (`docs/decisions/0001`)."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cache

from schema.projection.spelling import Pairs, Spelling

_PAIRS_A_CALL = 60  # a function takes 127 arguments
_FROM_JSON = ("json(", "json_object(", "json_insert(")


def _json(value: str) -> str:
    """A value that SQLite knows to be JSON; not wrapped twice, for parentheses are few."""
    return value if value.startswith(_FROM_JSON) else f"json({value})"


@cache
def knows_json_from_below() -> bool:
    """Whether this SQLite still knows JSON for what it is where it comes out of a sub-select (3.40 does, 3.54 does not)."""
    with closing(sqlite3.connect(":memory:")) as connection:
        ((text,),) = connection.execute("select json_array((select json_array()))")
    return bool(text == "[[]]")


class SQLiteSpelling(Spelling):
    """JSON is text here; a value is known to be JSON only straight from a JSON function, hence `json(…)` around.

    `json(…)` reads the text once more, at each level of a tree: it is left out where SQLite knows without it.
    """

    # Its parser has a stack of 100 symbols, about 20 open parentheses.
    deepest = 8
    # In parentheses of its own it is asked once, not for every row.
    now = "(select clock_timestamp())"

    def __init__(self, *, knows_json_from_below: bool) -> None:
        self._knows = knows_json_from_below

    def _below(self, select: str) -> str:
        """A scalar sub-select whose value a JSON function made."""
        return f"({select})" if self._knows else f"json(({select}))"

    def parameter(self, number: int, kind: str) -> str:
        return f"?{number}"

    def literal(self, text: str) -> str:
        return f"'{text}'"

    def object(self, pairs: Pairs) -> str:
        head, rest = pairs[:_PAIRS_A_CALL], pairs[_PAIRS_A_CALL:]
        arguments = ", ".join(f"'{key}', {value}" for key, value in head)
        text = f"json_object({arguments})"
        while rest:
            # Not json_patch: it drops nulls.
            piece, rest = rest[:_PAIRS_A_CALL], rest[_PAIRS_A_CALL:]
            inserted = ", ".join(f"""'$."{key}"', {value}""" for key, value in piece)
            text = f"json_insert({text}, {inserted})"
        return text

    def build(self, pairs: Pairs) -> str:
        """The same as `object`."""
        return self.object(pairs)

    def array(self, item: str, source: str, alias: str, where: str, order: str, limit: str | None) -> str:
        # No ORDER BY inside aggregates before 3.44; the order of the sub-select is kept.
        end = "" if limit is None else f" limit {limit}"
        rows = f"(select {alias}.* from {source} where {where} order by {order}{end}) {alias}"
        return self._below(f"select json_group_array({item}) from {rows}")

    def sparse(self, pairs: Pairs) -> str:
        rows = " union all ".join(f"select '{key}' as k, {value} as v" for key, value in pairs)
        # Not `where`, which would be pushed into each select and have every value made twice.
        return self._below(f"select json_group_object(k, json(v)) filter (where v is not null) from ({rows})")

    def map(self, key: str, value: str, source: str, alias: str, where: str, order: str) -> str:
        rows = f"(select {alias}.* from {source} where {where} order by {order}) {alias}"
        return self._below(f"select json_group_object({key}, {value}) from {rows}")

    def text(self, value: str) -> str:
        # json_quote gives 'null' for null, where there is to be nothing.
        return f"case when {value} is not null then json_quote({value}) end"

    def quoted(self, value: str) -> str:
        return f"json_quote({value} || '')"

    def number(self, value: str) -> str:
        return self.text(value)

    def among(self, source: str, column: str, texts: str) -> tuple[str, str]:
        # `cross join` keeps the order: with `in` it reads everything of the tenant's to find a few.
        return f"json_each({texts}) t cross join {source}", f"{column} = t.value"

    def each(self, texts: str, alias: str, values: Sequence[str]) -> str:
        rows = f"(select e.value as id from json_each({texts}) e order by e.key) {alias}"
        return f"(select json_group_array(json(coalesce({', '.join(values)}))) from {rows})"

    def records(self, texts: str, alias: str, kinds: Mapping[str, str]) -> str:
        members = ", ".join(f"json_extract(e.value, '$.{name}') as {name}" for name in kinds)
        return f"(select {members}, e.key as n from json_each({texts}) e) {alias}"

    def settled(self, xid: str) -> str:
        # One writer: what can be read is in order.
        return "1 = 1"

    def nested(self, select: str) -> str:
        return self._below(select)

    def boolean(self, condition: str) -> str:
        return f"json(case when {condition} then 'true' when not ({condition}) then 'false' end)"

    def json(self, column: str) -> str:
        return _json(column)

    def time(self, column: str) -> str:
        return column

    def items(self, item: str, order: str, condition: str | None) -> str:
        # In order because the rows come so.
        among = "" if condition is None else f" filter (where {condition})"
        return f"json_group_array({item}){among}"

    def cursor(self, tag: str, keys: Sequence[str]) -> str:
        return f"lower(hex(json_array('{tag}', {', '.join(keys)})))"

    def key(self, column: str, *, is_time: bool) -> str:
        return column

    def visible(self, table: str, condition: str) -> str:
        return f"select *, rowid as rid from {self.original(table)} where {condition}"

    def original(self, table: str) -> str:
        # `main.`: under its own name the table would read itself.
        return f"main.{table}"

    def one_of(self, value: str, texts: str) -> str:
        return f"{value} in (select t.value from json_each({texts}) t)"

    def starts_with(self, value: str, text: str) -> str:
        # Not LIKE, which is blind to case and knows wildcards.
        return f"substr({value}, 1, length({text})) = {text}"

    def contains(self, value: str, text: str) -> str:
        return f"instr({value}, {text}) > 0"

    def json_exists(self, column: str, path: str) -> str:
        return f"json_type({column}, {path}) is not null"

    def json_equals(self, column: str, path: str, document: str, values: str) -> str:
        return self.json_among(column, path, values)

    def json_among(self, column: str, path: str, values: str) -> str:
        # json_extract gives 1 for true, so types are compared too; an integer and a real number are one type.
        found = f"replace(json_type({column}, {path}), 'real', 'integer')"
        same = f"replace(t.type, 'real', 'integer') = {found} and t.atom is json_extract({column}, {path})"
        return f"exists (select 1 from json_each({values}) t where {same})"

    def instant(self, text: str) -> str:
        return f"'{text}'"

    def originals(self, tables: Sequence[str]) -> Sequence[tuple[str, str]]:
        return ()

    def own_columns(self, alias: str) -> Sequence[str]:
        return (f"{alias}.rowid as rid",)

    def with_latest(self, latest: str, *, optional: bool) -> str:
        # There is no `lateral`; `cross` keeps it from reading the journal first.
        join = "left" if optional else "cross"
        return f" {join} join {self.original('journal')} j on j.position = (select k.position {latest})"

    def member(self, document: str, path: Sequence[str], kind: str) -> str:
        return f"json_extract({document}, '$.{'.'.join(path)}')"
