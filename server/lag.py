"""How late the event loop is for what is due.

A tick asks to be woken every `TICK` seconds; what it is late by is what any event that came due
then had to wait.  A stall of half a second makes one late tick where fifty were due, so the ones
that it swallowed are counted too: else the worst moments would weigh the least (Gil Tene calls
that coordinated omission).
"""

import asyncio
from bisect import bisect_left
from collections import deque
from typing import Final

TICK: Final = 0.01
RECENT_SECONDS: Final = 15.0
BOUNDS: Final = tuple(round(0.0005 * 1.25**k, 6) for k in range(40))
"""Upper bounds of the buckets in seconds, 0.5 ms to 3 s, a quarter apart."""


class LoopLag:
    """Counts of lateness by bucket; `counts` has one more place for what is beyond BOUNDS."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0
        self.largest = 0.0
        self._recent: deque[tuple[float, float]] = deque()

    async def run(self) -> None:
        """Watch the running loop until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TICK
            await asyncio.sleep(TICK)
            now = loop.time()
            self.note(max(0.0, now - due), now)

    def note(self, late: float, now: float) -> None:
        """Count one tick that was `late`, and those that it swallowed; `now` is the loop's time."""
        self.largest = max(self.largest, late)
        while self._recent and self._recent[-1][1] <= late:
            self._recent.pop()
        self._recent.append((now, late))
        while late >= 0:
            self.counts[bisect_left(BOUNDS, late)] += 1
            self.total += late
            late -= TICK

    def recent_largest(self, now: float) -> float:
        """The largest lateness of the last RECENT_SECONDS."""
        while self._recent and self._recent[0][0] < now - RECENT_SECONDS:
            self._recent.popleft()
        return self._recent[0][1] if self._recent else 0.0


def quantile(counts: list[int], q: float) -> float:
    """The bound that a share `q` of the counted ticks stayed below; 0 where none were counted."""
    wanted, seen = q * sum(counts), 0
    for bound, count in zip((*BOUNDS, float("inf")), counts, strict=True):
        seen += count
        if count and seen >= wanted:
            return bound
    return 0.0
