"""Trees that the timer leaves alone for a while: somebody is at work on them, or what is due there cannot be done."""

import logging
from dataclasses import dataclass

from server.backoff import Backoff

log = logging.getLogger(__name__)

FIRST_BUSY, LONGEST_BUSY = 0.02, 1.0
FIRST_BROKEN, LONGEST_BROKEN = 1.0, 60.0
# After so many times in vain one waits for a busy tree: chance might never find it free.
PATIENT_AFTER = 3
# Another server may have done what was due, and nobody tells: what is not asked about any more is forgotten.
REMEMBERED_FOR = 2 * LONGEST_BROKEN


@dataclass(slots=True)
class Hold:
    """Until when (the event loop's seconds) a tree is left alone, and for how long the next time."""

    backoff: Backoff
    until: float = 0.0
    is_broken: bool = False


class Holds:
    """By the ids of their roots. Moments are the event loop's seconds."""

    def __init__(self) -> None:
        self._holds: dict[str, Hold] = {}

    def busy(self, root_id: str, now: float) -> None:
        """Somebody is at work on the tree, or has just done what was due."""
        hold = self._holds.setdefault(root_id, Hold(Backoff(FIRST_BUSY, LONGEST_BUSY)))
        hold.until = now + hold.backoff.next_delay()

    def broken(self, root_id: str, error: Exception, now: float) -> None:
        """What is due in the tree cannot be done; told when that begins."""
        hold = self._holds.get(root_id)
        if hold is None or not hold.is_broken:
            hold = self._holds[root_id] = Hold(Backoff(FIRST_BROKEN, LONGEST_BROKEN), is_broken=True)
            log.error(
                "what is due in %s cannot be done; others go on, this is tried again", root_id, exc_info=error
            )
        hold.until = now + hold.backoff.next_delay()

    def release(self, root_id: str) -> None:
        """What was due is done."""
        hold = self._holds.pop(root_id, None)
        if hold is not None and hold.is_broken:
            log.info("what was due in %s is done", root_id)

    def is_patient(self, root_id: str) -> bool:
        """Whether it is time to wait for whoever is at work on the tree."""
        hold = self._holds.get(root_id)
        return hold is not None and hold.backoff.failures >= PATIENT_AFTER

    def held(self, now: float) -> list[str]:
        """The trees that are left alone."""
        for root_id, hold in list(self._holds.items()):
            if hold.until + REMEMBERED_FOR < now:
                del self._holds[root_id]
        return [root_id for root_id, hold in self._holds.items() if hold.until > now]

    def seconds(self, now: float) -> float | None:
        """How long until the first of them is tried again; None where there is none."""
        return min((hold.until - now for hold in self._holds.values() if hold.until > now), default=None)
