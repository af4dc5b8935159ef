"""Rows of the store as values; server/journal.py makes them, server/store.py writes them."""

from dataclasses import dataclass

from server.messages import Away, Stage
from server.ply import Mover

__all__ = ["Away", "Batch", "GameRow", "PlyRow"]


@dataclass(frozen=True)
class GameRow:
    """A game as it was agreed; `opening` and `state` are JSON texts of server/journal.py.

    `ours` says whether this arena plays in it; `begun` is when it took it up.
    """

    id: bytes
    opening: str
    signature: bytes
    secret: bytes
    ours: bool
    begun: float
    state: str


@dataclass(frozen=True)
class PlyRow:
    """A ply as it was told last; `history` is the hash after it, `payee` 0x hex."""

    number: int
    by: Mover
    move: int
    history: bytes
    stage: Stage
    at: dict[str, float]
    signature: bytes | None
    proof: bytes | None
    payee: str | None
    prove_seconds: float | None
    cpu_seconds: float | None
    tx: str | None
    gas: int | None
    block: int | None


@dataclass(frozen=True)
class Batch:
    """What one step changes of a game.

    `game` is set for a game that is new to the store, `offer` is the commitment that it uses up;
    `keeps` is set when plies were dropped: so many are left.
    """

    id: bytes
    events: list[tuple[int, str]]
    plies: list[PlyRow]
    keeps: int | None = None
    state: str | None = None
    game: GameRow | None = None
    offer: bytes | None = None

    @property
    def is_empty(self) -> bool:
        changes = (self.keeps, self.state, self.game)
        return not (self.events or self.plies) and all(change is None for change in changes)
