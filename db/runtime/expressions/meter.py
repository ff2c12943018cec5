"""What one evaluation uses of its bounds (`runtime.md` X3)."""

from collections.abc import Callable
from typing import Any

from jsonata.jexception import JException

from db.runtime.limits import ExpressionLimits

NODE = 16
"""Work of one node of an expression, evaluated once."""

CHARACTERS = 64
"""So many characters are one unit of work."""


class LimitPassed(JException):  # type: ignore[misc]  # the library has no type information
    """A bound was passed. A `JException`, because the library rewrites every other exception."""

    def __init__(self, message: str) -> None:
        super().__init__("", -1)
        self.message = message


class Meter:
    """Counts work and depth, and asks `is_over` – a clock, usually – at every node."""

    __slots__ = ("_is_over", "_limits", "_work", "depth", "used")

    def __init__(self, limits: ExpressionLimits, is_over: Callable[[], bool]) -> None:
        self._limits = limits
        self._work = limits.work
        self._is_over = is_over
        self.used = 0
        self.depth = 0

    def node(self) -> None:
        """Before a node is evaluated: one more level of the expression, or of a function that calls itself."""
        self.charge(NODE)
        if self._is_over():
            raise LimitPassed(f"it took longer than {self._limits.seconds * 1000:g} ms")
        self.depth += 1
        if self.depth > self._limits.depth:
            raise LimitPassed(f"it is nested, or calls itself, more than {self._limits.depth} levels deep")

    def charge(self, work: int) -> None:
        """Before work is done, never after."""
        self.used += work
        if self.used > self._work:
            raise LimitPassed("it takes too much work")

    def text(self, characters: int) -> None:
        """Before a text of so many characters is made."""
        if characters > self._limits.text_characters:
            raise LimitPassed(f"it makes a text longer than {self._limits.text_characters} characters")
        self.charge(characters // CHARACTERS + 1)

    def items(self, count: int) -> None:
        """Before a list or an object of so many items is made."""
        if count > self._limits.items:
            raise LimitPassed(f"it makes a list of more than {self._limits.items} items")
        self.charge(count)

    def sized(self, value: Any) -> Any:
        """A value that was made; refused if it is too large."""
        if isinstance(value, str):
            self.text(len(value))
        elif isinstance(value, list | dict):
            self.items(len(value))
        return value

    def weigh(self, value: Any) -> None:
        """Charge for everything in a value, before something goes through it all.

        What is small in memory may be endless to go through: forty times `{"a": $x, "b": $x}`.
        """
        pending = [value]
        while pending:
            item = pending.pop()
            if isinstance(item, str):
                self.charge(len(item) // CHARACTERS + 1)
            elif isinstance(item, list):
                self.charge(len(item) + 1)
                pending.extend(item)
            elif isinstance(item, dict):
                self.charge(2 * len(item) + 1 + sum(map(len, item)) // CHARACTERS)
                pending.extend(item.values())
