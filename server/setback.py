"""Why a bot's move does not come forward, and when it is tried again."""

from typing import Final

FIRST_PAUSE: Final = 30.0
LONGEST_PAUSE: Final = 600.0


class Setback:
    """Tries with growing pauses between them, in seconds, until one gets through."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._again: float | None = None
        self._pause = FIRST_PAUSE

    def hit(self, reason: str, now: float) -> float:
        """It failed; returns the time of the next try."""
        self.reason, self._again = reason, now + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        return self._again

    def is_due(self, now: float) -> bool:
        return self._again is not None and now >= self._again

    def try_again(self) -> None:
        self.reason = self._again = None

    def is_over(self) -> None:
        """A move got through."""
        self.try_again()
        self._pause = FIRST_PAUSE
