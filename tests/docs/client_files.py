"""The examples of `docs/clients.md` and `docs/workers.md`: the files that the tests run, word for word."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

EXAMPLES: Final = Path(__file__).parents[1] / "clients"
WORKERS: Final = Path(__file__).parents[1] / "workers"
LANGUAGES: Final = {".mjs": "js", ".graphql": "graphql", ".py": "python", ".ts": "ts"}


def makers() -> dict[str, Callable[[], str]]:
    """The name of a part → the block with the file, for every file there is."""
    of_clients = {f"client {path.stem.replace('_', ' ')}": path for path in EXAMPLES.glob("*.mjs")}
    of_workers = {
        "worker operations": WORKERS / "worker.graphql",
        "worker in python": WORKERS / "worker.py",
        "worker in typescript": WORKERS / "worker.ts",
    }
    return {name: partial(_block, path) for name, path in (of_clients | of_workers).items()}


def packages_table() -> str:
    """A row for each package that the examples import: its name and version."""
    versions = json.loads((EXAMPLES / "package.json").read_text(encoding="utf-8"))["dependencies"]
    rows = [f"| `{name}` | {version} |" for name, version in versions.items()]
    return "\n".join(["| Package | Version |", "|---|---|", *rows])


def _block(path: Path) -> str:
    return f"```{LANGUAGES[path.suffix]} {path.name}\n{path.read_text(encoding='utf-8')}```"
