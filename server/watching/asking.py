"""Asking a server for one thing or a few, for commands that then have an answer or none."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from server.watching.address import Address, BadAddress
from server.watching.connection import CannotConnect, Connection, ConnectionLost, Refused, connected
from server.watching.token import TokenRefused, TokenSource


class NotAnswered(ValueError):
    """One sentence for people."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server by its address, and the token that it is shown."""

    url: str
    token: TokenSource

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection. Raises `NotAnswered` for whatever becomes of it, and `NoToken`."""
        try:
            address = Address.of(self.url)
        except BadAddress as bad:
            raise NotAnswered(f"--url: {bad}.") from None
        try:
            async with connected(address, self.token.read()) as connection:
                yield connection
        except CannotConnect as error:
            raise NotAnswered(f"Cannot connect to {address.shown}: {error}.") from None
        except (ConnectionLost, Refused, TokenRefused) as error:
            raise NotAnswered(f"{address.shown}: {error}") from None

    async def ask(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The data of an operation's answer. Raises as `connection` does."""
        async with self.connection() as connection:
            return await connection.ask(document, variables)
