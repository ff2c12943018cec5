"""From a committed command to the doorbell."""

from db.commands.outcome import Committed
from server.live.broadcast import Doorbell
from server.live.ring import Ring
from server.telemetry.trail import trail


class DoorbellAnnouncer:
    """Rings for a tree that has changed (`schema.context.Announcer`)."""

    def __init__(self, doorbell: Doorbell) -> None:
        self._doorbell = doorbell

    async def announce(self, committed: Committed) -> None:
        """Never fails; a command that changed nothing is not announced."""
        trail().change(committed.root_id, committed.execution_id)
        if committed.revision > committed.since:
            await self._doorbell.ring(Ring(committed.root_id, committed.since, committed.revision))
