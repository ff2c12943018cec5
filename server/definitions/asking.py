"""Asking a server one thing after another."""

from collections.abc import Mapping
from typing import Any

from server.watching.address import Address, BadAddress
from server.watching.connection import CannotConnect, ConnectionLost, Refused, connected


class NotAnswered(ValueError):
    """One sentence for people."""


async def asked(url: str, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The data of an operation's answer. Raises `NotAnswered`."""
    try:
        address = Address.of(url)
    except BadAddress as bad:
        raise NotAnswered(f"--url: {bad}.") from None
    try:
        async with connected(address) as connection:
            return await connection.ask(document, variables)
    except CannotConnect as error:
        raise NotAnswered(f"Cannot connect to {address.shown}: {error}.") from None
    except (ConnectionLost, Refused) as error:
        raise NotAnswered(f"{address.shown}: {error}") from None
