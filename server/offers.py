"""Offers to play: commitments whose secrets only the server knows.

A game's dice come from the operator's secret and the player's seed.  The operator commits first,
the player signs the commitment together with its own seed, and the secret is shown when the game
is opened; so neither side alone can choose the dice.
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from proofs.statement import commitment
from server.errors import CommandRefused


@dataclass(frozen=True)
class Offer:
    bot: bytes
    commitment: bytes
    secret: bytes
    expires: int


class OfferStore(Protocol):
    """Where offers outlast the process (server/store.py)."""

    def offers(self, now: float) -> list[Offer]: ...
    def add_offer(self, offer: Offer) -> None: ...
    def drop_offer(self, commitment: bytes) -> None: ...


class Offers:
    """At most `limit` offers, each good for `lifetime` seconds; the oldest gives way."""

    def __init__(
        self,
        *,
        limit: int = 1000,
        lifetime: int = 600,
        randomness: Callable[[int], bytes] = secrets.token_bytes,
        store: "OfferStore | None" = None,
        now: float = 0.0,
    ) -> None:
        """What the store holds at `now` is still offered."""
        self._limit = limit
        self._lifetime = lifetime
        self._randomness = randomness
        self._store = store
        kept = [] if store is None else store.offers(now)
        self._open = OrderedDict((offer.commitment, offer) for offer in kept)

    def __len__(self) -> int:
        return len(self._open)

    def make(self, bot: bytes, now: float) -> Offer:
        """A new offer to play `bot`, which expires at a unix time."""
        secret = self._randomness(32)
        offer = Offer(bot, commitment(secret), secret, int(now) + self._lifetime)
        if self._store is not None:
            self._store.add_offer(offer)
        while len(self._open) >= self._limit:
            self._drop(next(iter(self._open)))
        self._open[offer.commitment] = offer
        return offer

    def look(self, digest: bytes, now: float) -> Offer:
        """The offer with this commitment.  Refused when unknown, used or expired."""
        offer = self._open.get(digest)
        if offer is None:
            raise CommandRefused("offer_unknown", "no open offer has this commitment")
        if now >= offer.expires:
            self._drop(digest)
            raise CommandRefused("offer_expired", f"the offer expired at {offer.expires}")
        return offer

    def use(self, offer: Offer) -> None:
        """A secret serves one game: forget the offer.  The store does so as it writes the game."""
        self._open.pop(offer.commitment, None)

    def _drop(self, digest: bytes) -> None:
        if self._store is not None:
            self._store.drop_offer(digest)
        del self._open[digest]
