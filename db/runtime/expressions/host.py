"""What built-in functions and constructors use of an evaluator."""

from collections.abc import Iterable
from typing import Any, Protocol

from db.runtime.expressions.meter import Meter


class Host(Protocol):
    """`timestamp` is the command's time in milliseconds since 1970."""

    meter: Meter
    timestamp: int

    def eval(self, expr: Any, given: Any, environment: Any) -> Any: ...

    def create_frame_from_tuple(self, environment: Any, binding: Any) -> Any: ...

    def find(self, given: Any, key: str) -> Any: ...

    def sequence(self, values: Iterable[Any]) -> Any: ...

    def extend(self, sequence: list[Any], values: Any) -> None: ...
