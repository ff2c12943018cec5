"""What `docs/watch.md` shows is what a watcher of the demo template `verify` writes, and its tables are complete."""

import asyncio
import json
import re
from pathlib import Path
from signal import SIGINT
from typing import Any

from server.watching.command import ExitCode
from server.watching.frame import MARKS
from tests.docs.owners import runs
from tests.docs.pages import code, in_section, only_block, table
from tests.docs.terminal import typed
from tests.process.watchers import Watcher, WatchingTerminal
from tests.process.workflows import complete, create
from tests.servers import ServerProcess

PAGE = "docs/watch.md"
USAGE = 2
NO_ID = f"exec_{'0' * 26}"
(COMMANDS,) = in_section(PAGE, "Watch in a terminal", "sh")
(FOR_SCRIPTS,) = in_section(PAGE, "For scripts", "sh")
PICTURE, LINES, CHANGE, ENDED = (only_block(PAGE, role) for role in ("picture", "lines", "change", "ended"))
_ID = re.compile(r"\b(exec|step|tver)_[0-9a-z]{26}\b")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_SECONDS = re.compile(r"\b(?:\d+m )?\d+s\b")


def comparable(text: str) -> str:
    """A text with the same ids, times and durations as any other."""
    return _SECONDS.sub("0s", _TIME.sub("time", _ID.sub(lambda found: f"{found[1]}_", text)))


def loaded(line: str) -> Any:
    return json.loads(comparable(line))


@runs(LINES, CHANGE, ENDED)
def test_the_lines_and_the_json_are_what_the_page_shows(live_server: ServerProcess, tmp_path: Path) -> None:
    execution = asyncio.run(create(live_server))
    with (
        Watcher(execution.id, "--url", live_server.url, cwd=tmp_path) as for_people,
        Watcher(execution.id, "--url", live_server.url, "--json", cwd=tmp_path) as for_scripts,
    ):
        first, snapshot = for_people.output.next(), for_scripts.next_event()
        asyncio.run(complete(live_server, execution.steps["verify"], {"verified": True}))
        assert (for_people.wait(), for_scripts.wait()) == (0, 0)
        lines = [first, *for_people.output.rest()]
        *changes, ended = for_scripts.output.rest()
    assert list(map(comparable, lines)) == comparable(LINES.text).splitlines()
    assert loaded(changes[-1]) == loaded(CHANGE.text)
    assert loaded(ended) == loaded(ENDED.text)
    keys = {code(row[0]): re.findall(r"`(\w+)`", row[2]) for row in table(PAGE, "For scripts")}
    for event in (snapshot, json.loads(changes[-1]), json.loads(ended)):
        assert list(event) == ["event", *keys.pop(event["event"])]
    assert not keys


@runs(PICTURE)
def test_the_picture_is_what_the_page_shows(live_server: ServerProcess, tmp_path: Path) -> None:
    execution = asyncio.run(create(live_server))
    with WatchingTerminal(execution.id, "--url", live_server.url, cwd=tmp_path) as terminal:
        terminal.read_until("End")
        terminal.tell(SIGINT)
        assert terminal.end() == ExitCode.INTERRUPTED
    assert list(map(comparable, terminal.picture())) == comparable(PICTURE.text).splitlines()


@runs(COMMANDS, FOR_SCRIPTS)
def test_the_commands_watch_an_execution_to_its_end(live_server: ServerProcess) -> None:
    execution = asyncio.run(create(live_server))
    asyncio.run(complete(live_server, execution.steps["verify"], {"verified": True}))
    here, there = {NO_ID: execution.id}, {NO_ID: execution.id, "https://flows.example": live_server.url}
    for_people = typed(COMMANDS.text, there, STEPGRAPH_URL=live_server.url)
    (for_scripts,) = typed(FOR_SCRIPTS.text, here, STEPGRAPH_URL=live_server.url)
    assert ["completed" in output for output in for_people] == [True, True]
    assert json.loads(for_scripts.splitlines()[-1])["event"] == "ended"


def test_every_mark_is_told() -> None:
    assert {code(row[1]): code(row[0]) for row in table(PAGE, "The picture")} == MARKS


def test_every_exit_code_is_told() -> None:
    told = [int(code(row[0])) for row in table(PAGE, "Exit codes")]
    assert told == sorted([*ExitCode, USAGE])
