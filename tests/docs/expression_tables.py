"""What pages say of expressions, with the numbers and names that the evaluator itself goes by."""

from jsonata.jsonata import Jsonata

from db.evaluation.driver import COMMAND_SECONDS, HERE_WORK
from db.evaluation.worker import KILLED_AFTER, MEMORY_BYTES
from db.runtime.expression_syntax import (
    FORBIDDEN,
    MAX_NESTING,
    MAX_NODES,
    MAX_REGEXES,
    MAX_SOURCE_BYTES,
)
from db.runtime.expressions.compiled import LIGHT_FUNCTIONS
from db.runtime.expressions.dates import MAX_INPUT, MAX_PICTURE
from db.runtime.expressions.meter import CHARACTERS, NODE
from db.runtime.limits import ExpressionLimits


def functions() -> str:
    """Every function that an expression may call."""
    return _listed(set(Jsonata.static_frame.bindings) - FORBIDDEN)


def light_functions() -> str:
    """Those that a light expression may call."""
    return _listed(LIGHT_FUNCTIONS)


def expression_limits() -> str:
    """One row per bound."""
    limits = ExpressionLimits()
    rows = [
        ("Source", f"{MAX_SOURCE_BYTES >> 10} KiB", "`EXPRESSION_SYNTAX`"),
        ("Nesting of the source", f"{MAX_NESTING} levels", "`EXPRESSION_SYNTAX`"),
        ("Nodes of the parsed source", f"{MAX_NODES:,}", "`EXPRESSION_SYNTAX`"),
        ("Regular expressions in one source", f"{MAX_REGEXES}", "`EXPRESSION_SYNTAX`"),
        (
            f"Work of one evaluation: {NODE} for a node of the expression each time it is evaluated, about 1 for an "
            f"item or {CHARACTERS} characters that are gone over",
            f"{limits.work:,}",
            "`LIMIT_EXCEEDED`",
        ),
        ("Processor time of one evaluation", f"{limits.seconds * 1000:g} ms", "`LIMIT_EXCEEDED`"),
        ("Nesting and recursion of one evaluation", f"{limits.depth} levels", "`LIMIT_EXCEEDED`"),
        ("A text that is made", f"{limits.text_characters:,} characters", "`LIMIT_EXCEEDED`"),
        ("An array or an object that is made", f"{limits.items:,} items", "`LIMIT_EXCEEDED`"),
        ("The result as JSON", f"{limits.result_bytes >> 20} MiB", "`LIMIT_EXCEEDED`"),
        ("Nesting of the result", f"{limits.json_depth} levels", "`LIMIT_EXCEEDED`"),
        ("A picture of a date or a number", f"{MAX_PICTURE} characters", "`LIMIT_EXCEEDED`"),
        ("A text that is parsed by a picture", f"{MAX_INPUT} characters", "`LIMIT_EXCEEDED`"),
        (
            "Time that workers take for what a command asks at once, such as all items of a batch",
            f"{COMMAND_SECONDS:g} s",
            "`LIMIT_EXCEEDED`",
        ),
        (
            "Work that the process that serves does for what a command asks at once",
            f"{HERE_WORK:,}",
            "the rest goes to a worker",
        ),
        (
            "A worker's processor time for one evaluation that does not look at the clock",
            f"{KILLED_AFTER:g} s",
            "the worker ends, `LIMIT_EXCEEDED`",
        ),
        ("A worker's memory", f"{MEMORY_BYTES >> 20} MiB", "`LIMIT_EXCEEDED`"),
    ]
    lines = [f"| {bound} | {value} | {beyond} |" for bound, value, beyond in rows]
    return "\n".join(["| Bound | Value | Beyond it |", "|---|---|---|", *lines])


def _listed(names: set[str]) -> str:
    return ", ".join(f"`${name}`" for name in sorted(names)) + "."
