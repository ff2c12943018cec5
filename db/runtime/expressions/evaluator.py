"""The library's evaluator with bounds at every node and every operator (`runtime.md` X3).

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
from db.runtime.expressions.scopes import RootScope, Scope
from db.runtime.expressions.transform import Transform
from db.runtime.expressions.values import NULL, equal, present, truth

PARSING = 100 * NODE
"""Work of parsing the few words that the library makes of a partly applied built-in function."""

FITTING = {"a": [], "o": {}}


class Evaluator(Jsonata):  # type: ignore[misc]  # the library has no type information
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
        """The library's functions find the evaluator of their thread here."""
        before = getattr(Jsonata.CURRENT, "jsonata", None)
        Jsonata.CURRENT.jsonata = self
        try:
            yield
        finally:
            Jsonata.CURRENT.jsonata = before

    def _builtin(self, name: str) -> Builtin | None:
        return builtin(name, self)

    def create_frame(self, enclosing_environment: Any = None) -> Scope:
        return Scope(enclosing_environment)

    def eval(self, expr: Any, input: Any, environment: Any) -> Any:
        self.meter.node()
        try:
            return self._eval(expr, input, environment)
        finally:
            self.meter.depth -= 1

    # Paths

    def evaluate_step(self, expr: Any, input: Any, environment: Any, last_step: bool) -> Any:
        if expr.type == "sort":
            return super().evaluate_step(expr, input, environment, last_step)
        self.meter.charge(len(input))
        found = []
        for item in present(input):
            value = self.eval(expr, item, environment)
            for stage in expr.stages or ():
                value = self.evaluate_filter(stage.expr, value, environment)
            if value is not None:
                found.append(value)
        if last_step and len(found) == 1 and isinstance(found[0], list) and not Utils.is_sequence(found[0]):
            return found[0]
        return self._flattened(found)

    def _flattened(self, found: list[Any]) -> Any:
        sequence = Utils.create_sequence()
        for value in found:
            if isinstance(value, list) and not (isinstance(value, Utils.JList) and value.cons):
                self.extend(sequence, value)
            else:
                sequence.append(value)
        return sequence

    def extend(self, sequence: list[Any], values: Any) -> None:
        """Add many at once, within bounds."""
        self.meter.items(len(sequence) + len(values))
        self.meter.used -= len(sequence)
        sequence.extend(values)

    def evaluate_tuple_step(self, expr: Any, input: Any, tuple_bindings: Any, environment: Any) -> Any:
        if expr.type == "sort":
            return super().evaluate_tuple_step(expr, input, tuple_bindings, environment)
        stream = Utils.create_sequence()
        stream.tuple_stream = True
        if tuple_bindings is None:
            self.meter.charge(len(input))
            tuple_bindings = [{"@": item} for item in present(input)]
        for binding in tuple_bindings:
            scope = self.create_frame_from_tuple(environment, binding)
            self._bind_each(expr, binding, self.eval(expr, binding["@"], scope), stream)
        return stream if expr.stages is None else self.evaluate_stages(expr.stages, stream, environment)

    def _bind_each(self, expr: Any, binding: dict[str, Any], found: Any, stream: Any) -> None:
        """A tuple for every value of a step: what was bound before, and the value under its names."""
        if found is None:
            return
        values = found if isinstance(found, list) else [found]
        is_stream = isinstance(found, Utils.JList) and found.tuple_stream
        self.meter.items(len(values) * len(binding))
        for index, value in enumerate(present(values)):
            bound = dict(binding)
            if is_stream:
                bound.update(value)
            else:
                bound[expr.focus if expr.focus is not None else "@"] = value
                if expr.index is not None:
                    bound[expr.index] = index
                if expr.ancestor is not None:
                    bound[expr.ancestor.label] = binding["@"]
            stream.append(bound)

    def evaluate_filter(self, predicate: Any, input: Any, environment: Any) -> Any:
        if predicate.type == "number" or input is None:
            return super().evaluate_filter(predicate, input, environment)
        is_stream = isinstance(input, Utils.JList) and input.tuple_stream
        kept = Utils.create_sequence()
        kept.tuple_stream = is_stream
        items = present(input) if isinstance(input, list) else [input]
        for index, item in enumerate(items):
            scope = self.create_frame_from_tuple(environment, item) if is_stream else environment
            wanted = self.eval(predicate, item["@"] if is_stream else item, scope)
            self.extend(kept, [item] * self._times(wanted, index, len(items)))
        return kept

    def _times(self, wanted: Any, index: int, length: int) -> int:
        """How often a filter keeps an item: a number, or an array of them, names positions."""
        if isinstance(wanted, list):
            self.meter.charge(len(wanted))
        positions = [wanted] if Utils.is_numeric(wanted) else wanted
        if Utils.is_array_of_numbers(positions):
            return sum((int(each) + length if each < 0 else int(each)) == index for each in positions)
        return int(truth(wanted, self.meter))

    def evaluate_name(self, expr: Any, input: Any, environment: Any) -> Any:
        return self.find(input, str(expr.value))

    def find(self, input: Any, key: str) -> Any:
        """What stands under a name in an object, or in every object of an array; null is not nothing."""
        if isinstance(input, dict):
            return NULL if input.get(key, NULL) is None else input.get(key)
        if not isinstance(input, list):
            return None
        self.meter.charge(len(input))
        found = Utils.create_sequence()
        for item in input:
            value = self.find(item, key)
            if isinstance(value, list):
                self.extend(found, value)
            elif value is not None:
                found.append(value)
        return found

    def evaluate_wildcard(self, expr: Any, input: Any) -> Any:
        found = Utils.create_sequence()
        for value in present(input).values() if isinstance(input, dict) else present(_list(input)):
            self.meter.charge(1)
            if isinstance(value, list):
                self.flatten(value, found)
            else:
                found.append(value)
        return found

    def flatten(self, arg: Any, flattened: Any) -> Any:
        pending = [arg]
        while pending:
            item = pending.pop()
            if isinstance(item, list):
                self.meter.charge(len(item) + 1)
                pending.extend(reversed(present(item)))
            else:
                flattened.append(item)
        return flattened

    def recurse_descendants(self, input: Any, results: Any) -> None:
        pending = [input]
        while pending:
            item = pending.pop()
            if not isinstance(item, list):
                results.append(item)
            if isinstance(item, list | dict):
                self.meter.charge(len(item) + 1)
                members = present(item)
                pending.extend(reversed(members if isinstance(item, list) else members.values()))

    # Operators

    def evaluate_binary(self, expr: Any, input: Any, environment: Any) -> Any:
        if expr.value not in {"and", "or"}:
            return super().evaluate_binary(expr, input, environment)
        left = truth(self.eval(expr.lhs, input, environment), self.meter)
        if left is (expr.value == "or"):
            return left
        return truth(self.eval(expr.rhs, input, environment), self.meter)

    def evaluate_condition(self, expr: Any, input: Any, environment: Any) -> Any:
        if truth(self.eval(expr.condition, input, environment), self.meter):
            return self.eval(expr.then, input, environment)
        return None if expr._else is None else self.eval(expr._else, input, environment)

    def evaluate_numeric_expression(self, lhs: Any, rhs: Any, op: Any) -> Any:
        if op == "%" and Utils.is_numeric(lhs) and Utils.is_numeric(rhs):
            # The library cuts the remainder to a whole number.
            return Utils.convert_number(math.fmod(lhs, rhs)) if rhs else super()._divide(lhs, rhs)
        return super().evaluate_numeric_expression(lhs, rhs, op)

    def evaluate_equality_expression(self, lhs: Any, rhs: Any, op: Any) -> Any:
        if lhs is None or rhs is None:
            return False
        return equal(lhs, rhs, self.meter) is (op == "=")

    def evaluate_includes_expression(self, lhs: Any, rhs: Any) -> Any:
        if lhs is None or rhs is None:
            return False
        return any(equal(lhs, item, self.meter) for item in _list(rhs))

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

    def evaluate_unary(self, expr: Any, input: Any, environment: Any) -> Any:
        if str(expr.value) != "[":
            return super().evaluate_unary(expr, input, environment)
        made = Utils.JList()
        for item in expr.expressions:
            value = self.eval(item, input, environment)
            if isinstance(value, list) and str(item.value) != "[":
                self.extend(made, value)
            elif value is not None:
                made.append(value)
        made.cons = bool(expr.consarray)
        return made

    def evaluate_group_expression(self, expr: Any, input: Any, environment: Any) -> Any:
        return group(self, expr, input, environment)

    def evaluate_sort_expression(self, expr: Any, input: Any, environment: Any) -> Any:
        self.meter.charge(len(_list(input)))
        return super().evaluate_sort_expression(expr, present(input), environment)

    def evaluate_transform_expression(self, expr: Any, input: Any, environment: Any) -> Any:
        return Jsonata.JFunction(Transform(self, expr, environment), "<(oa):o>")

    # Functions

    def apply_inner(self, proc: Any, args: Any, input: Any, environment: Any) -> Any:
        if Functions.is_regex(proc):
            return self.environment.lookup("match").first(proc, args)
        if not Utils.is_function(proc) and not Functions.is_lambda(proc):
            raise JException("T1006", -1)
        return super().apply_inner(proc, args, input, environment)

    def validate_arguments(self, signature: Any, args: Any, context: Any) -> Any:
        # A context that does not fit is written out by the library, however long it is.
        shown = [] if isinstance(context, list) else {} if isinstance(context, dict) else context
        own = getattr(signature, "signature", None)
        if own is None:
            return args
        self.meter.charge(sum(len(arg) for arg in args if isinstance(arg, list)))
        missing = next((param for param in own._params if param.context), None)
        return own.validate(args, context if missing is None or _fits(own, missing, context) else shown)

    def partial_apply_native_function(self, native: Any, args: Any) -> Any:
        self.meter.charge(PARSING)
        # A bounded parser counts the nodes of one source.
        self.parser = BoundedParser()
        return super().partial_apply_native_function(native, args)
