"""Blocks of `sh` as somebody types them, with the test's addresses in the place of the page's."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx

from tests.process.commands import invoke
from tests.servers import NO_TLS, ServerProcess

PROGRAM: Final = ".venv/bin/python -m server"
SERVE: Final = f"{PROGRAM} serve"


def commands_of(text: str, replaced: Mapping[str, str]) -> str:
    """A block's text with what is said of other machines replaced; each has to stand in it."""
    for theirs, ours in replaced.items():
        assert theirs in text, f"{theirs!r} is not in {text!r}"
        text = text.replace(theirs, ours)
    return text


def typed(text: str, replaced: Mapping[str, str] | None = None, **variables: str) -> list[str]:
    """Type commands of the program, in this process; what each wrote to its output. None may fail."""
    outputs = []
    for line in commands_of(text, replaced or {}).splitlines():
        assert line.startswith(f"{PROGRAM} "), line
        ended = invoke(*shlex.split(line.removeprefix(PROGRAM)), variables=variables)
        assert ended.code == 0, f"{line}: {ended.errors}"
        outputs.append(ended.output)
    return outputs


class TypedServer(ServerProcess):
    """A server that is started by typing commands; where they only set variables, by `serve` after them.

    `replaced` is as in `commands_of`.
    """

    def __init__(
        self,
        text: str,
        *,
        cwd: Path,
        replaced: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(cwd=cwd, variables=variables)
        text = text if SERVE in text else f"{text}{SERVE}\n"
        # The shell becomes the server, so that a signal to one is a signal to the other.
        text = commands_of(text, replaced or {}).replace(SERVE, f"exec {SERVE}")
        self._command = ["sh", "-euc", text.replace(PROGRAM, f"{sys.executable} -m server")]

    def answer(self, path: str, **headers: str) -> httpx.Response:
        """What it answers to a GET."""
        return httpx.get(f"{self.url}{path}", headers=headers, timeout=60, trust_env=False, verify=NO_TLS)
