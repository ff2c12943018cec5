"""The README's example is run word for word, but for the address, against a server as `make run` starts it."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.demo import KEYS
from server.settings import Settings
from tests.docs.owners import runs
from tests.docs.pages import ROOT, Block, all_blocks, in_section, read
from tests.servers import ServerProcess

ADDRESS = "http://127.0.0.1:8000"
EXAMPLE = "An example: start, watch, complete"
COMMANDS = in_section("README.md", EXAMPLE, "sh")
SHOWN = in_section("README.md", EXAMPLE, "text")
DONE = "-- done --"
PLAIN = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
_ID = re.compile(r"\b(exec|step)_[0-9a-z]{26}\b")


class Terminal:
    """A shell into which blocks are typed, with `address` in the place of the README's."""

    def __init__(self, directory: Path, address: str) -> None:
        self._address = address
        self._shell = subprocess.Popen(
            ["sh"],
            cwd=directory,
            env=PLAIN,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def type(self, text: str) -> None:
        assert self._shell.stdin
        self._shell.stdin.write(text.replace(ADDRESS, self._address))
        self._shell.stdin.flush()

    def lines_until(self, text: str) -> list[str]:
        """The lines that come until one holds the text, that one included; fails where the shell ends before."""
        assert self._shell.stdout
        lines = []
        for line in self._shell.stdout:
            lines.append(line.rstrip("\n"))
            if text in line:
                return lines
        raise AssertionError(f"{text!r} did not come: {lines}")

    def close(self) -> None:
        self._shell.communicate()


def seen(lines: list[str]) -> list[str]:
    """Lines in no order – a stream and an answer come side by side – with the same ids as any others."""
    return sorted(_ID.sub(lambda found: f"{found[1]}_", line) for line in lines if line)


@pytest.fixture
def made_to_run(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server as `make run` starts it, but for the port: SQLite, the in-memory doorbell, the demo."""
    with ServerProcess("--demo", "--demo-executions", cwd=tmp_path) as server:
        yield server


@pytest.fixture
def curl() -> None:
    if shutil.which("curl", path=PLAIN["PATH"]) is None:
        pytest.skip("curl is not installed: apt-get install curl")


@runs(*COMMANDS, *SHOWN)
@pytest.mark.usefixtures("curl")
def test_the_example_does_what_the_readme_shows(made_to_run: ServerProcess, tmp_path: Path) -> None:
    start, watch, complete = [block.text for block in COMMANDS]
    shown = [block.text.splitlines() for block in SHOWN]
    terminal = Terminal(tmp_path, made_to_run.url)
    try:
        terminal.type(f"{start}echo '{DONE}'\n")
        assert seen(terminal.lines_until(DONE)[:-1]) == seen(shown[0])
        terminal.type(watch)
        assert seen(terminal.lines_until("data:")) == seen(shown[1])
        terminal.type(f"{complete}echo '{DONE}'\n")
        assert seen(terminal.lines_until(DONE)[:-1]) == seen(shown[2])
    finally:
        terminal.close()


def test_make_run_serves_at_the_address_of_the_readme() -> None:
    defaults = Settings.model_fields
    assert f"http://{defaults['host'].default}:{defaults['port'].default}" == ADDRESS
    printed = subprocess.run(
        ["make", "--dry-run", "--always-make", "run"],
        cwd=ROOT,
        env=PLAIN,  # without what a `make` around these tests was given
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.rstrip().endswith("-m server serve --demo --demo-executions")


def test_every_demo_template_is_named() -> None:
    (told,) = re.findall(r"the demo templates ([^.]*), and serves", " ".join(read("README.md").split()))
    assert sorted(re.findall(r"`([a-z]+)`", told)) == sorted(KEYS)


@pytest.mark.parametrize("block", [each for each in all_blocks("sh") if each.not_run], ids=str)
def test_what_is_not_run_can_be_made(block: Block) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for line in block.text.splitlines():
        make, *words = shlex.split(line)
        files = [word.removeprefix("ARGS=") for word in words if word.startswith("ARGS=")]
        assert make == "make"
        assert {word for word in words if not word.startswith("ARGS=")} <= targets
        assert all((ROOT / name).exists() for name in files)
