"""What one evaluation uses of its bounds (`runtime.md` X3)."""

from collections.abc import Callable
from typing import Any

from jsonata.jexception import JException

from db.runtime.limits import ExpressionLimits

NODE = 16
"""Work of one node of an expression, evaluated once."""

CALL = 3 * NODE
"""Work of calling a built-in function, or of one match of a regular expression."""

ASKED = 1_000
"""Work between two looks at the clock."""

CHARACTERS = 64
"""So many characters are one unit of work."""


class LimitPassed(JException):  # type: ignore[misc]  # the library has no type information
    """A bound was passed. A `JException`, because the library rewrites every other exception."""

    def __init__(self, message: str) -> None:
        super().__init__("", -1)
        self.message = message


class Meter:
    """Counts work and depth, and asks `is_over` – a clock, usually – now and then."""

    __slots__ = ("_ask_at", "_is_over", "_limits", "_work", "depth", "used")

    def __init__(self, limits: ExpressionLimits, is_over: Callable[[], bool]) -> None:
        self._limits = limits
        self._work = limits.work
        self._is_over = is_over
        self._ask_at = ASKED
        self.used = 0
        self.depth = 0

    def enter(self, work: int = NODE) -> None:
        """Before a node is evaluated or a function called: one more level of the expression, or of a recursion."""
        self.step(work)
        self.depth += 1
        if self.depth > self._limits.depth:
            raise LimitPassed(f"it is nested, or calls itself, more than {self._limits.depth} levels deep")

    def leave(self) -> None:
        """After what `enter` began."""
        self.depth -= 1

    def step(self, work: int) -> None:
        """Before one of many steps: charge, and look at the clock when it is time to."""
        self.charge(work)
        if self.used >= self._ask_at:
            self._ask_at = self.used + ASKED
            if self._is_over():
                raise LimitPassed(f"it took longer than {self._limits.seconds * 1000:g} ms")

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

    def lengthen(self, characters: int, more: int) -> None:
        """Before so many characters are added to a text."""
        if characters + more > self._limits.text_characters:
            self.text(characters + more)
        self.charge(more // CHARACTERS + 1)

    def items(self, count: int) -> None:
        """Before a list or an object of so many items is made."""
        if count > self._limits.items:
            raise LimitPassed(f"it makes a list of more than {self._limits.items} items")
        self.charge(count)

    def grow(self, count: int, more: int) -> None:
        """Before so many items are added to a list."""
        if count + more > self._limits.items:
            self.items(count + more)
        self.charge(more)

    def sized(self, value: Any) -> Any:
        """A value that was made; refused if it is too large."""
        if isinstance(value, str):
            self.text(len(value))
        elif isinstance(value, list | dict):
            self.items(len(value))
        return value

    def container(self, value: Any) -> None:
        """Before the items of a list or an object of the input or of the expression are gone over."""
        self.charge(2 * len(value) + 4)

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
                self.container(item)
                pending.extend(item)
            elif isinstance(item, dict):
                self.container(item)
                self.charge(sum(map(len, item)) // CHARACTERS)
                pending.extend(item.values())
