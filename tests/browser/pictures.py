"""PNG files that say what they show: the page's words as a screen reader has them, in a text of the file itself."""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import Final

from playwright.async_api import Page

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_KEYWORD: Final = b"Description"
# No compression, no language, no translated keyword.
_ITXT_HEAD: Final = _KEYWORD + bytes(5)
# What differs from one run to the next.
_VARIES: Final = re.compile(
    r"\b(?:exec|step|tmpl|tver)_[0-9a-z]{26}\b"
    r"|\b\d{1,2} [A-Z][a-z]+ \d{4}(?:, \d\d:\d\d:\d\d)?"
    r"|\b[\d.]+ (?:s|min)\b(?: \d+ s\b)?"
)


async def picture_of(page: Page) -> bytes:
    """A PNG of what the window shows, which `shown_in` can tell."""
    shown = _VARIES.sub("…", await page.locator("body").aria_snapshot())
    taken = await page.screenshot(animations="disabled", caret="hide")
    text = _chunk(b"iTXt", _ITXT_HEAD + shown.encode())
    end = len(_SIGNATURE) + 25  # the header, always the first
    return taken[:end] + text + taken[end:]


def size_of(picture: bytes) -> tuple[int, int]:
    """Width and height in pixels."""
    width, height = struct.unpack(">II", _content(picture, b"IHDR")[:8])
    return width, height


def shown_in(picture: bytes) -> str:
    """What a picture shows, as YAML of the page's roles and names."""
    return _content(picture, b"iTXt").removeprefix(_ITXT_HEAD).decode()


def _chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def _content(picture: bytes, kind: bytes) -> bytes:
    """The content of the first chunk of a kind."""
    return next(content for each, content in _chunks(picture) if each == kind)


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        yield picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        at += 12 + length
