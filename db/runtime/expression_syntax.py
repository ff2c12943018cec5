"""Whether a JSONata source may stand in a definition (`runtime.md` X3–X5). Evaluating it lives elsewhere."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import re2
from jsonata.jexception import JException
from jsonata.parser import Parser
from jsonata.regex_engine import RegexFlags

MAX_SOURCE_BYTES = 16 << 10
MAX_NESTING = 64
MAX_DEPTH = 200
MAX_NODES = 4_000
MAX_REGEXES = 32
REGEX_BYTES = 1 << 20
TOO_COMPLEX = "The expression is too complex; split it into shorter ones."

# What would let an expression see more than its input, or not the same twice.
FORBIDDEN = frozenset({"eval", "random", "shuffle"})

HYPHENATED = re.compile(r"__steps__\s*\.\s*([A-Za-z_0-9]\w*(?:-\w+)+)")


class SourceRefusedError(ValueError):
    """A source that parses, or would, but passes a bound of ours."""


def syntax_error(src: str) -> str | None:
    """What is wrong with a JSONata source, or None. Never raises; its cost is bounded whatever the source."""
    if len(src) > MAX_SOURCE_BYTES or len(src.encode(errors="replace")) > MAX_SOURCE_BYTES:
        return f"The expression is longer than {MAX_SOURCE_BYTES >> 10} KiB."
    error = _syntax_error(src)
    return error and error.encode(errors="backslashreplace").decode()


def linear_regex(pattern: str, flags: RegexFlags) -> Any:
    """A regex literal compiled for linear-time matching (`jsonata-python`'s pluggable engine).

    Raises `SourceRefusedError` for what RE2 does not know: look-around, back-references, huge repetitions.
    """
    options = re2.Options()
    options.log_errors = False
    options.max_mem = REGEX_BYTES
    options.case_sensitive = not flags.case_insensitive
    try:
        return re2.compile(f"(?m){pattern}" if flags.multiline else pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        shown = f"The regular expression /{pattern[:80]}/ is refused"
        raise SourceRefusedError(f"{shown}: {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode(errors="replace") if isinstance(reason, bytes) else "it is not valid Unicode"


@lru_cache(maxsize=4_096)
def _syntax_error(src: str) -> str | None:
    try:
        checked_tree(src)
    except SourceRefusedError as error:
        return str(error)
    return None


def checked_tree(src: str, max_nodes: int = MAX_NODES) -> Any:
    """The tree of a source that may stand in a definition and is no longer than `MAX_SOURCE_BYTES`.

    Raises `SourceRefusedError` with one sentence that says what is wrong; past `max_nodes` too.
    """
    tree = _parsed(src, max_nodes)
    found = list(symbols(tree))
    refusal = _refused_names(found) or _subtracted_step(src, found)
    if refusal:
        raise SourceRefusedError(refusal)
    return tree


def _parsed(src: str, max_nodes: int) -> Any:
    try:
        return BoundedParser(max_nodes).parse(src, _counted_regexes())
    except SourceRefusedError:
        raise
    except RecursionError:
        message = "The expression is nested too deeply."
    except JException as error:
        message = f"{_sentence(str(error))} Near character {error.location}.{_hint(src)}"
    except Exception:  # the library's tokenizer raises bare IndexError, KeyError … on broken sources
        message = f"The expression is not complete, or has a character out of place.{_hint(src)}"
    raise SourceRefusedError(message)


def _counted_regexes() -> Any:
    """A regex engine for one parse: each literal costs compiling time and memory."""
    seen: list[str] = []

    def compile_next(pattern: str, flags: RegexFlags) -> Any:
        seen.append(pattern)
        if len(seen) > MAX_REGEXES:
            raise SourceRefusedError(f"The expression has more than {MAX_REGEXES} regular expressions.")
        return linear_regex(pattern, flags)

    return compile_next


class BoundedParser(Parser):  # type: ignore[misc]  # the library has no type information
    """The library's parser, with bounds: it recurses as deep as the source says, and goes through the tree of
    `((a ?? b) ?? c)` anew for every level, 2ⁿ times in all.
    """

    def __init__(self, max_nodes: int = MAX_NODES) -> None:
        super().__init__()
        self.max_nodes = max_nodes
        self.nesting = 0
        self.depth = 0
        self.nodes = 0

    def expression(self, rbp: int) -> Any:
        self.nesting += 1
        self._count_node()
        if self.nesting > MAX_NESTING:
            raise SourceRefusedError(f"The expression is nested more than {MAX_NESTING} levels deep.")
        symbol = super().expression(rbp)
        self.nesting -= 1
        return symbol

    def process_ast(self, expr: Any) -> Any:
        self.depth += 1
        self._count_node()
        if self.depth > MAX_DEPTH:
            raise SourceRefusedError(TOO_COMPLEX)
        symbol = super().process_ast(expr)
        self.depth -= 1
        return symbol

    def _count_node(self) -> None:
        self.nodes += 1
        if self.nodes > self.max_nodes:
            raise SourceRefusedError(TOO_COMPLEX)


def symbols(tree: Any) -> Iterator[Any]:
    """Every node of the tree, each once."""
    seen: set[int] = set()
    pending: list[Any] = [tree]
    while pending:
        item = pending.pop()
        if isinstance(item, list | tuple):
            pending.extend(item)
        elif isinstance(item, Parser.Symbol) and id(item) not in seen:
            seen.add(id(item))
            yield item
            pending.extend(vars(item).values())


def _refused_names(found: list[Any]) -> str | None:
    for node in found:
        if node.type == "variable" and node.value in FORBIDDEN:
            return f"${node.value} does not exist here: an expression sees only its input."
    return None


def _subtracted_step(src: str, found: list[Any]) -> str | None:
    """`__steps__.dsc-step` is legal JSONata, but subtracts from a whole step: never what was meant (X4)."""
    if any(node.type == "binary" and node.value == "-" and _is_whole_step(node.lhs) for node in found):
        return f"A step is no number to subtract from.{_hint(src)}"
    return None


def _is_whole_step(node: Any) -> bool:
    return node.type == "path" and len(node.steps) > 1 and node.steps[-2].value == "__steps__"


def _hint(src: str) -> str:
    match = HYPHENATED.search(src)
    return f" An id with hyphens needs backticks: __steps__.`{match[1]}`." if match else ""


def _sentence(text: str) -> str:
    return text[:300].rstrip(".") + "."
