"""What `docs/watch.md` shows is what a watcher of the demo template `verify` writes, and its tables are complete."""

import asyncio
import json
import re
from pathlib import Path
from signal import SIGINT
from typing import Any

from server.watching.command import ExitCode
from server.watching.frame import MARKS
from tests.docs.pages import blocks, code, table
from tests.process.watchers import Watcher, WatchingTerminal
from tests.process.workflows import complete, create
from tests.servers import ServerProcess

PAGE = "docs/watch.md"
USAGE = 2
_ID = re.compile(r"\b(exec|step|tver)_[0-9a-z]{26}\b")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_SECONDS = re.compile(r"\b(?:\d+m )?\d+s\b")


def comparable(text: str) -> str:
    """A text with the same ids, times and durations as any other."""
    return _SECONDS.sub("0s", _TIME.sub("time", _ID.sub(lambda found: f"{found[1]}_", text)))


def shown(role: str) -> str:
    """The block of the page with this role."""
    (text,) = [block.text for block in blocks(PAGE) if block.role == role]
    return text


def loaded(line: str) -> Any:
    return json.loads(comparable(line))


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
    assert list(map(comparable, lines)) == comparable(shown("lines")).splitlines()
    assert loaded(changes[-1]) == loaded(shown("change"))
    assert loaded(ended) == loaded(shown("ended"))
    keys = {code(row[0]): re.findall(r"`(\w+)`", row[2]) for row in table(PAGE, "For scripts")}
    for event in (snapshot, json.loads(changes[-1]), json.loads(ended)):
        assert list(event) == ["event", *keys.pop(event["event"])]
    assert not keys


def test_the_picture_is_what_the_page_shows(live_server: ServerProcess, tmp_path: Path) -> None:
    execution = asyncio.run(create(live_server))
    with WatchingTerminal(execution.id, "--url", live_server.url, cwd=tmp_path) as terminal:
        terminal.read_until("End")
        terminal.tell(SIGINT)
        assert terminal.end() == ExitCode.INTERRUPTED
    assert list(map(comparable, terminal.picture())) == comparable(shown("picture")).splitlines()


def test_every_mark_is_told() -> None:
    assert {code(row[1]): code(row[0]) for row in table(PAGE, "The picture")} == MARKS


def test_every_exit_code_is_told() -> None:
    told = [int(code(row[0])) for row in table(PAGE, "Exit codes")]
    assert told == sorted([*ExitCode, USAGE])
