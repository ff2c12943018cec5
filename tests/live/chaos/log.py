"""The log of operations: what was done, sent, acknowledged, broken and seen, a line of JSON each."""

import time
from pathlib import Path
from typing import Any, Self

import orjson


class Log:
    """Written line by line; `at` is in seconds since it was opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begun = time.monotonic()

    def __enter__(self) -> Self:
        self._file = self._path.open("wb")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, **what: Any) -> None:
        """Add a line."""
        at = round(time.monotonic() - self._begun, 4)
        self._file.write(orjson.dumps({"at": at, **what}) + b"\n")
