"""The library's evaluator with bounds at every node and every operator (`runtime.md` X3, X5). Paths: `path_evaluator.py`.

Overridden is what would build or go through something large in one breath, what would change the input, and what goes
by another rule than JSONata's. Built-in functions: `builtins.py`.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jsonata.functions import Functions
from jsonata.jexception import JException
from jsonata.jsonata import Jsonata
from jsonata.utils import Utils

from db.runtime.expression_syntax import BoundedParser
from db.runtime.expressions.builtins import Builtin, builtin
from db.runtime.expressions.compiled import Compiled
from db.runtime.expressions.grouping import group
from db.runtime.expressions.meter import NODE, Meter
from db.runtime.expressions.path_evaluator import PathEvaluator
from db.runtime.expressions.regexes import apply_regex
from db.runtime.expressions.scopes import RootScope
from db.runtime.expressions.signatures import validated
from db.runtime.expressions.transform import Transform
from db.runtime.expressions.values import as_list, equal, present, truth

PARSING = 100 * NODE
"""Work of parsing the few words that the library makes of a partly applied built-in function."""


class Evaluator(PathEvaluator):
    """One evaluation of one expression; `now` is milliseconds since 1970."""

    def __init__(self, compiled: Compiled, meter: Meter, now: int) -> None:
        # Not the library's: that would parse.
        self.ast = compiled.tree
        self.parser = compiled.parser
        self.meter = meter
        self.timestamp = now
        self.environment = RootScope(self._builtin)

    def run(self, data: dict[str, Any]) -> Any:
        """The value in the library's spelling."""
        self.environment.bind("$", data)
        with self._as_current():
            return self.eval(self.ast, data, self.environment)

    @contextmanager
    def _as_current(self) -> Iterator[None]:
        """The library's functions look for the evaluator of their thread here."""
        before = getattr(Jsonata.CURRENT, "jsonata", None)
        Jsonata.CURRENT.jsonata = self
        try:
            yield
        finally:
            Jsonata.CURRENT.jsonata = before

    def _builtin(self, name: str) -> Builtin | None:
        return builtin(name, self)

    def evaluate_binary(self, expr: Any, given: Any, environment: Any) -> Any:
        if expr.value not in {"and", "or"}:
            return super().evaluate_binary(expr, given, environment)
        left = truth(self.eval(expr.lhs, given, environment), self.meter)
        if left is (expr.value == "or"):
            return left
        return truth(self.eval(expr.rhs, given, environment), self.meter)

    def evaluate_condition(self, expr: Any, given: Any, environment: Any) -> Any:
        if truth(self.eval(expr.condition, given, environment), self.meter):
            return self.eval(expr.then, given, environment)
        return None if expr._else is None else self.eval(expr._else, given, environment)

    def evaluate_numeric_expression(self, lhs: Any, rhs: Any, op: Any) -> Any:
        if op == "%" and Utils.is_numeric(lhs) and Utils.is_numeric(rhs):
            # The library cuts the remainder to a whole number.
            if rhs == 0:
                raise ZeroDivisionError
            return Utils.convert_number(math.fmod(lhs, rhs))
        return super().evaluate_numeric_expression(lhs, rhs, op)

    def evaluate_equality_expression(self, lhs: Any, rhs: Any, op: Any) -> Any:
        if lhs is None or rhs is None:
            return False
        return equal(lhs, rhs, self.meter) is (op == "=")

    def evaluate_includes_expression(self, lhs: Any, rhs: Any) -> Any:
        if lhs is None or rhs is None:
            return False
        return any(equal(lhs, item, self.meter) for item in as_list(rhs))

    def evaluate_string_concat(self, lhs: Any, rhs: Any) -> str:
        left, right = self.text(lhs), self.text(rhs)
        self.meter.text(len(left) + len(right))
        return left + right

    def text(self, value: Any) -> str:
        """A value as `$string` writes it; nothing is empty."""
        self.meter.weigh(value)
        return Functions.string(value, None) or ""

    def evaluate_range_expression(self, lhs: Any, rhs: Any) -> Any:
        if isinstance(lhs, int) and isinstance(rhs, int):
            self.meter.items(max(rhs - lhs + 1, 0))
        numbers = super().evaluate_range_expression(lhs, rhs)
        # The library's lazy list says that it is one longer than it is.
        return numbers if numbers is None else list(range(lhs, rhs + 1))

    def evaluate_unary(self, expr: Any, given: Any, environment: Any) -> Any:
        if str(expr.value) != "[":
            return super().evaluate_unary(expr, given, environment)
        made = Utils.JList()
        for item in expr.expressions:
            value = self.eval(item, given, environment)
            if isinstance(value, list) and str(item.value) != "[":
                self.extend(made, value)
            elif value is not None:
                made.append(value)
        made.cons = bool(expr.consarray)
        return made

    def evaluate_group_expression(self, expr: Any, given: Any, environment: Any) -> Any:
        return group(self, expr, given, environment)

    def evaluate_sort_expression(self, expr: Any, given: Any, environment: Any) -> Any:
        self.meter.charge(len(as_list(given)))
        return super().evaluate_sort_expression(expr, present(given), environment)

    def evaluate_transform_expression(self, expr: Any, given: Any, environment: Any) -> Any:
        return Jsonata.JFunction(Transform(self, expr, environment), "<(oa):o>")

    def apply_inner(self, proc: Any, args: Any, given: Any, environment: Any) -> Any:
        if Functions.is_regex(proc):
            return apply_regex(proc, args, self.meter)
        if not Utils.is_function(proc) and not Functions.is_lambda(proc):
            raise JException("T1006", -1)
        return super().apply_inner(proc, args, given, environment)

    def validate_arguments(self, signature: Any, args: Any, context: Any) -> Any:
        # A built-in function does it when it is called: `$map` and its like call it directly.
        declared = getattr(signature, "signature", None)
        if declared is None or isinstance(signature, Builtin):
            return args
        return validated(declared, args, context, self.meter)

    def partial_apply_native_function(self, native: Any, args: Any) -> Any:
        self.meter.charge(PARSING)
        # A bounded parser counts the nodes of one source.
        self.parser = BoundedParser()
        return super().partial_apply_native_function(native, args)
