"""Node.js packages that tests use: installed beside their `package.json` on first use, and again after its lock changes."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

# Where `make` puts a Node of its own, before the machine's.
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
ENVIRONMENT = {**os.environ, "PATH": PATH}
HOW_TO_INSTALL = f"{sys.executable} -m pip install --require-hashes -r requirements-node.txt"


@cache
def node() -> str:
    """The program itself, which a script of `.venv` may only start; skips the test where there is none."""
    found = shutil.which("node", path=PATH)
    if found is None or shutil.which("npm", path=PATH) is None:
        pytest.skip(f"Node.js with npm is not installed: {HOW_TO_INSTALL}")
    # Whoever kills the script leaves the program behind.
    asked = [found, "-e", "process.stdout.write(process.execPath)"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout


def installed(directory: Path) -> Path:
    """The directory with its packages as the lock file names them."""
    node()
    lock, copy = directory / "package-lock.json", directory / "node_modules" / ".installed"
    if not copy.is_file() or copy.read_bytes() != lock.read_bytes():
        subprocess.run(
            ["npm", "ci", "--ignore-scripts"], cwd=directory, env=ENVIRONMENT, check=True, capture_output=True
        )
        shutil.copyfile(lock, copy)
    return directory
