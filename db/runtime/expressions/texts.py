"""Built-in functions on texts that the library does in quadratic time, without bounds, or with its regex engine's own
ideas of groups and templates (`runtime.md` X3).
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from jsonata.functions import Functions
from jsonata.jexception import JException

from db.runtime.expressions.host import Host
from db.runtime.expressions.regexes import groups, matches
from db.runtime.expressions.values import NULL, plain

REFERENCE = re.compile(r"\$(\$|\d+)")
NUMBERS = re.compile(
    r"\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\s*|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+"
)
MAX_NUMBER = 400
MAX_INDENTED = 64


def string(host: Host, value: Any, prettify: Any) -> str | None:
    """`$string`. Indented, the text is as long as the value is large times as it is deep."""
    host.meter.weigh(value)
    if prettify:
        plain(value, host.meter, MAX_INDENTED)
    return Functions.string(value, prettify)  # type: ignore[no-any-return]  # the library has no type information


def number(host: Host, value: Any) -> Any:
    """`$number`: JSON's numbers, and whole ones in hexadecimal, octal and binary."""
    if isinstance(value, str):
        if len(value) > MAX_NUMBER or not NUMBERS.fullmatch(value):
            raise JException("D3030", -1, value[:80])
        return float(value) if value.strip()[:2].lower() not in {"0x", "0o", "0b"} else int(value, 0)
    return Functions.number(value)


def pad(host: Host, text: str | None, width: Any, character: Any) -> Any:
    """`$pad`."""
    if isinstance(width, int | float):
        host.meter.text(abs(int(width)))
    return Functions.pad(text, width, character)


def join(host: Host, texts: list[str] | None, separator: str | None) -> str | None:
    """`$join`."""
    if texts is None:
        return None
    host.meter.text(sum(map(len, texts)) + len(separator or "") * len(texts))
    return (separator or "").join(texts)


def contains(host: Host, text: Any, token: Any) -> bool | None:
    """`$contains`."""
    if not _is_given(text, "contains") or token is None:
        return None
    if isinstance(token, str):
        return token in text
    return next(matches(_regex(token), text, host.meter), None) is not None


def match(host: Host, text: Any, pattern: Any, limit: Any) -> Any:
    """`$match`: an array of `{match, index, groups}`."""
    if not _is_given(text, "match"):
        return None
    found = _limited(matches(_regex(pattern), text, host.meter), limit, "D3040")
    return host.sequence({"match": m.group(), "index": m.start(), "groups": groups(m)} for m in found)


def split(host: Host, text: Any, separator: Any, limit: Any) -> list[str] | None:
    """`$split`."""
    if not _is_given(text, "split"):
        return None
    if not isinstance(separator, str):
        pieces = _between(text, matches(_regex(separator), text, host.meter))
    elif separator:
        host.meter.items(text.count(separator) + 1)
        pieces = iter(text.split(separator))
    else:
        host.meter.items(len(text))
        pieces = iter(text)
    return list(_limited(pieces, limit, "D3020"))


def replace(host: Host, text: Any, pattern: Any, replacement: Any, limit: Any) -> str | None:
    """`$replace`. A text is replaced as it stands; for a regular expression `$1` is a group, `$$` a dollar."""
    if not _is_given(text, "replace"):
        return None
    if isinstance(pattern, str):
        return _replace_text(host, text, pattern, replacement, limit)
    return _replace_matches(host, text, pattern, replacement, limit)


def _replace_matches(host: Host, text: str, pattern: Any, replacement: Any, limit: Any) -> str:
    pieces: list[str] = []
    length = end = 0
    for found in _limited(matches(_regex(pattern), text, host.meter), limit, "D3011"):
        piece = text[end : found.start()] + _replacement(host, found, replacement)
        host.meter.lengthen(length, len(piece))
        length += len(piece)
        pieces.append(piece)
        end = found.end()
    return "".join(pieces) + text[end:]


def _replace_text(host: Host, text: str, pattern: str, replacement: Any, limit: Any) -> str:
    if not pattern:
        raise JException("D3010", -1)
    if not isinstance(replacement, str):
        raise JException("D3012", -1)
    count = text.count(pattern)
    if limit is not None:
        count = min(count, _checked(limit, "D3011"))
    host.meter.text(len(text) + count * max(len(replacement) - len(pattern), 0))
    return text.replace(pattern, replacement, count)


def _replacement(host: Host, found: Any, replacement: Any) -> str:
    if isinstance(replacement, str):
        return _expanded(host, found, replacement)
    shown = {"match": found.group(), "start": found.start(), "end": found.end(), "groups": groups(found)}
    made = Functions.func_apply(replacement, [shown])
    if not isinstance(made, str):
        raise JException("D3012", -1)
    return made


def _expanded(host: Host, found: Any, template: str) -> str:
    """A template with what stands for `$$`, `$0`, `$1` …"""
    texts = [found.group(), *(text or "" for text in found.groups())]
    pieces = []
    length = end = 0
    for reference in REFERENCE.finditer(template):
        piece = template[end : reference.start()] + _referred(reference[1], texts)
        host.meter.lengthen(length, len(piece))
        length += len(piece)
        pieces.append(piece)
        end = reference.end()
    return "".join(pieces) + template[end:]


def _referred(digits: str, texts: list[str]) -> str:
    """The longest number that is a group's, what follows it as it is; no such group is empty."""
    if digits == "$":
        return "$"
    for length in range(min(len(digits), 3), 0, -1):
        if int(digits[:length]) < len(texts):
            return texts[int(digits[:length])] + digits[length:]
    return digits[1:]


def _between(text: str, found: Iterator[Any]) -> Iterator[str]:
    end = 0
    for each in found:
        yield text[end : each.start()]
        end = each.end()
    yield text[end:]


def _limited(found: Iterator[Any], limit: Any, code: str) -> Iterator[Any]:
    return found if limit is None else islice(found, _checked(limit, code))


def _checked(limit: Any, code: str) -> int:
    if not isinstance(limit, int | float) or limit < 0:
        raise JException(code, -1, limit if isinstance(limit, int | float) else "it")
    return int(limit)


def _regex(value: Any) -> Any:
    if not Functions.is_regex(value):
        raise JException("T1010", -1)
    return value


def _is_given(text: Any, function: str) -> bool:
    if text is NULL:
        raise JException("T0410", -1, 1, function)
    return text is not None
