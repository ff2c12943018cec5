"""What is printed of a definition, compiled and imported."""

import shutil
import subprocess
import sys
import types
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from server.demo import KEYS, demo_definition
from server.types.printing import Language, printed
from server.types.programs import TYPESCRIPT
from server.types.version import FoundVersion
from tests.node import installed, node
from tests.seed.compiling import COMPILER, DIRECTORY

_NUMBERS = count()
GOLDEN = Path(__file__).parent / "golden"
SUFFIXES = {Language.TYPESCRIPT: "ts", Language.PYTHON: "py.txt"}


def module_of(definition: dict[str, Any], language: Language, key: str = "tried") -> str:
    """A module of a definition's types."""
    if language is Language.TYPESCRIPT:
        installed(TYPESCRIPT)
    return printed(FoundVersion(key, "1.0.0", definition), language)


def with_output(schema: Any) -> dict[str, Any]:
    """A definition of which the step `do` has this `outputSchema`."""
    steps = [{"id": "start", "type": "start"}, {"id": "do", "type": "sys.task", "outputSchema": schema}]
    return {"id": "tried", "name": "Tried", "steps": steps}


def imported(text: str) -> types.ModuleType:
    """A printed Python module, run."""
    module = types.ModuleType(f"printed_types_{next(_NUMBERS)}")
    # Pydantic looks there for the types that an annotation names, whenever it comes to need them.
    sys.modules[module.__name__] = module
    exec(compile(text, f"{module.__name__}.py", "exec"), module.__dict__)  # noqa: S102 – to run it is the test
    return module


def takes(model: Any, value: object) -> bool:
    """Whether a printed model accepts a value."""
    try:
        model.model_validate(value)
    except ValidationError:
        return False
    return True


def compiler_output(sources: Mapping[str, str], directory: Path) -> str:
    """What the compiler says, at its strictest, of these modules by file name; nothing where all is well."""
    for name, text in sources.items():
        (directory / name).write_text(text, encoding="utf-8")
    for name in ("tsconfig.json", "package.json"):
        shutil.copy(DIRECTORY / name, directory)
    done = _node(str(installed(DIRECTORY) / COMPILER), "--project", str(directory), "--pretty", "false")
    return done.stdout + done.stderr


def code_of(text: str) -> str:
    """The JavaScript that a TypeScript module comes to, without comments."""
    script = (
        "import ts from 'typescript'; import { text } from 'node:stream/consumers';"
        "const options = { target: 'es2022', module: 'esnext', removeComments: true };"
        "process.stdout.write(ts.transpile(await text(process.stdin), options));"
    )
    installed(DIRECTORY)
    done = _node("--input-type=module", "--eval", script, given=text)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _node(*arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [node(), *arguments], cwd=DIRECTORY, input=given, capture_output=True, text=True, check=False
    )


def main() -> None:
    """Write the golden files anew."""
    for key in KEYS:
        for language, suffix in SUFFIXES.items():
            text = module_of(demo_definition(key), language, key)
            (GOLDEN / f"{key}.{suffix}").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
