"""The contract's clocks, followed from the times of blocks.

A side's clock runs from the last move, after the delay; the increment is added when its move
lands.  When it has run out, the first claim opens a grace window, in which a move still counts;
after the window only the end of the game can follow.  All in unix seconds.
"""

from typing import Final

from proofs.signing import Open

GRACE_SECONDS: Final = 60
MAX_BASE_SECONDS: Final = 365 * 24 * 3600


class Clock:
    """Both clocks of one game.  Methods return what is wrong, or None."""

    def __init__(self, opening: Open, opened_at: int) -> None:
        self._increment = opening.increment_seconds
        self._delay = opening.delay_seconds
        self._left = [opening.base_seconds, opening.base_seconds]
        self._since = opened_at
        self._grace = 0

    @property
    def left(self) -> tuple[int, int]:
        """White's and Black's seconds left when the last move landed."""
        return self._left[0], self._left[1]

    @property
    def since(self) -> int:
        """When the last move landed, or the game was opened."""
        return self._since

    def runs_out_at(self, ply: int) -> int:
        """When the clock of the side to move at `ply` runs out."""
        return self._since + self._delay + self._left[ply & 1]

    def move(self, ply: int, at: int) -> str | None:
        """A move landed."""
        end, grace = self.runs_out_at(ply), self._grace
        self._left[ply & 1] = max(0, end - max(at, self._since + self._delay)) + self._increment
        self._since, self._grace = at, 0
        return self._too_late(grace, at)

    def draw(self, at: int) -> str | None:
        """A draw was claimed."""
        return self._too_late(self._grace, at)

    def claim(self, ply: int, at: int, deadline: int) -> str | None:
        """A timeout was claimed."""
        if self._grace:
            return "the timeout was claimed twice"
        self._grace = at + GRACE_SECONDS
        if at < self.runs_out_at(ply):
            return f"claimed {self.runs_out_at(ply) - at} s before the clock ran out"
        if deadline != self._grace:
            return f"the grace window ends at {deadline}, not {self._grace}"
        return None

    def timeout(self, at: int) -> str | None:
        """The game ended on time."""
        if not self._grace:
            return "ended on time without a claim before"
        return None if at > self._grace else "ended on time within the grace window"

    @staticmethod
    def _too_late(grace: int, at: int) -> str | None:
        return f"{at - grace} s after the grace window" if grace and at > grace else None
