"""Trust in a key that tokens are signed with (`security.md` A1): it may end while what it allowed goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Trust:
    """That something is believed, until `end`; who looks at it is told so at once."""

    __slots__ = ("_told", "is_over")

    def __init__(self) -> None:
        self.is_over = False
        self._told: dict[object, Callable[[], None]] = {}

    @contextmanager
    def told(self, end: Callable[[], None]) -> Iterator[None]:
        """Call this when the trust ends, unless the block has ended before; at once where it is over already."""
        place = object()
        self._told[place] = end
        if self.is_over:
            end()
        try:
            yield
        finally:
            self._told.pop(place, None)

    def end(self) -> None:
        """It is over, for good."""
        self.is_over = True
        for each in tuple(self._told.values()):
            each()
