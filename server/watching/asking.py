"""Asking a server one thing after another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.watching.address import Address, BadAddress
from server.watching.connection import CannotConnect, ConnectionLost, Refused, connected
from server.watching.token import NoToken, TokenRefused, TokenSource


class NotAnswered(ValueError):
    """One sentence for people."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server by its address, and the token that it is shown."""

    url: str
    token: TokenSource

    async def ask(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The data of an operation's answer. Raises `NotAnswered`."""
        try:
            address = Address.of(self.url)
        except BadAddress as bad:
            raise NotAnswered(f"--url: {bad}.") from None
        try:
            async with connected(address, self.token.read()) as connection:
                return await connection.ask(document, variables)
        except CannotConnect as error:
            raise NotAnswered(f"Cannot connect to {address.shown}: {error}.") from None
        except (NoToken, TokenRefused) as error:
            raise NotAnswered(str(error)) from None
        except (ConnectionLost, Refused) as error:
            raise NotAnswered(f"{address.shown}: {error}") from None
