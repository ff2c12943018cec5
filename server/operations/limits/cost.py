"""How many nodes a selection asks for: a number, or a sum in which variables are factors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

# Sums are cut off here, far beyond any bound: fragments can multiply numbers until they have hundreds of digits.
CEILING: Final = 1_000_000_000

Variables = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Size:
    """How many entries a list has: the greatest number that is given, or `otherwise` where none is.

    A path leads to the number in the variables: `("first",)` is `$first`, `("input", "limit")` is `$input.limit`.
    """

    otherwise: int
    literals: tuple[int, ...] = ()
    paths: tuple[tuple[str, ...], ...] = ()

    def entries(self, variables: Variables) -> int:
        """With these variables, which are coerced."""
        given = [*self.literals, *_numbers(self.paths, variables)]
        return min(max(0, max(given, default=self.otherwise)), CEILING)


ONE: Final = Size(1)


@dataclass(frozen=True, slots=True, eq=False)
class Cost:
    """`fixed` nodes, and those of each part as often as its size says. Parts are shared where fragments are."""

    fixed: int = 0
    parts: "tuple[tuple[Size, Cost], ...]" = ()

    @staticmethod
    def total(costs: "Iterable[Cost]") -> "Cost":
        """The sum. It has at most one part for each of the costs, so that it cannot grow as fragments are spread."""
        fixed = 0
        parts: list[tuple[Size, Cost]] = []
        for cost in costs:
            if len(cost.parts) > 1:
                parts.append((ONE, cost))
            else:
                fixed += cost.fixed
                parts += cost.parts
        return Cost(min(fixed, CEILING), tuple(parts))

    def times(self, size: Size) -> "Cost":
        """This many nodes for each entry of a list."""
        if self.parts or size.paths:
            return Cost(0, ((size, self),))
        return Cost(min(self.fixed * size.entries({}), CEILING))

    def nodes(self, variables: Variables) -> int:
        """The number, with these variables; each shared part is counted once and then known."""
        return self._nodes(variables, {})

    def _nodes(self, variables: Variables, known: "dict[Cost, int]") -> int:
        if self not in known:
            varying = (size.entries(variables) * part._nodes(variables, known) for size, part in self.parts)
            known[self] = min(self.fixed + sum(varying), CEILING)
        return known[self]


NOTHING: Final = Cost()
A_NODE: Final = Cost(1)


def _numbers(paths: Iterable[tuple[str, ...]], variables: Variables) -> Iterable[int]:
    for path in paths:
        value: Any = variables
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, int):
            yield value
        elif isinstance(value, list):
            yield len(value)
