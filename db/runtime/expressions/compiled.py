"""Sources, parsed and checked (`runtime.md` X3–X5), and whether one is light enough for the process that serves."""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from jsonata.parser import Parser

from db.runtime.expression_syntax import (
    MAX_SOURCE_BYTES,
    SourceRefusedError,
    checked_tree,
    symbols,
)
from db.runtime.expressions.failure import ExpressionFailed, FailureCode
from db.runtime.expressions.reads import Path, paths_of

SHORT_SOURCE = 256
LIGHT_NODES = 400

HEAVY_WORDS = re.compile(r"function|λ|\.\.|\*\*|~>|[\^@#|]")
"""What tells without parsing."""

LIGHT_TYPES = {
    "path",
    "name",
    "binary",
    "unary",
    "string",
    "number",
    "value",
    "condition",
    "block",
    "function",
} | {
    "variable",
    "bind",
    "filter",
    None,
}
LIGHT_OPERATORS = {
    "+",
    "-",
    "*",
    "/",
    "%",
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "&",
    "and",
    "or",
    "in",
    "[",
    "{",
    ".",
}
LIGHT_FUNCTIONS = (
    {
        "boolean",
        "count",
        "exists",
        "keys",
        "length",
        "lookup",
        "millis",
        "not",
        "now",
        "number",
        "string",
        "type",
    }
    | {"abs", "average", "ceil", "floor", "max", "min", "round", "sum"}
    | {"contains", "join", "lowercase", "substring", "substringAfter", "substringBefore", "trim", "uppercase"}
    | {"append", "distinct", "merge"}
)


@dataclass(frozen=True)
class Compiled:
    """A parsed source. It is shared by threads: an evaluation changes nothing of it."""

    tree: Any
    parser: Parser

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """What it reads of its input."""
        return paths_of(self.tree)


def compiled(src: str) -> Compiled:
    """The source, parsed. Raises `ExpressionFailed` (EXPRESSION_SYNTAX)."""
    if len(src) <= SHORT_SOURCE:
        return (not HEAVY_WORDS.search(src) and _light(src)) or _short(src)
    if len(src.encode(errors="replace")) > MAX_SOURCE_BYTES:
        message = f"The expression is longer than {MAX_SOURCE_BYTES >> 10} KiB."
        raise ExpressionFailed(FailureCode.EXPRESSION_SYNTAX, message)
    return _long(src)


def is_light(src: str) -> bool:
    """Whether a source is short and made of operators and functions alone whose every step is short.

    It has no lambdas, and so no recursion, no regular expressions, ranges, sorting, wildcards and transforms. What it
    goes over may still be long: that is for `ExpressionLimits.work` to bound. To find out takes about a millisecond.
    """
    return len(src) <= SHORT_SOURCE and not HEAVY_WORDS.search(src) and _light(src) is not None


# A parsed source takes 80 KiB and 2 KiB for each node: of long ones only those of one batch are kept.
@lru_cache(maxsize=512)
def _light(src: str) -> Compiled | None:
    try:
        tree = checked_tree(src, LIGHT_NODES)
    except SourceRefusedError:
        return None
    return Compiled(tree, Parser()) if all(map(_is_light_symbol, symbols(tree))) else None


@lru_cache(maxsize=64)
def _short(src: str) -> Compiled:
    return _compiled(src)


@lru_cache(maxsize=8)
def _long(src: str) -> Compiled:
    return _compiled(src)


def _compiled(src: str) -> Compiled:
    try:
        return Compiled(checked_tree(src), Parser())
    except SourceRefusedError as error:
        message = str(error).encode(errors="backslashreplace").decode()
        raise ExpressionFailed(FailureCode.EXPRESSION_SYNTAX, message) from None


def _is_light_symbol(symbol: Any) -> bool:
    if symbol.type not in LIGHT_TYPES or symbol.tuple is not None:
        return False
    if symbol.type in {"binary", "unary"}:
        return symbol.value in LIGHT_OPERATORS
    if symbol.type == "function":
        return symbol.procedure.type == "variable" and symbol.procedure.value in LIGHT_FUNCTIONS
    return True
