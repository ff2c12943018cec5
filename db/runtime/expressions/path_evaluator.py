"""Paths of the library's evaluator with bounds at every step (`runtime.md` X3): steps, filters, tuples, wildcards.

Overridden is what would build or go through something large in one breath, what drops the nulls of an array, and what
casts to boolean by another rule than JSONata's.
"""

import math
from collections.abc import Iterable
from typing import Any

from jsonata.jsonata import Jsonata
from jsonata.utils import Utils

from db.runtime.expressions.meter import Meter
from db.runtime.expressions.scopes import Scope
from db.runtime.expressions.values import NULL, as_list, present, truth

METHODS = {
    "path": "evaluate_path",
    "binary": "evaluate_binary",
    "unary": "evaluate_unary",
    "name": "evaluate_name",
    "string": "_literal",
    "number": "_literal",
    "value": "_literal",
    "wildcard": "_wildcard",
    "descendant": "_descendants",
    "parent": "_parent",
    "condition": "evaluate_condition",
    "block": "evaluate_block",
    "bind": "evaluate_bind_expression",
    "regex": "_pattern",
    "function": "_call",
    "variable": "evaluate_variable",
    "lambda": "evaluate_lambda",
    "partial": "evaluate_partial_application",
    "apply": "evaluate_apply_expression",
    "transform": "evaluate_transform_expression",
}
"""What evaluates a node of each type."""


class PathEvaluator(Jsonata):  # type: ignore[misc]  # the library has no type information
    """What `Evaluator` knows of paths."""

    meter: Meter

    def create_frame(self, enclosing_environment: Any = None) -> Scope:
        return Scope(enclosing_environment)

    def eval(self, expr: Any, given: Any, environment: Any) -> Any:
        """The value of a node over a context. The library's own goes through twenty comparisons to find the method."""
        self.meter.enter()
        method = METHODS.get(expr.type)
        result = None if method is None else getattr(self, method)(expr, given, environment)
        for predicate in expr.predicate or ():
            result = self.evaluate_filter(predicate.expr, result, environment)
        if expr.group is not None and expr.type != "path":
            result = self.evaluate_group_expression(expr.group, result, environment)
        # What raises ends the evaluation, so no level needs to be left then.
        self.meter.leave()
        if isinstance(result, Utils.JList) and result.sequence and not result.tuple_stream:
            return self._collapsed(expr, result)
        return result

    def _collapsed(self, expr: Any, sequence: Any) -> Any:
        """An empty sequence is nothing, one of one item is the item (X1), unless `[]` says that it is an array."""
        if expr.keep_array:
            sequence.keep_singleton = True
        if not sequence:
            return None
        return sequence[0] if len(sequence) == 1 and not sequence.keep_singleton else sequence

    def _literal(self, expr: Any, given: Any, environment: Any) -> Any:
        return NULL if expr.value is None else expr.value

    def _pattern(self, expr: Any, given: Any, environment: Any) -> Any:
        return expr.value

    def _wildcard(self, expr: Any, given: Any, environment: Any) -> Any:
        return self.evaluate_wildcard(expr, given)

    def _descendants(self, expr: Any, given: Any, environment: Any) -> Any:
        return self.evaluate_descendants(expr, given)

    def _parent(self, expr: Any, given: Any, environment: Any) -> Any:
        return environment.lookup(expr.slot.label)

    def _call(self, expr: Any, given: Any, environment: Any) -> Any:
        return self.evaluate_function(expr, given, environment, Utils.NONE)

    def evaluate_step(self, expr: Any, given: Any, environment: Any, last_step: bool) -> Any:
        if expr.type == "sort":
            return super().evaluate_step(expr, given, environment, last_step)
        self.meter.charge(len(given))
        found = []
        for item in present(given):
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
        self.meter.grow(len(sequence), len(values))
        sequence.extend(values)

    def sequence(self, values: Iterable[Any]) -> Any:
        """What JSONata collapses: nothing if it is empty, its item if it is one."""
        return Utils.create_sequence_from_iter(values)

    def evaluate_tuple_step(self, expr: Any, given: Any, tuple_bindings: Any, environment: Any) -> Any:
        if expr.type == "sort":
            return super().evaluate_tuple_step(expr, given, tuple_bindings, environment)
        stream = Utils.create_sequence()
        stream.tuple_stream = True
        if tuple_bindings is None:
            self.meter.charge(len(given))
            tuple_bindings = [{"@": item} for item in present(given)]
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

    def evaluate_filter(self, predicate: Any, given: Any, environment: Any) -> Any:
        if predicate.type == "number" or given is None:
            return super().evaluate_filter(predicate, given, environment)
        is_stream = isinstance(given, Utils.JList) and given.tuple_stream
        kept = Utils.create_sequence()
        kept.tuple_stream = is_stream
        items = present(given) if isinstance(given, list) else [given]
        for index, item in enumerate(items):
            scope = self.create_frame_from_tuple(environment, item) if is_stream else environment
            wanted = self.eval(predicate, item["@"] if is_stream else item, scope)
            if self._is_kept(wanted, index, len(items)):
                kept.append(item)
        return kept

    def _is_kept(self, wanted: Any, index: int, length: int) -> bool:
        """Whether a filter keeps an item: a number, or an array of them, names positions from either end."""
        if isinstance(wanted, list):
            self.meter.charge(len(wanted))
        positions = [wanted] if Utils.is_numeric(wanted) else wanted
        if Utils.is_array_of_numbers(positions):
            return any(math.floor(each) in {index, index - length} for each in positions)
        return truth(wanted, self.meter)

    def evaluate_name(self, expr: Any, given: Any, environment: Any) -> Any:
        return self.find(given, str(expr.value))

    def find(self, given: Any, key: str) -> Any:
        """What stands under a name in an object, or in every object of an array; null is not nothing."""
        if isinstance(given, dict):
            value = given.get(key)
            return NULL if value is None and key in given else value
        if not isinstance(given, list):
            return None
        self.meter.container(given)
        found = Utils.create_sequence()
        for item in given:
            value = self.find(item, key)
            if isinstance(value, list):
                self.extend(found, value)
            elif value is not None:
                found.append(value)
        return found

    def evaluate_wildcard(self, expr: Any, given: Any) -> Any:
        found = Utils.create_sequence()
        for value in present(given).values() if isinstance(given, dict) else present(as_list(given)):
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
                self.meter.container(item)
                pending.extend(reversed(present(item)))
            else:
                flattened.append(item)
        return flattened

    def recurse_descendants(self, given: Any, results: Any) -> None:
        pending = [given]
        while pending:
            item = pending.pop()
            if not isinstance(item, list):
                results.append(item)
            if isinstance(item, list | dict):
                self.meter.container(item)
                members = present(item)
                pending.extend(reversed(members if isinstance(item, list) else members.values()))
