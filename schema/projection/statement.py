"""A statement in the making: its tables as a request may see them, its parameters, and what is refused before it runs."""

import re
from collections.abc import Callable, Sequence

from graphql import GraphQLError
from sqlalchemy import Table

from schema.projection.arguments import (
    AnySite,
    Arguments,
    Convert,
    KnownSite,
    TooLarge,
    Values,
    bindable,
)
from schema.projection.journal import is_told
from schema.projection.past import JOURNAL, Past, refuse_expired
from schema.projection.plan import Guard, Parameter, Plan
from schema.projection.rows import Row
from schema.projection.spelling import Spelling, depth

_PLACEHOLDER = re.compile("⟦([0-9]+)⟧")
# A page nests five times around the conditions of its rows.
_DEEPEST_CONDITION = 4
# Fragments that spread fragments make much of little: in half a second no text of more than this is made or bound.
MAX_PARAMETERS = 5_000


class Statement:
    """What is asked of the database, while it is put together."""

    def __init__(self, spelling: Spelling) -> None:
        self.sql = spelling
        self._aliases = 0
        self._tables: dict[str, None] = {}
        self._originals: dict[str, None] = {}
        self._outlines: list[str] = []
        self._parameters: list[Parameter] = []
        self._sites: list[AnySite] = []
        self._numbers: list[tuple[int, Convert]] = []
        self._checks: list[tuple[int, Callable[[Values], None]]] = []
        self._guards: list[Guard] = []
        self._past: Past | None = None

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

    def alias(self, prefix: str) -> str:
        """A name that nothing else in the statement has."""
        self._aliases += 1
        return f"{prefix}{self._aliases}"

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

    def _parameter(self, parameter: Parameter) -> str:
        self._parameters.append(parameter)
        if len(self._parameters) > MAX_PARAMETERS:
            raise TooLarge(f"The operation compares and pages with more than {MAX_PARAMETERS:,} values.")
        return f"⟦{len(self._parameters) - 1}⟧"


def enumerate_names(outlines: Sequence[str]) -> list[tuple[str, str]]:
    """Outlines with the names by which the text calls them."""
    return [(f"o{number}", text) for number, text in enumerate(outlines)]
