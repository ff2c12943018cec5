"""What a subscriber is given, whatever carries it there."""

from dataclasses import dataclass
from typing import Self

from server.operations.responses import FormattedError


@dataclass(frozen=True, slots=True)
class Payload:
    """An answer as JSON on one line; `id` is where one stands after it, where one can go on from there."""

    data: bytes
    id: str | None = None

    @classmethod
    def of(cls, encoded: bytes, place: str | None = None) -> Self:
        """Of what orjson made, which keeps some KB for a few bytes as long as it lives (measured): hence the copy."""
        return cls(bytes(memoryview(encoded)), place)

    @property
    def text(self) -> str:
        """The answer as a text."""
        return self.data.decode()


class SubscriptionFailed(Exception):
    """A subscription has ended with errors, which are as the response shows them."""

    def __init__(self, errors: list[FormattedError]) -> None:
        self.errors = errors
        super().__init__("; ".join(each["message"] for each in errors))
