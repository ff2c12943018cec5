"""PostgreSQL's spelling. The remarks are measured traps; `projection` in `docs/decisions/0001` has the figures."""

from collections.abc import Mapping, Sequence

from schema.projection.spelling import Pairs, Spelling

_CASTS = {
    "text": "text",
    "bigint": "bigint",
    "time": "text::timestamptz",
    "json": "text::json",
    "jsonb": "text::jsonb",
}
_MEMBER_CASTS = {"time": "timestamptz", "boolean": "boolean"}
_LONGEST_ALIAS = 63  # bytes; a longer one is cut without a word
_PAIRS_A_CALL = 50  # a function takes 100 arguments


class PostgreSQLSpelling(Spelling):
    """`json`, not `jsonb`: it keeps the order of keys and is twice as fast to build."""

    deepest = None
    now = "now()"

    def parameter(self, number: int, kind: str) -> str:
        return f"${number}::{_CASTS[kind]}"

    def literal(self, text: str) -> str:
        return f"'{text}'::text"

    def object(self, pairs: Pairs) -> str:
        if not pairs:
            return "'{}'::json"
        if max(len(key.encode()) for key, _ in pairs) <= _LONGEST_ALIAS:
            columns = ", ".join(f'{value} as "{key}"' for key, value in pairs)
            # `o.*`: a bare `o` would be the column of a response key that is called so.
            return f"(select row_to_json(o.*) from (select {columns}) o)"
        return self.build(pairs)

    def build(self, pairs: Pairs) -> str:
        """`json_build_object`, which unlike `row_to_json` may hold an aggregate of the surrounding query."""
        if len(pairs) > _PAIRS_A_CALL:
            pieces = [self.build(pairs[i : i + _PAIRS_A_CALL]) for i in range(0, len(pairs), _PAIRS_A_CALL)]
            # Each piece without its braces; it stands in the text once, or a nested one would double it at every level.
            inner = " || ', ' || ".join(f"left(substr({piece}::text, 2), -1)" for piece in pieces)
            return f"('{{' || {inner} || '}}')::json"
        arguments = ", ".join(f"'{key}', {value}" for key, value in pairs)
        return f"json_build_object({arguments})"

    def array(self, item: str, source: str, alias: str, where: str, order: str, limit: str | None) -> str:
        if limit is None:
            return f"(select coalesce(json_agg({item} order by {order}), '[]'::json) from {source} where {where})"
        rows = f"(select {alias}.* from {source} where {where} order by {order} limit {limit}) {alias}"
        return f"(select coalesce(json_agg({item} order by {order}), '[]'::json) from {rows})"

    def sparse(self, pairs: Pairs) -> str:
        rows = ", ".join(f"('{key}', ({value})::json)" for key, value in pairs)
        return f"(select json_object_agg(t.k, t.v) from (values {rows}) t(k, v) where t.v is not null)"

    def map(self, key: str, value: str, source: str, alias: str, where: str, order: str) -> str:
        members = f"json_object_agg({key}, {value} order by {order})"
        return f"(select coalesce({members}, '{{}}'::json) from {source} where {where})"

    def text(self, value: str) -> str:
        return f"to_json({value})"

    def quoted(self, value: str) -> str:
        return f"to_json(({value})::text)"

    def number(self, value: str) -> str:
        return f"to_json({value})"

    def among(self, source: str, column: str, texts: str) -> tuple[str, str]:
        # An array, or the planner expects a hundred of them and may read the whole table instead.
        return source, self.one_of(column, texts)

    def records(self, texts: str, alias: str, kinds: Mapping[str, str]) -> str:
        members = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
        function = f"json_to_recordset(({texts})::json) as ({members})"
        return f"rows from ({function}) with ordinality {alias}({', '.join(kinds)}, n)"

    def settled(self, xid: str) -> str:
        return f"{xid} < (select pg_snapshot_xmin(pg_current_snapshot())::text::bigint)"

    def each(self, texts: str, alias: str, values: Sequence[str]) -> str:
        item = f"json_agg(coalesce({', '.join(values)}) order by {alias}.n)"
        source = f"json_array_elements_text({texts}) with ordinality {alias}(id, n)"
        return f"(select coalesce({item}, '[]'::json) from {source})"

    def nested(self, select: str) -> str:
        return f"({select})"

    def boolean(self, condition: str) -> str:
        return f"({condition})"

    def json(self, column: str) -> str:
        return column

    def time(self, column: str) -> str:
        return f"to_char({column} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

    def items(self, item: str, order: str, condition: str | None) -> str:
        among = "" if condition is None else f" filter (where {condition})"
        return f"coalesce(json_agg({item} order by {order}){among}, '[]'::json)"

    def cursor(self, tag: str, keys: Sequence[str]) -> str:
        return f"encode(convert_to(json_build_array('{tag}', {', '.join(keys)})::text, 'UTF8'), 'hex')"

    def key(self, column: str, *, is_time: bool) -> str:
        return self.time(column) if is_time else column

    def visible(self, table: str, condition: str) -> str:
        return f"select * from {table} where {condition}"

    def one_of(self, value: str, texts: str) -> str:
        return f"{value} = any(array(select json_array_elements_text({texts})))"

    def starts_with(self, value: str, text: str) -> str:
        # The function of the same name uses no index.
        return f"{value} ^@ {text}"

    def contains(self, value: str, text: str) -> str:
        return f"strpos({value}, {text}) > 0"

    def json_exists(self, column: str, path: str) -> str:
        return f"jsonb_path_exists({column}, {_strict(path)}, '{{}}', true)"

    def json_equals(self, column: str, path: str, document: str, values: str) -> str:
        return f"{column} @> {document}"

    def json_among(self, column: str, path: str, values: str) -> str:
        found = f"jsonb_path_query_first({column}, {_strict(path)}, '{{}}', true)"
        return f"{found} = any(array(select jsonb_array_elements({values})))"

    def instant(self, text: str) -> str:
        return f"timestamptz '{text}'"

    def original(self, table: str) -> str:
        return f"original_{table}"

    def originals(self, tables: Sequence[str]) -> Sequence[tuple[str, str]]:
        # A common table expression sees those before it, and nothing but a schema's name tells a table from them.
        return [(self.original(table), f"select * from {table}") for table in tables]

    def own_columns(self, alias: str) -> Sequence[str]:
        return ()

    def with_latest(self, latest: str, *, optional: bool) -> str:
        # `jsonb` is parsed once for all members that are read of it.
        found = f"(select k.revision, k.to_status, k.data::jsonb as data {latest}) j"
        return f" left join lateral {found} on true" if optional else f" cross join lateral {found}"

    def member(self, document: str, path: Sequence[str], kind: str) -> str:
        steps = "{" + ",".join(path) + "}"
        if kind == "json":
            return f"({document}::jsonb #> '{steps}')"
        value = f"({document} #>> '{steps}')"
        return f"{value}::{_MEMBER_CASTS[kind]}" if kind in _MEMBER_CASTS else value


def _strict(path: str) -> str:
    """A lax path would look into arrays for a name."""
    return f"('strict ' || {path})::jsonpath"
