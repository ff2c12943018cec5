"""A doorbell for tests that ring it themselves."""

from collections.abc import Callable
from datetime import UTC, datetime

from server.live.broadcast import DoorbellHealth, DoorbellStatus
from server.live.ring import Ring


class HandBell:
    """A doorbell that the test rings and breaks by hand."""

    def __init__(self) -> None:
        self.health = DoorbellHealth(DoorbellStatus.OK, datetime.now(UTC))

    def listen(self, on_ring: Callable[[Ring], None], on_status: Callable[[DoorbellStatus], None]) -> None:
        self.ring = on_ring
        self._on_status = on_status

    def turn(self, status: DoorbellStatus) -> None:
        self.health = DoorbellHealth(status, datetime.now(UTC))
        self._on_status(status)
