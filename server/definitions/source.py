"""A definition in a file, and where in it things stand."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import json_source_map
import orjson


class BadSource(ValueError):
    """Why there is no definition in a file: one sentence for people, beginning with the place."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Counted from 1, as editors do."""

    line: int
    column: int


@dataclass(frozen=True)
class DefinitionSource:
    """The text of a file and the JSON value in it."""

    name: str
    text: str
    value: Any

    @classmethod
    def read(cls, path: Path) -> "DefinitionSource":
        """Raises `BadSource` for what cannot be read or is no JSON."""
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise BadSource(f"{path}: {error.strerror}.") from None
        except UnicodeDecodeError as error:
            raise BadSource(f"{path}: The byte at {error.start} is not UTF-8.") from None
        try:
            return cls(str(path), text, orjson.loads(text))
        except orjson.JSONDecodeError as error:
            raise BadSource(f"{path}:{error.lineno}:{error.colno}: Not JSON: {error.msg}.") from None

    def place(self, pointer: str) -> Place:
        """Where a JSON Pointer leads (RFC 6901): its key, or where it has none its value; of what is missing, what is
        around it.
        """
        names = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")]
        while "/".join(names) not in self._entries and len(names) > 1:
            names.pop()
        entry = self._entries["/".join(names)]
        start = entry.key_start or entry.value_start
        return Place(start.line + 1, start.column + 1)

    @cached_property
    def _entries(self) -> Any:
        """By pointer; the library writes keys into it as they are."""
        try:
            return json_source_map.calculate(self.text)
        except RecursionError:
            raise BadSource(f"{self.name}: It nests too deep to be a definition.") from None
