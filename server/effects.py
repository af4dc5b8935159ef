"""What goes in and out of a session: values only.

Out come effects, for the adapters to carry out: events to publish, moves to prove, transactions
to send, times to wake up at.  In go the answers: what landed, what was refused, what the chain
holds.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from engine.encoding import Position
from engine.game import Outcome
from proofs.signing import Domain, Open
from proofs.statement import Statement
from server.messages import Clocks, GameEvent, Opening

Choose = Callable[[Position, int, int], int]
"""(position, legal mask, dice) -> policy index"""

Ponder = Callable[[Position, int, int], Awaitable[int]]
"""The same for a bot that takes its time; meanwhile nobody else waits."""


@dataclass(frozen=True)
class BotPlayer:
    """A bot version as a side of a game: it has one way to choose, or none where it cannot play."""

    version: bytes
    name: str
    choose: Choose | None
    ponder: Ponder | None = None

    @property
    def is_played(self) -> bool:
        """Whether this server can play it."""
        return self.choose is not None or self.ponder is not None


@dataclass(frozen=True)
class Terms:
    """A game as it was agreed: the signed opening with the secret that belongs to it."""

    domain: Domain
    open: Open
    signature: bytes
    secret: bytes
    bots: Mapping[bytes, BotPlayer]


# --- transactions wanted ------------------------------------------------------------------------


@dataclass(frozen=True)
class OpenGame:
    ply = -1


@dataclass(frozen=True)
class PlayerMove:
    ply: int
    index: int
    signature: bytes


@dataclass(frozen=True)
class BotMove:
    ply: int
    index: int
    payee: int
    proof: bytes


@dataclass(frozen=True)
class ResignGame:
    signature: bytes


@dataclass(frozen=True)
class AbortGame:
    signature: bytes


@dataclass(frozen=True)
class ClaimDraw:
    ply: int
    signature: bytes


@dataclass(frozen=True)
class ClaimTimeout:
    ply: int


Intent = OpenGame | PlayerMove | BotMove | ResignGame | AbortGame | ClaimDraw | ClaimTimeout


@dataclass(frozen=True)
class SessionState:
    """How a game stands, but for its plies; the last four are wishes of the players."""

    opening: Opening
    clocks: Clocks
    ended: "Ended | None" = None
    resignation: ResignGame | None = None
    draw: ClaimDraw | None = None
    timeout: ClaimTimeout | None = None
    abort: AbortGame | None = None


# --- effects ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Emit:
    """Publish an event; its version is given by the game's history."""

    event: GameEvent


@dataclass(frozen=True)
class Resync:
    """Publish the whole game anew: what was shown of it does not hold any more."""


@dataclass(frozen=True)
class Prove:
    """Prove a bot's move; `job` names this wish in the answers."""

    job: int
    ply: int
    version: bytes
    statement: Statement


@dataclass(frozen=True)
class DropProof:
    job: int


@dataclass(frozen=True)
class Think:
    """Have a bot that ponders choose its move; `job` names this wish in the answer."""

    job: int
    ply: int
    ponder: Ponder
    position: Position
    mask: int
    dice: int


@dataclass(frozen=True)
class DropThought:
    job: int


@dataclass(frozen=True)
class Submit:
    """Send one transaction.  The session wants the next only after the answer to this one."""

    intent: Intent


@dataclass(frozen=True)
class WakeAt:
    """Call `woke` at unix time `at`."""

    at: float


Effect = Emit | Resync | Prove | DropProof | Think | DropThought | Submit | WakeAt


# --- answers ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ended:
    outcome: Outcome
    tx: str | None


@dataclass(frozen=True)
class Landing:
    """A transaction in a block; `clocks` and what follows are the contract's, after it."""

    tx: str
    gas: int
    block: int
    clocks: Clocks
    ended: Ended | None = None
    grace_until: float | None = None


@dataclass(frozen=True)
class LandedMove:
    """A move as the chain's log tells it."""

    index: int
    tx: str
    block: int
    at: float
    signature: bytes | None = None
    proof: bytes | None = None
    payee: int | None = None
    gas: int | None = None


@dataclass(frozen=True)
class ChainTruth:
    """All that the chain knows of one game; `opened_by` is its opening's transaction."""

    opened_by: str | None
    moves: tuple[LandedMove, ...]
    clocks: Clocks
    ended: Ended | None
    grace_until: float | None = None
