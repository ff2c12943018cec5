"""The programs that print types: run beside this process, for a bounded time, with nothing but a schema."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from server.types.refusal import NoTypes

SECONDS: Final = 60
PYDANTIC_MODELS: Final = "datamodel_code_generator"
_ROOT: Final = Path(__file__).parents[2]
TYPESCRIPT: Final = Path(__file__).parent / "typescript"
# Where `make setup` puts a Node of its own where the machine has none.
PATH: Final = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def typescript(schemas: dict[str, Any]) -> str:
    """Types of schemas by their names. Raises `NoTypes`."""
    node = shutil.which("node", path=PATH)
    if node is None or not (TYPESCRIPT / "node_modules" / "json-schema-to-typescript").is_dir():
        raise NoTypes("TypeScript needs Node.js and a package: run `make setup`, or take --language python.")
    return run([node, str(TYPESCRIPT / "print.mjs")], schemas)


def pydantic_models(schema: dict[str, Any]) -> str:
    """Models of a schema's definitions. Raises `NoTypes`."""
    if importlib.util.find_spec(PYDANTIC_MODELS) is None:
        install = f"{sys.executable} -m pip install --require-hashes -r requirements-types.txt"
        raise NoTypes(f"Python models need a package that is not installed: run `{install}`.")
    return run([sys.executable, "-m", "server.types.pydantic_models"], schema)


def run(command: Sequence[str], given: dict[str, Any]) -> str:
    """What a program writes, given JSON. Raises `NoTypes`."""
    try:
        done = subprocess.run(  # noqa: S603 – the programs are ours, and what users wrote is data on their input
            command, input=orjson.dumps(given), cwd=_ROOT, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NoTypes(f"No types within {SECONDS} seconds: the schemas are too large.") from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason was given"]
        raise NoTypes(f"The schemas cannot be turned into types: {said[-1][:300]}")
    return done.stdout.decode()
