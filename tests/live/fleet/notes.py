"""What workers note: a line of JSON each, written at once, so that the last one is there though its writer was killed."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

JSON = dict[str, Any]


class Notebook:
    """One process's notes."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(self, what: str, worker: str, **more: Any) -> None:
        os.write(self._file, orjson.dumps({"what": what, "worker": worker, **more}) + b"\n")


def read(path: Path) -> Iterator[JSON]:
    """All notes of a process so far; a line that is being written is left out."""
    if path.exists():
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                yield orjson.loads(line)
