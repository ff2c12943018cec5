"""A compiled selection: one text, where its parameters come from, and what must be checked before it runs."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLError
from graphql.execution import Executor

from schema.projection.arguments import AnySite, Convert, Values

# A page size stands in the text as a number of its own, between these marks until the statement runs.
_NUMBER = re.compile("⟪([0-9]+)⟫")


@dataclass(frozen=True, slots=True)
class Parameter:
    """Where a parameter's value comes from: the values of `Rows` (site None) or a site's arguments."""

    site: int | None
    read: Convert
    kind: str


@dataclass(frozen=True, slots=True)
class Guard:
    """What only the database can refuse: while `broken` holds the statement tells what `refuse` makes an error of."""

    broken: str
    told: str
    refuse: Callable[[str], GraphQLError]


@dataclass(slots=True)
class Plan:
    """A compiled selection; serves every request of the same document and the same shape of values."""

    text: str
    parameters: tuple[Parameter, ...]
    sites: tuple[AnySite, ...]
    numbers: tuple[tuple[int, Convert], ...]
    checks: tuple[tuple[int, Callable[[Values], None]], ...]
    guards: tuple[Guard, ...] = ()
    # What it answered, where that is always the same.
    answer: str | None = None

    @property
    def is_constant(self) -> bool:
        """Whether nothing of a request is in it, nor of a row: those are read by the tenant."""
        return not self.parameters and not self.numbers

    def require_answer(self, text: str | None) -> None:
        """Raise what a guard told: a JSON text, which no selection's answer is."""
        if text is not None and text.startswith('"'):
            number, _, told = orjson.loads(text).partition(" ")
            raise self.guards[int(number)].refuse(told)

    def statement(self, executor: Executor[Any], values: Values) -> tuple[str, list[Any]]:
        """The text and its parameters for one request; raises `BadUserInput`."""
        return self.bound([site.values(executor.variable_values) for site in self.sites], values)

    def bound(self, arguments: Sequence[Values], values: Values) -> tuple[str, list[Any]]:
        """The text and its parameters for these arguments of each site; raises `BadUserInput`."""
        for number, check in self.checks:
            check(arguments[number])
        sizes = [read(arguments[number]) for number, read in self.numbers]
        text = _NUMBER.sub(lambda found: str(sizes[int(found[1])]), self.text) if sizes else self.text
        bound = [
            parameter.read(values if parameter.site is None else arguments[parameter.site])
            for parameter in self.parameters
        ]
        return text, bound
