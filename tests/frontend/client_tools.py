"""The tools of GraphQL clients, run over a copy of the schema and the operations in a directory of its own.

A copy, so that tools write nothing into the checkout, and so that tests can plant errors.
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse

from tests.frontend_documents import DIRECTORY as OPERATIONS
from tests.node import ENVIRONMENT, node

TOOLS: Final = Path(__file__).parent / "tools"
SCHEMA: Final = Path(__file__).parents[2] / "schema" / "schema.graphql"
CONFIGURATION: Final = (
    "codegen.config.js",
    "eslint.config.js",
    "package.json",
    "relay.config.json",
    "tsconfig.json",
)

PROGRAMS: Final = {
    "eslint": "eslint/bin/eslint.js",
    "relay": "relay-compiler/cli.js",
    "codegen": "@graphql-codegen/cli/cjs/bin.js",
    "inspector": "@graphql-inspector/cli/cjs/index.js",
    "typescript": "typescript/bin/tsc",
}


class Workspace:
    """What a client has: `schema.graphql`, `operations/` and the tools' configuration."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.schema = directory / "schema.graphql"
        self.operations = directory / "operations"
        shutil.copyfile(SCHEMA, self.schema)
        shutil.copytree(OPERATIONS, self.operations, ignore=shutil.ignore_patterns("*.json", "*.md"))
        for name in CONFIGURATION:
            shutil.copyfile(TOOLS / name, directory / name)
        (directory / "node_modules").symlink_to(TOOLS / "node_modules")

    def run(self, tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a tool to its end; what it says is in `stdout`."""
        program = self.directory / "node_modules" / PROGRAMS[tool]
        return subprocess.run(
            [node(), str(program), *arguments],
            cwd=self.directory,
            env={**ENVIRONMENT, "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def plant(self, path: str, text: str, instead: str) -> None:
        """Put something else in the place of a text that is there."""
        planted = self.directory / path
        content = planted.read_text()
        assert text in content
        planted.write_text(content.replace(text, instead, 1))

    def write_relay_modules(self) -> None:
        """The operations as Relay has them: tagged templates in modules, each name beginning with its module's.

        Relay reads no `.graphql` files, and asks for `ExecutionTreeQuery` in `ExecutionTree.ts` and `StepFields_data`
        in `StepFields.ts`. Other clients have no such rule, so the names are Relay's in these copies only. For the same
        reason its configuration does not ask for `@alias`, a directive that no server knows, where a fragment on an
        interface is spread into a union.
        """
        (self.directory / "relay").mkdir()
        for path in self.operations.rglob("*.graphql"):
            text = relay_names(path.read_text())
            module = f"import {{ graphql }} from 'relay-runtime';\n\ngraphql`\n{text}`;\n"
            (self.directory / "relay" / f"{path.stem}.ts").write_text(module)


def relay_names(text: str) -> str:
    """A document whose operation ends with its kind and whose fragments end with `_data`."""
    text = re.sub(r"\.\.\.(?=[A-Za-z_])(?!on\b)(\w+)", r"...\1_data", text)
    for definition in parse(text).definitions:
        assert isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode)
        assert definition.name is not None
        kind = "fragment" if isinstance(definition, FragmentDefinitionNode) else definition.operation.value
        suffix = "_data" if kind == "fragment" else kind.title()
        text = re.sub(
            rf"\b{kind} {definition.name.value}\b", rf"{kind} {definition.name.value}{suffix}", text
        )
    return text
