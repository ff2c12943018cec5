"""The examples of `docs/clients.md`: the files that the tests run, word for word, and what they were run with."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

EXAMPLES: Final = Path(__file__).parents[1] / "clients"


def makers() -> dict[str, Callable[[], str]]:
    """The name of a part → the block with the file, for every file there is."""
    return {f"client {path.stem.replace('_', ' ')}": partial(_block, path) for path in EXAMPLES.glob("*.mjs")}


def packages_table() -> str:
    """A row for each package that the examples import: its name and version."""
    versions = json.loads((EXAMPLES / "package.json").read_text(encoding="utf-8"))["dependencies"]
    rows = [f"| `{name}` | {version} |" for name, version in versions.items()]
    return "\n".join(["| Package | Version |", "|---|---|", *rows])


def _block(path: Path) -> str:
    return f"```js {path.name}\n{path.read_text(encoding='utf-8')}```"
