"""JSONata's built-in functions, each charged for what it goes over and makes (`runtime.md` X3, X5).

Most are the library's; those listed in `OWN` are ours because the library's take quadratic or exponential time, cast to
boolean by another rule, or see more than the input. What `expression_syntax.py` forbids is in no table here.
"""

from collections.abc import Callable, Mapping
from typing import Any

from jsonata.jsonata import Jsonata
from jsonata.utils import Utils

from db.runtime.expression_syntax import FORBIDDEN
from db.runtime.expressions import arrays, dates, texts
from db.runtime.expressions.host import Host
from db.runtime.expressions.meter import CALL, CHARACTERS
from db.runtime.expressions.signatures import validated
from db.runtime.expressions.values import present

OWN: Mapping[str, Callable[..., Any]] = {
    "append": arrays.append,
    "boolean": arrays.boolean,
    "clone": arrays.clone,
    "contains": texts.contains,
    "distinct": arrays.distinct,
    "filter": arrays.filter_items,
    "formatInteger": dates.format_integer,
    "formatNumber": dates.format_number,
    "fromMillis": dates.from_millis,
    "join": texts.join,
    "keys": arrays.keys,
    "lookup": arrays.lookup,
    "match": texts.match,
    "merge": arrays.merge,
    "millis": dates.millis,
    "not": arrays.negation,
    "now": dates.now,
    "number": texts.number,
    "pad": texts.pad,
    "parseInteger": dates.parse_integer,
    "replace": texts.replace,
    "sift": arrays.sift,
    "single": arrays.single,
    "sort": arrays.sort,
    "split": texts.split,
    "spread": arrays.spread,
    "string": texts.string,
    "toMillis": dates.to_millis,
    "zip": arrays.zip_arrays,
}

SLOW = frozenset({"encodeUrl", "encodeUrlComponent", "decodeUrl", "decodeUrlComponent", "trim"})
"""Functions that go over a text character by character in Python."""


class Builtin(Jsonata.JFunction):  # type: ignore[misc]  # the library has no type information
    """One function for one evaluation."""

    def __init__(self, native: Any, host: Host) -> None:
        self.signature = native.signature
        self.function_name = native.signature.function_name
        self._count = native.nargs
        self._characters = CHARACTERS // 16 if self.function_name in SLOW else CHARACTERS
        self._own = OWN.get(self.function_name)
        self._native = native.method
        self._host = host

    def get_number_of_args(self) -> int:
        return int(self._count)

    def call(self, given: Any, args: Any) -> Any:
        """`given` takes the place of an argument that is missing."""
        meter = self._host.meter
        meter.enter(CALL)
        try:
            return self._called([present(arg) for arg in validated(self.signature, args, given, meter)])
        finally:
            meter.leave()

    def _called(self, args: list[Any]) -> Any:
        args += [None] * (self._count - len(args))
        self._host.meter.charge(sum(map(self._work, args)))
        result = self._native(*args) if self._own is None else self._own(self._host, *args)
        return Utils.convert_number(result) if Utils.is_numeric(result) else self._host.meter.sized(result)

    def _work(self, arg: Any) -> int:
        if isinstance(arg, str):
            return len(arg) // self._characters + 1
        return len(arg) + 1 if isinstance(arg, list | dict) else 1


def builtin(name: str, host: Host) -> Builtin | None:
    """The function of this name for an evaluation, if there is one."""
    native = Jsonata.static_frame.bindings.get(name)
    return None if native is None or name in FORBIDDEN else Builtin(native, host)
