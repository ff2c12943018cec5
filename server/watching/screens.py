"""Where events go: JSON for scripts, lines for a log, a picture for a terminal."""

import asyncio
import io
import sys
from abc import abstractmethod
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Protocol

import orjson
from rich.console import Console
from rich.live import Live

from server.watching.events import JSON, Away, Back, Changed, Ended, Event, Snapshot
from server.watching.frame import Frame
from server.watching.tree import Tree
from server.watching.words import change_words, clock, one_line, state_words

# In seconds: times are looked at so often that none is jumped over, and changes are drawn at most so often.
_TICK: Final = 0.4
_CALM: Final = 0.1


class Screen(Protocol):
    """Is told every event, after it has been folded into the tree."""

    def show(self, event: Event, tree: Tree) -> None: ...


def screen_for(name: str, *, as_json: bool) -> "AbstractAsyncContextManager[Screen]":
    """A picture where there is a terminal that can draw one. `name` is the server's, for people."""
    if as_json:
        return JSONLines(name)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What the terminal's encoding has no letter for is no reason to stop.
        sys.stdout.reconfigure(errors="replace")
    console = Console(highlight=False, markup=False, emoji=False)
    is_drawable = sys.stdout.isatty() and not console.is_dumb_terminal
    return Picture(console, name) if is_drawable else PlainLines(name)


class _Lines:
    """What writes lines, and tells on the error stream that it connects again."""

    def __init__(self, server: str) -> None:
        self._server = server

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def show(self, event: Event, tree: Tree) -> None:
        if isinstance(event, Away):
            sys.stderr.write(reconnecting(self._server, event) + "\n")
            sys.stderr.flush()
        elif not isinstance(event, Back):
            self.write(event, tree)

    @abstractmethod
    def write(self, event: Snapshot | Changed | Ended, tree: Tree) -> None: ...


class JSONLines(_Lines):
    """One object per line (`docs/watch.md`), in UTF-8 whatever the locale."""

    def write(self, event: Snapshot | Changed | Ended, tree: Tree) -> None:
        for each in json_events(event):
            sys.stdout.buffer.write(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE))
            sys.stdout.buffer.flush()


def json_events(event: Snapshot | Changed | Ended) -> list[JSON]:
    """What `--json` prints of an event, one object per line."""
    match event:
        case Snapshot(revision, epoch, reason, executions):
            shown: JSON = {"revision": revision, "epoch": epoch, "reason": reason, "executions": executions}
            return [{"event": "snapshot", **shown}]
        case Changed(_, changes):
            return [{"event": "change", **change} for change in changes]
        case Ended(revision, status):
            return [{"event": "ended", "revision": revision, "status": status}]


class PlainLines(_Lines):
    """A line for every change, for people who read a log."""

    def write(self, event: Snapshot | Changed | Ended, tree: Tree) -> None:
        match event:
            case Changed(_, changes):
                for change in changes:
                    self._print(plain_line(change, tree))
            case _:
                self._print(state_words(tree.root, tree.revision, datetime.now(UTC)))

    def _print(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def plain_line(change: JSON, tree: Tree) -> str:
    """A change with its time and its revision."""
    step = change["data"] if change["stepExecutionId"] else None
    name = tree.executions[change["workflowExecutionId"]]["name"]
    return f"{clock(change['at'])} {change['revision']} {change_words(change, name, step and step['name'])}"


def reconnecting(server: str, away: Away) -> str:
    return f"The connection to {server} is lost ({one_line(away.why)}); connecting again."


class Picture:
    """The tree, drawn in place: after changes, and in between because times go on."""

    def __init__(self, console: Console, server: str) -> None:
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self._server = server
        self._tree: Tree | None = None
        self._notice: str | None = None
        self._news = asyncio.Event()
        self._painter: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Picture":
        self._painter = asyncio.create_task(self._paint())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._painter is not None
        self._painter.cancel()
        await asyncio.wait([self._painter])
        if self._live.is_started:
            self._draw()
            self._live.stop()
        if not self._painter.cancelled():
            self._painter.result()

    def show(self, event: Event, tree: Tree) -> None:
        if isinstance(event, Away):
            self._notice = reconnecting(self._server, event)
        elif isinstance(event, Back):
            self._notice = None
        else:
            self._tree = tree
        self._news.set()

    async def _paint(self) -> None:
        while True:
            await self._news_or_tick()
            self._news.clear()
            if self._tree is not None:
                self._live.start()
                self._draw()
                await asyncio.sleep(_CALM)

    async def _news_or_tick(self) -> None:
        try:
            async with asyncio.timeout(_TICK if self._tree else None):
                await self._news.wait()
        except TimeoutError:
            pass

    def _draw(self) -> None:
        if self._tree is not None:
            self._live.update(Frame(self._tree, datetime.now(UTC), self._notice), refresh=True)
