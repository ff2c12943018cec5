"""How long to wait before trying again: exponential, capped, with jitter."""

import random
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Delays in seconds: `first_seconds`, doubling up to `cap_seconds`, each drawn from its upper half."""

    first_seconds: float
    cap_seconds: float
    failures: int = 0

    def next_delay(self) -> float:
        # The exponent is bounded: 2**1024 does not fit a float.
        whole: float = min(self.cap_seconds, self.first_seconds * 2 ** min(self.failures, 30))
        self.failures += 1
        return whole * random.uniform(0.5, 1.0)  # noqa: S311 – spreads clients out, guards nothing

    def reset(self) -> None:
        self.failures = 0
