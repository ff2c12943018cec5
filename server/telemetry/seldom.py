"""Warnings that would come by the thousand: each is logged once in a while, with the number of those left out."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Said:
    until: float
    left_out: int = 0


@dataclass(slots=True)
class Seldom:
    """Logs the same text at most once in so many `seconds`, whoever says it."""

    log: logging.Logger
    seconds: float = 10.0
    clock: Callable[[], float] = time.monotonic
    _said: dict[str, _Said] = field(default_factory=dict)

    def warn(self, text: str) -> None:
        """Log a warning, or count it. Texts are few: each is kept."""
        now, said = self.clock(), self._said.get(text)
        if said is not None and now < said.until:
            said.left_out += 1
            return
        self._said[text] = _Said(now + self.seconds)
        more = f" ({said.left_out:,} times more since it was last said)" if said and said.left_out else ""
        self.log.warning("%s%s", text, more)
