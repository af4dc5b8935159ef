"""The signed transactions of one key, in the store (proofs/outbox.py)."""

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from proofs.outbox import SignedTx
from server.tables import TRANSACTIONS as TX

if TYPE_CHECKING:
    from server.store import Store

_COLUMNS: Final = (TX.c.tx, TX.c.nonce, TX.c.raw, TX.c.wish, TX.c.block)


KEPT: Final = 20_000
"""Of so many transactions; no chain that is of use loses more."""


class StoredOutbox:
    """An outbox that a killed process leaves behind."""

    def __init__(self, store: "Store", chain_id: int, address: str) -> None:
        self._store = store
        self._key = {"chain": chain_id, "sender": address}
        self._mine = sa.and_(TX.c.chain == chain_id, TX.c.sender == address)
        with store.batch() as connection:
            connection.execute(sa.delete(TX).where(self._mine, TX.c.nonce < self._highest() - KEPT))

    def _highest(self) -> sa.ScalarSelect[int | None]:
        return sa.select(sa.func.max(TX.c.nonce)).where(self._mine).scalar_subquery()

    @property
    def next_nonce(self) -> int:
        with self._store.batch() as connection:
            highest = connection.execute(sa.select(sa.func.max(TX.c.nonce)).where(self._mine))
            found: int | None = highest.scalar_one()
        return 0 if found is None else found + 1

    def save(self, signed: SignedTx) -> None:
        values = {
            "tx": signed.tx,
            "raw": signed.raw,
            "wish": signed.wish,
            "block": signed.block,
            "worked": True,
        }
        row = {**self._key, "nonce": signed.nonce, **values}
        made = insert(TX).values(row)
        with self._store.batch() as connection:
            connection.execute(
                made.on_conflict_do_update(["chain", "sender", "nonce"], set_=values)
            )

    def landed(self, tx: str, block: int, *, worked: bool) -> None:
        self._change(TX.c.tx == tx, block=block, worked=worked)

    def lost(self, nonce: int) -> None:
        self._change(TX.c.nonce >= nonce, block=None, worked=True)

    def forget(self, tx: str) -> None:
        with self._store.batch() as connection:
            connection.execute(sa.delete(TX).where(self._mine, TX.c.tx == tx))

    def since(self, nonce: int) -> list[SignedTx]:
        return self._select(TX.c.nonce >= nonce)

    def open(self) -> list[SignedTx]:
        return self._select(TX.c.block.is_(None))

    def find(self, wish: bytes, *, done: bool) -> SignedTx | None:
        under_way = TX.c.block.is_(None)
        found = self._select(
            TX.c.wish == wish, sa.or_(under_way, TX.c.worked) if done else under_way
        )
        return found[-1] if found else None

    def _change(self, which: sa.ColumnElement[bool], **values: Any) -> None:
        with self._store.batch() as connection:
            connection.execute(sa.update(TX).where(self._mine, which).values(**values))

    def _select(self, *which: sa.ColumnElement[bool]) -> list[SignedTx]:
        query = sa.select(*_COLUMNS).where(self._mine, *which).order_by(TX.c.nonce)
        with self._store.batch() as connection:
            return [SignedTx(*row) for row in connection.execute(query)]
