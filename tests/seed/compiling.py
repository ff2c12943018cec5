"""JSON as typed constants of a TypeScript module, and what the compiler says of them."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from tests.node import node

DIRECTORY = Path(__file__).parent
COMPILER = DIRECTORY / "node_modules" / "typescript" / "bin" / "tsc"
SOURCES = ("runtime-types.ts", "wire.ts", "tsconfig.json", "package.json")
IMPORT = "import type { Execution, NotStartedExecution } from './wire.js';"
_ERROR = re.compile(r"^constants\.ts\((\d+),\d+\): error (TS\d+)", re.MULTILINE)

Typed = Mapping[str, tuple[str, Any]]
"""Constants by name: their type, and the JSON that they are to have."""


def typed_constants(constants: Typed) -> str:
    """A module with one constant a line."""
    lines = [
        f"export const {name}: {type_} = {orjson.dumps(value).decode()};"
        for name, (type_, value) in constants.items()
    ]
    return "\n".join([IMPORT, *lines, ""])


def errors_of(constants: Typed, directory: Path) -> dict[str, Sequence[str]]:
    """The codes of the compiler's errors by the constants that they are in; nothing else of it may be wrong."""
    for source in SOURCES:
        shutil.copy(DIRECTORY / source, directory)
    (directory / "constants.ts").write_text(typed_constants(constants), encoding="utf-8")
    compiled = subprocess.run(
        [node(), COMPILER, "--project", directory, "--pretty", "false"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, list[str]] = {}
    for line, code in _ERROR.findall(compiled.stdout):
        found.setdefault(list(constants)[int(line) - 2], []).append(code)
    assert sum(map(len, found.values())) == compiled.stdout.count("error TS"), compiled.stdout
    assert compiled.returncode == (2 if found else 0), compiled.stdout + compiled.stderr
    return found
