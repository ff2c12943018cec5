"""The transform operator: `object ~> |pattern|update, deletions|`. It changes a copy, never the input."""

from typing import Any

from jsonata.functions import Functions
from jsonata.jexception import JException
from jsonata.jsonata import Jsonata

from db.runtime.expressions.values import as_list


class Transform(Jsonata.Transformer):  # type: ignore[misc]  # the library has no type information
    """The library's, but what a pattern finds outside the copy – `|$$.__context__|…|` – is left alone."""

    def call(self, given: Any, args: Any) -> Any:
        if args[0] is None:
            return None
        evaluator = self._jsonata
        evaluator.meter.weigh(args[0])
        copy = Functions.function_clone(args[0])
        own = {id(item) for item in _objects(copy)}
        for match in as_list(evaluator.eval(self._expr.pattern, copy, self._environment)):
            if id(match) in own:
                self._change(match)
        return copy

    def _change(self, match: dict[str, Any]) -> None:
        update = self._jsonata.eval(self._expr.update, match, self._environment)
        if update is not None and not isinstance(update, dict):
            raise JException("T2011", self._expr.update.position, "it is none")
        match.update(update or {})
        if self._expr.delete is not None:
            self._delete(match)

    def _delete(self, match: dict[str, Any]) -> None:
        names = as_list(self._jsonata.eval(self._expr.delete, match, self._environment))
        if not all(isinstance(name, str) for name in names):
            raise JException("T2012", self._expr.delete.position, "it is neither")
        for name in names:
            match.pop(name, None)


def _objects(value: Any) -> list[dict[str, Any]]:
    found = []
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            found.append(item)
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return found
