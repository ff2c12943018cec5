"""One tree followed without a gap, over as many connections as it takes."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Final

from server.backoff import Backoff
from server.watching.address import Address
from server.watching.connection import CannotConnect, Connection, ConnectionLost, Refused, connected
from server.watching.documents import FOLLOW, REST, ROOT_OF
from server.watching.events import JSON, Away, Back, Changed, Ended, Event, Snapshot
from server.watching.token import TokenRefused, TokenSource

# As many executions as stay well within what one operation may ask for.
PAGE: Final = 250
_TOO_MUCH: Final = ("LIMIT_EXCEEDED", "TIMEOUT")
_FOR_NOW: Final = ("UNAVAILABLE", "STORAGE_FULL", "TOO_MANY_OPERATIONS")


class NotARoot(Exception):
    """The id is a child's; the root's is `root_id`."""

    def __init__(self, root_id: str) -> None:
        self.root_id = root_id
        super().__init__(root_id)


class _StartAnew(Exception):
    """A snapshot could not be read to its end; nothing of it was told."""


@dataclass(frozen=True, slots=True)
class _Place:
    revision: int
    epoch: str


class Follower:
    """Goes on from the last revision that it has told, so that none is told twice or left out."""

    def __init__(
        self, address: Address, root_id: str, *, token: TokenSource | None = None, page: int = PAGE
    ) -> None:
        self._address = address
        self._token = token or TokenSource()
        self._root_id = root_id
        self._page = page
        self._place: _Place | None = None
        self._backoff = Backoff(first_seconds=0.25, cap_seconds=5.0)

    async def events(self) -> AsyncGenerator[Event, None]:
        """A snapshot, then what happens. Raises `CannotConnect` at the first connection, `NotARoot`, `Refused`,
        `TokenRefused` where there is no other token by then, and `NoToken`.
        """
        has_connected = is_away = False
        while True:
            try:
                async with connected(self._address, self._token.read()) as connection:
                    has_connected = True
                    self._backoff.reset()
                    if is_away:
                        is_away = False
                        yield Back()
                    await self._subscribe(connection)
                    while True:
                        yield await self._next(connection)
            except _StartAnew:
                continue
            except TokenRefused as refused:
                if self._token.read() in (None, refused.token):
                    raise
                continue
            except (CannotConnect, ConnectionLost) as lost:
                if not has_connected:
                    raise
                if not is_away:
                    is_away = True
                    yield Away(str(lost))
            await asyncio.sleep(self._backoff.next_delay())

    async def _subscribe(self, connection: Connection) -> None:
        place = {"after": self._place.revision, "epoch": self._place.epoch} if self._place else {}
        await connection.subscribe(FOLLOW, {"rootId": self._root_id, "first": self._page, **place})

    async def _next(self, connection: Connection) -> Event:
        try:
            data = (await connection.next_data())["workflowExecutionTree"]
            return await self._event(connection, data)
        except Refused as refused:
            raise await self._verdict(connection, refused) from refused

    async def _verdict(self, connection: Connection, refused: Refused) -> Exception:
        """What a refusal leads to."""
        if refused.code in _TOO_MUCH and self._page > 1:
            self._page //= 2
            return _StartAnew()
        if refused.code == "REVISION_EXPIRED":
            return _StartAnew()
        if refused.code in _FOR_NOW:
            return ConnectionLost(str(refused))
        if refused.code == "BAD_USER_INPUT":
            found = (await connection.ask(ROOT_OF, {"id": self._root_id}))["workflowExecution"]
            root_id = found and found["rootWorkflowExecution"]["id"]
            if root_id not in (None, self._root_id):
                return NotARoot(root_id)
        return refused

    async def _event(self, connection: Connection, data: dict[str, Any]) -> Event:
        match data["__typename"]:
            case "TreeSnapshot":
                executions = await self._all_executions(connection, data)
                self._place = _Place(data["revision"], data["epoch"])
                return Snapshot(data["revision"], data["epoch"], data["reason"], executions)
            case "TreeChanged":
                assert self._place is not None
                if data["changes"][0]["revision"] != self._place.revision + 1:
                    raise ConnectionLost("a change is missing")
                self._place = _Place(data["revision"], self._place.epoch)
                return Changed(data["revision"], [change_of(each) for each in data["changes"]])
        return Ended(data["revision"], data["root"]["runtimeStatus"])

    async def _all_executions(self, connection: Connection, snapshot: JSON) -> list[JSON]:
        root = snapshot["root"]
        page = root.pop("descendantWorkflowExecutions")
        below: list[JSON] = page["nodes"]
        while page["pageInfo"]["hasNextPage"]:
            variables = {
                "rootId": self._root_id,
                "revision": snapshot["revision"],
                "first": self._page,
                "after": page["pageInfo"]["endCursor"],
            }
            answer = await connection.ask(REST, variables)
            page = answer["workflowExecution"]["descendantWorkflowExecutions"]
            below += page["nodes"]
        # They come newest first.
        return [root, *reversed(below)]


def change_of(change: JSON) -> JSON:
    """A selected change as an event has it."""
    link = change.pop("workflowExecution")
    if change["kind"] == "EXECUTION_CREATED":
        change["parentStep"] = link["parentStep"]
    return change
