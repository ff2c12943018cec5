"""Live servers on Node.js: graphql-ws, which executes for each subscriber, and a bare broadcast of one text."""

from pathlib import Path
from typing import Any, Literal

from tests.benchmarks.node import Node
from tests.benchmarks.processes import Program
from tests.servers import ROOT

DIRECTORY = Path(__file__).parent


def server(kind: Literal["graphql-ws", "ws"], state: Any) -> Program:
    """Start one with the state of the execution that it shows; its packages are installed if they are not."""
    node = Node.installed()
    node.install(DIRECTORY)
    schema = str(ROOT / "schema" / "schema.graphql")
    program = Program([node.executable, str(DIRECTORY / "server.mjs"), kind, schema])
    program.ask(state)
    return program
