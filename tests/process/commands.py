"""The command line without a process of its own, for the many cases where only its words and its exit code count."""

import os
from collections.abc import Mapping

from typer.testing import CliRunner

from server.__main__ import cli
from tests.servers import Ended


def invoke(*arguments: str, variables: Mapping[str, str] | None = None) -> Ended:
    """Run it here, in the working directory; an exception that nobody caught comes out."""
    own = {name: None for name in os.environ if name.startswith("STEPGRAPH_")}
    result = CliRunner().invoke(cli, arguments, env={**own, "COLUMNS": "200", **(variables or {})})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ended(result.exit_code, result.stdout, result.stderr)
