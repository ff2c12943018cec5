"""What a harmed process did, for the test to count."""

from pathlib import Path
from typing import Any

import orjson


class Deeds:
    """Written at once, a line of JSON each, for the process may be killed."""

    def __init__(self, path: str) -> None:
        self._file = Path(path).open("ab", buffering=0)  # noqa: SIM115 – open as long as the process

    def note(self, what: str, **more: Any) -> None:
        self._file.write(orjson.dumps({"what": what, **more}) + b"\n")
