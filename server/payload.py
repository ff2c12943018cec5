"""What a subscriber is given, whatever carries it there."""

from typing import NamedTuple

from server.responses import FormattedError


class Payload(NamedTuple):
    """An answer as JSON text on one line; `id` is where one stands after it, where one can go on from there."""

    text: str
    id: str | None = None


class SubscriptionFailed(Exception):
    """A subscription has ended with errors, which are as the response shows them."""

    def __init__(self, errors: list[FormattedError]) -> None:
        self.errors = errors
        super().__init__("; ".join(each["message"] for each in errors))
