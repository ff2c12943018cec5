"""What differs between the databases, as a Protocol; `postgresql.py` and `sqlite.py` spell it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

Pairs = Sequence[tuple[str, str]]


class Spelling(Protocol):
    """SQL that builds JSON, for one database. Every argument and result is SQL text."""

    def parameter(self, number: int, kind: str) -> str:
        """A placeholder; kind is `text`, `bigint`, `time`, `json` or `jsonb`."""

    def literal(self, text: str) -> str:
        """A JSON string."""

    def object(self, pairs: Pairs) -> str:
        """A JSON object of these keys and values, in order."""

    def build(self, pairs: Pairs) -> str:
        """A JSON object whose values may be aggregates of the surrounding query."""

    def array(self, item: str, source: str, alias: str, where: str, order: str, limit: str | None) -> str:
        """A JSON array of `item` over the rows of `source` (`table alias`)."""

    def sparse(self, pairs: Pairs) -> str:
        """A JSON object of the pairs whose value, JSON, is not null."""

    def map(self, key: str, value: str, source: str, alias: str, where: str, order: str) -> str:
        """A JSON object with a member for each row of `source` (`table alias`), in an order."""

    def text(self, value: str) -> str:
        """A text as JSON; null stays null."""

    def quoted(self, value: str) -> str:
        """JSON as a JSON string that holds its text."""

    def number(self, value: str) -> str:
        """A number as JSON; null stays null."""

    def among(self, source: str, column: str, texts: str) -> tuple[str, str]:
        """A source with the condition that its unique column holds one of the texts of a JSON array."""

    def each(self, texts: str, alias: str, values: Sequence[str]) -> str:
        """A JSON array: for each text of one (`alias.id`) the first of the JSON values that is not null, or null."""

    def records(self, texts: str, alias: str, kinds: Mapping[str, str]) -> str:
        """A source of a row for each object of a JSON array given as text: its members, and its number `n`.

        Kinds are PostgreSQL's; a moment is given as the other database stores it.
        """

    def settled(self, xid: str) -> str:
        """Whether the transaction that wrote a change, and every one before it, has ended (`live.md` J4)."""

    def nested(self, select: str) -> str:
        """A scalar sub-select whose value is JSON."""

    def boolean(self, condition: str) -> str:
        """`true`, `false`, or null where the condition is null."""

    def json(self, column: str) -> str:
        """A JSON column as it is."""

    def time(self, column: str) -> str:
        """RFC 3339, UTC, six decimals, `Z`."""

    def items(self, item: str, order: str, condition: str | None) -> str:
        """An aggregate: the items of the rows that fulfil the condition, which come in this order."""

    def cursor(self, tag: str, keys: Sequence[str]) -> str:
        """Hex of the JSON array `[tag, keys…]`."""

    def key(self, column: str, *, is_time: bool) -> str:
        """A column as a cursor holds it."""

    def visible(self, table: str, condition: str) -> str:
        """The select behind the name of a table, as this request may see it."""

    def one_of(self, value: str, texts: str) -> str:
        """The value is one of the texts of a JSON array."""

    def starts_with(self, value: str, text: str) -> str:
        """The value begins with the text, case-sensitive and without wildcards."""

    def contains(self, value: str, text: str) -> str:
        """The text is somewhere in the value, case-sensitive and without wildcards."""

    def json_exists(self, column: str, path: str) -> str:
        """The JSON column has a value at the path, be it null."""

    def json_equals(self, column: str, path: str, document: str, values: str) -> str:
        """The value at the path is of the same type and equal to that of `document` at the path, the one of `values`."""

    def json_among(self, column: str, path: str, values: str) -> str:
        """The value at the path is of the same type as one of a JSON array, and equal to it."""

    def instant(self, text: str) -> str:
        """A moment that is written into the text."""

    def original(self, table: str) -> str:
        """A table itself, where its name may stand for what the request may see of it."""

    def originals(self, tables: Sequence[str]) -> Sequence[tuple[str, str]]:
        """Names and selects that must come before everything else for `original` to mean the tables themselves."""

    def own_columns(self, alias: str) -> Sequence[str]:
        """What every visible row has beside the columns of its table."""

    def with_latest(self, latest: str, *, optional: bool) -> str:
        """A join with the one change `k` that `latest` finds for each row; it is then called `j`."""

    def member(self, document: str, path: Sequence[str], kind: str) -> str:
        """A member of a JSON document as `text`, `time`, `boolean` or `json`, as columns of that kind are stored."""

    def choose(self, value: str, labels: Mapping[str, str]) -> str:
        """The label of a stored value."""
        cases = " ".join(f"when '{stored}' then '{shown}'" for stored, shown in labels.items())
        return f"case {value} {cases} end"

    # The moment at which the statement began.
    now: str
    # How many parentheses an object's text may nest before it moves to a common table expression of its own.
    deepest: int | None


def depth(text: str) -> int:
    """How deep parentheses nest."""
    deepest = level = 0
    for character in text:
        if character == "(":
            level += 1
            deepest = max(deepest, level)
        elif character == ")":
            level -= 1
    return deepest
