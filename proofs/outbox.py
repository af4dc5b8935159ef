"""Signed transactions, kept from before they are first sent.

A node may lose what it had: the reply to a broadcast, its pool, its latest blocks.  Whoever kept
the signed transactions can bring the very same ones again, in the order of their nonces, and so
none is ever made twice.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol


@dataclass(frozen=True)
class SignedTx:
    """A signed transaction; `tx` is its hash and `raw` itself, as 0x hex.

    `wish` says what it is for (wish_of).  `block` is the block that holds it, None for none yet.
    """

    tx: str
    nonce: int
    raw: str
    wish: bytes
    block: int | None = None


def wish_of(to: str | None, data: bytes, value: int = 0) -> bytes:
    """32 bytes that name what a transaction is to do, whichever its nonce and fees.

    `value` is the money that goes with it, in wei.
    """
    money = b"%d" % value if value else b""
    return hashlib.sha256((to or "").lower().encode() + money + b"\0" + data).digest()


class Outbox(Protocol):
    """The transactions of one key on one chain; no two have the same nonce."""

    @property
    def next_nonce(self) -> int:
        """One more than the highest nonce that is kept, 0 for none."""
        ...

    def save(self, signed: SignedTx) -> None:
        """Keep a transaction, before it is sent for the first time."""
        ...

    def landed(self, tx: str, block: int, *, worked: bool) -> None:
        """A block holds it; `worked` is False where the contract refused."""
        ...

    def lost(self, nonce: int) -> None:
        """No block holds any transaction from this nonce on."""
        ...

    def forget(self, tx: str) -> None:
        """It can never land: its nonce is spent by another."""
        ...

    def since(self, nonce: int) -> list[SignedTx]:
        """All from this nonce on, lowest first."""
        ...

    def open(self) -> list[SignedTx]:
        """All that are in no block as far as is known, lowest nonce first."""
        ...

    def find(self, wish: bytes, *, done: bool) -> SignedTx | None:
        """The latest transaction for this wish that is under way, or with `done` also one that
        did what it should."""
        ...


OutboxOf = Callable[[int, str], Outbox]
"""The outbox of a chain id and a key's lower-case address."""


class MemoryOutbox:
    """An outbox that lasts as long as the process."""

    def __init__(self) -> None:
        self._kept: dict[int, SignedTx] = {}
        self._failed: set[str] = set()

    @classmethod
    def of(cls, _chain_id: int, _address: str) -> "MemoryOutbox":
        return cls()

    @property
    def next_nonce(self) -> int:
        return max(self._kept, default=-1) + 1

    def save(self, signed: SignedTx) -> None:
        self._kept[signed.nonce] = signed

    def landed(self, tx: str, block: int, *, worked: bool) -> None:
        self._put(tx, block)
        if not worked:
            self._failed.add(tx)

    def lost(self, nonce: int) -> None:
        for signed in self.since(nonce):
            self._put(signed.tx, None)
            self._failed.discard(signed.tx)

    def forget(self, tx: str) -> None:
        self._kept = {nonce: kept for nonce, kept in self._kept.items() if kept.tx != tx}

    def since(self, nonce: int) -> list[SignedTx]:
        return [self._kept[n] for n in sorted(self._kept) if n >= nonce]

    def open(self) -> list[SignedTx]:
        return [signed for signed in self.since(0) if signed.block is None]

    def find(self, wish: bytes, *, done: bool) -> SignedTx | None:
        for signed in reversed(self.since(0)):
            if signed.wish != wish:
                continue
            if signed.block is None or (done and signed.tx not in self._failed):
                return signed
        return None

    def _put(self, tx: str, block: int | None) -> None:
        for nonce, kept in self._kept.items():
            if kept.tx == tx:
                self._kept[nonce] = replace(kept, block=block)
