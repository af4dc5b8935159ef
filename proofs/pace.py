"""How long proofs take here, and what follows: when one is stuck, and when the next are done."""

from __future__ import annotations

import heapq
import statistics
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

REMEMBERED: Final = 50


@dataclass(frozen=True)
class Patience:
    """When a worker counts as stuck, in seconds.

    A job may take `medians` times the median of its key's latest proofs, but at least `least_s`.
    Before any was seen, when the key may have to be loaded too, it may take `unknown_s`, or
    `medians` times what a larger net is expected to take if that is longer.  Each time that a job
    was stuck, it gets twice as long.  A worker that is started has `start_s` to be ready, with
    keys to load, and `fork_s` if its foreman has them loaded.  One further key has `load_s`.
    """

    least_s: float = 20.0
    medians: float = 10.0
    unknown_s: float = 120.0
    start_s: float = 300.0
    fork_s: float = 15.0
    load_s: float = 900.0

    def for_job(
        self, median_s: float | None, times_stuck: int, *, expected_s: float | None = None
    ) -> float:
        """`median_s` is None before the first proof; then `expected_s` is what is guessed."""
        if median_s is None:
            seconds = max(self.unknown_s, self.medians * (expected_s or 0.0))
        else:
            seconds = max(self.least_s, self.medians * median_s)
        return float(seconds * 2**times_stuck)

    def for_start(self, has_keys: bool) -> float:
        return self.fork_s if has_keys else self.start_s


class Pace:
    """The wall seconds of the latest jobs, by key: nets differ in size."""

    def __init__(self) -> None:
        self._all: deque[float] = deque(maxlen=REMEMBERED)
        self._by_key: dict[str, deque[float]] = {}
        self._sizes: dict[str, float] = {}

    def note(self, key: str, seconds: float) -> None:
        self._all.append(seconds)
        self._by_key.setdefault(key, deque(maxlen=REMEMBERED)).append(seconds)

    def size(self, key: str, size: float) -> None:
        """How large a key is, in any unit: twice as large takes about twice as long."""
        self._sizes[key] = size

    def median(self, key: str | None = None) -> float | None:
        """Of a key's latest jobs, of all jobs without a key; None before the first."""
        seen = self._all if key is None else self._by_key.get(key)
        return statistics.median(seen) if seen else None

    def expected(self, key: str) -> float | None:
        """What a job under a key will probably take.

        If it is the first, what others took, by size where the sizes are known.
        """
        if (median := self.median(key)) is not None:
            return median
        if (size := self._sizes.get(key)) is not None:
            seen = [k for k in self._by_key if k in self._sizes]
            if seen:
                like = min(seen, key=lambda k: abs(self._sizes[k] - size))
                return statistics.median(self._by_key[like]) * size / self._sizes[like]
        return self.median()


def finishes(free_in: Iterable[float], jobs: Iterable[float | None]) -> Iterator[float | None]:
    """In how many seconds each job of a queue is done, by workers that are free in so many.

    `jobs` are the seconds that each takes, in order.  None from the first on that nothing is known
    of, and for all when there is no worker.
    """
    free = list(free_in)
    heapq.heapify(free)
    for seconds in jobs:
        if seconds is None or not free:
            free = []
            yield None
        else:
            done = free[0] + seconds
            heapq.heapreplace(free, done)
            yield done
