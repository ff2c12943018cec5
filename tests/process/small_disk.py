"""A file system of a few megabytes, which a test fills and makes room on."""

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CHUNK = 4 << 10
NEEDS_LEAVE = "needs leave to mount a tmpfs: run it as root, or with `unshare --user --map-root-user --mount`"


class SmallDisk:
    """`directory` is the whole of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._ballast = directory / "ballast"

    def fill(self) -> None:
        """Leave no room for a single page."""
        with self._ballast.open("ab", buffering=0) as ballast:
            while True:
                try:
                    ballast.write(bytes(CHUNK))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    return

    def make_room(self) -> None:
        self._ballast.unlink()


@contextmanager
def small_disk(directory: Path, megabytes: int) -> Iterator[SmallDisk]:
    """A tmpfs, mounted there. The kernel itself says that it is full."""
    directory.mkdir(mode=0o777)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=1777", "stepgraph-test", str(directory)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"{NEEDS_LEAVE} ({mounted.stderr.decode().strip()})")
    try:
        yield SmallDisk(directory)
    finally:
        # Lazily: what a failed test left open there must not hide its failure.
        subprocess.run(["umount", "--lazy", str(directory)], check=True)
