"""Server processes whose wall clock is wrong: libfaketime stands between them and the time."""

import shutil
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest

INSTALL_FAKETIME = "needs libfaketime: apt-get install faketime"


class WrongClock:
    """The wall clock of the processes that are started with its `variables`.

    `offset` is what it is off by: "+1h", "-1h". The monotonic clock is right, as where somebody sets a machine's clock.
    """

    def __init__(self, directory: Path, offset: str) -> None:
        program = shutil.which("faketime")
        if program is None:
            pytest.skip(INSTALL_FAKETIME)
        # Where the library is depends on the machine, and the program knows.
        told = subprocess.run([program, "-m", "-f", "+0", "env"], capture_output=True, text=True, check=True)
        lines = [line.partition("=") for line in told.stdout.splitlines()]
        self._file = directory / f"clock-{uuid4().hex}"
        self.variables = {
            **{name: value for name, _, value in lines if name == "LD_PRELOAD"},
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Else waits by the monotonic clock poll, Python's for its lock too: a process is 300 times slower.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            # Else SQLite's and Python's files are as wrong as the clock.
            "NO_FAKE_STAT": "1",
        }
        self.set(offset)

    def set(self, offset: str) -> None:
        """Let it jump. A process reads the file whenever it wants the time, so it is never half written."""
        written = self._file.with_suffix(".new")
        written.write_text(offset)
        written.rename(self._file)
