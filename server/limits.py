"""Token buckets: `rate` a second in the long run, `burst` at once."""

from typing import Final

MOST_NAMES: Final = 10_000


class TokenBucket:
    def __init__(self, *, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = now

    def take(self, now: float) -> bool:
        """Whether one more is allowed at time `now` (seconds of any steady clock)."""
        if not self.has(now):
            return False
        self._tokens -= 1
        return True

    def has(self, now: float) -> bool:
        """Whether one more would be."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return self._tokens >= 1


class Buckets:
    """A bucket for each name.  Of too many names those are forgotten that were not seen longest:
    memory is bounded, and who has so many names has many buckets anyway."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: dict[str, TokenBucket] = {}

    def take(self, name: str, now: float) -> bool:
        return self._of(name, now).take(now)

    def has(self, name: str, now: float) -> bool:
        return self._of(name, now).has(now)

    def __len__(self) -> int:
        return len(self._buckets)

    def _of(self, name: str, now: float) -> TokenBucket:
        bucket = self._buckets.pop(name, None)
        if bucket is None:
            bucket = TokenBucket(rate=self._rate, burst=self._burst, now=now)
            if len(self._buckets) >= MOST_NAMES:
                del self._buckets[next(iter(self._buckets))]
        self._buckets[name] = bucket  # the last is the one seen last
        return bucket
