"""What cannot be read at the moment, and when to try again. What is read is the caller's."""

import logging

from server.backoff import Backoff

log = logging.getLogger(__name__)


class Outage:
    """What of the journal cannot be read, logged once when that begins and once when it is over.

    A tree that alone cannot be read keeps the retries going and stops nothing else.
    """

    def __init__(self, backoff: Backoff) -> None:
        self._backoff = backoff
        self._failing: set[str] = set()
        self.retry_at: float | None = None

    def note(self, what: str, error: Exception, now: float) -> None:
        """`what` (a root id, or "" for the revisions of all) failed; `now` in the event loop's seconds."""
        if not self._failing:
            log.warning("the journal cannot be read, trying again: %s: %s", type(error).__name__, error)
        self._failing.add(what)
        if self.retry_at is None:
            self.retry_at = now + self._backoff.next_delay()

    def heal(self, what: str) -> None:
        if what in self._failing:
            self._failing.discard(what)
            if not self._failing:
                self._backoff.reset()
                self.retry_at = None
                log.info("the journal can be read again")
