"""The documents of `frontend_queries/`, as a client sends them: the operation and every fragment that it reaches."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

DIRECTORY = Path(__file__).parents[1] / "frontend_queries"
_SPREAD = re.compile(r"\.\.\.\s*(?!on\b)([A-Za-z_][A-Za-z0-9_]*)")


def operation_names() -> list[str]:
    """The name of every operation that there is."""
    return sorted(path.stem for path in DIRECTORY.glob("*.graphql"))


@cache
def document(name: str) -> str:
    """An operation with its fragments."""
    texts = {name: (DIRECTORY / f"{name}.graphql").read_text()}
    pending = [texts[name]]
    while pending:
        for spread in _SPREAD.findall(pending.pop()):
            if spread not in texts:
                texts[spread] = (DIRECTORY / "fragments" / f"{spread}.graphql").read_text()
                pending.append(texts[spread])
    return "\n".join(texts.values())


def sample_variables(name: str) -> dict[str, Any]:
    """The sample variables of an operation; ids of zeros stand for ids of nothing."""
    loaded: dict[str, Any] = json.loads((DIRECTORY / f"{name}.variables.json").read_text())
    return loaded
