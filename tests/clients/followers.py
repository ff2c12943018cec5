"""The examples as processes: each prints a line of JSON for everything that it learns."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from tests.node import ENVIRONMENT, node

EXAMPLES = Path(__file__).parent
OVER_WEBSOCKET = ("graphql_ws", "apollo", "urql", "relay")
OVER_HTTP = ("graphql_sse", "event_source", "polling")
OF_TREES = (*OVER_WEBSOCKET, *OVER_HTTP)
OF_ALL_CHANGES = "changes"
_IMPORT = re.compile(r"from '\./(\w+)\.mjs'")
Line = dict[str, Any]


class Follower:
    """A running example; `lines` is all that it has printed, `errors` what it said when it failed."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.lines: list[Line] = []
        self.errors = ""
        self._process = process
        self._news = asyncio.Condition()
        self._has_ended = False
        self._reader = asyncio.create_task(self._read())

    @property
    def revisions(self) -> list[int]:
        """Of the changes, in the order in which they came."""
        return [line["revision"] for line in self.lines if "revision" in line]

    @property
    def snapshots(self) -> list[tuple[int, str]]:
        """Revision and reason of each."""
        return [(line["snapshot"], line["reason"]) for line in self.lines if "snapshot" in line]

    async def wait_for(self, told: Callable[[list[Line]], bool]) -> None:
        """Return when the lines fulfil this; fails when the process ends without."""
        async with self._news:
            await self._news.wait_for(lambda: self._has_ended or told(self.lines))
        assert told(self.lines), f"{self.name} has ended: {self.lines[-3:]} {self.errors}"

    async def sees_more(self) -> None:
        """Return when one line more has come."""
        count = len(self.lines)
        await self.wait_for(lambda lines: len(lines) > count)

    async def ended(self) -> int:
        """Wait for its end; its exit code."""
        await self._reader
        return await self._process.wait()

    def stop(self) -> None:
        if self._process.returncode is None:
            self._process.kill()

    async def _read(self) -> None:
        assert self._process.stdout
        assert self._process.stderr
        errors = asyncio.create_task(self._process.stderr.read())
        async for line in self._process.stdout:
            async with self._news:
                self.lines.append(json.loads(line))
                self._news.notify_all()
        self.errors = (await errors).decode()
        async with self._news:
            self._has_ended = True
            self._news.notify_all()


def files_of(*names: str) -> set[Path]:
    """The files of these examples, with those that they import."""
    found, wanted = set[Path](), list(names)
    while wanted:
        path = EXAMPLES / f"{wanted.pop()}.mjs"
        if path not in found:
            found.add(path)
            wanted += _IMPORT.findall(path.read_text(encoding="utf-8"))
    return found


@asynccontextmanager
async def following(names: Iterable[str], *arguments: str) -> AsyncIterator[list[Follower]]:
    """These examples, run with these arguments."""
    async with AsyncExitStack() as stack:
        followers = []
        for name in names:
            process = await asyncio.create_subprocess_exec(
                node(),
                str(EXAMPLES / f"{name}.mjs"),
                *arguments,
                env=ENVIRONMENT,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=1 << 24,
            )
            follower = Follower(name, process)
            stack.push_async_callback(follower.ended)
            stack.callback(follower.stop)
            followers.append(follower)
        yield followers


async def all_see(followers: Iterable[Follower], told: Callable[[list[Line]], bool]) -> None:
    """Return when the lines of each fulfil this."""
    await asyncio.gather(*(follower.wait_for(told) for follower in followers))
