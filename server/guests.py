"""How much one address, and one key, may ask of a server.

    requests   to /api, /keys and /files            429, Retry-After
    sockets    and streams, open at once            429
    frames     over all sockets of an address       rate_limited, close code 4029
    openings   of an address, and of a key          rate_limited

An address is that of the other end; behind a web server of the operator's it is the last one that
X-Forwarded-For names: what stands before it may be made up by the client.  A /64 of IPv6 counts as
one address, as it belongs to one customer.
"""

import ipaddress
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from server.errors import CommandRefused
from server.limits import Buckets

_UNKNOWN: Final = "unknown"


@dataclass(frozen=True)
class Allowance:
    """Rates are pairs: so many a second in the long run, so many at once."""

    sockets: int = 500
    requests: tuple[float, float] = (50, 300)
    frames: tuple[float, float] = (200, 1000)
    openings: tuple[float, float] = (1, 50)  # fewer a second than all together may have
    openings_of_key: tuple[float, float] = (0.5, 20)


class Guests:
    """Who is here, by address, and what each has left of its allowance."""

    def __init__(
        self,
        allowance: Allowance | None = None,
        *,
        behind_proxy: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allowance = allowance or Allowance()
        self._behind_proxy = behind_proxy
        self._now = now
        self._open: Counter[str] = Counter()
        self._requests = Buckets(*self._allowance.requests)
        self._frames = Buckets(*self._allowance.frames)
        self._openings = Buckets(*self._allowance.openings)
        self._openings_of_key = Buckets(*self._allowance.openings_of_key)

    def address_of(self, request: web.Request) -> str:
        """Under which name a request counts."""
        named = request.remote
        if self._behind_proxy:
            forwarded = request.headers.getall("X-Forwarded-For", [])
            named = ",".join(forwarded).rpartition(",")[2].strip() or named
        return _counted_as(named)

    def may_ask(self, request: web.Request) -> bool:
        return self._requests.take(self.address_of(request), self._now())

    def may_send(self, address: str) -> bool:
        return self._frames.take(address, self._now())

    @contextmanager
    def entered(self, address: str) -> Iterator[None]:
        """Counts a socket or stream while it is open.  Raises HTTPTooManyRequests."""
        if self._open[address] >= self._allowance.sockets:
            raise too_many("too many sockets of this address are open")
        self._open[address] += 1
        try:
            yield
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    @contextmanager
    def opening(self, address: str, key: str) -> Iterator[None]:
        """Around an opening; the key's part counts if it succeeds, for only then is it the key's.

        Raises CommandRefused.
        """
        now, key = self._now(), key.lower()
        if not self._openings_of_key.has(key, now) or not self._openings.take(address, now):
            raise CommandRefused("rate_limited", "too many games are opened; try again soon")
        yield
        self._openings_of_key.take(key, now)


def too_many(what: str) -> web.HTTPTooManyRequests:
    return web.HTTPTooManyRequests(text=what + "\n", headers={"Retry-After": "1"})


def _counted_as(named: str | None) -> str:
    try:
        address = ipaddress.ip_address(named or "")
    except ValueError:
        return _UNKNOWN
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
