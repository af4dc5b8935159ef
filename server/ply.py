"""The line of a game: its plies with how far each came, and the board after them."""

from dataclasses import dataclass, field
from typing import Literal

from engine.game import Game
from engine.start import USUAL, Start
from proofs.statement import Statement, next_history
from server.messages import Color, MoveRecord, Stage
from server.stages import step

Mover = Literal["player", "bot"]


@dataclass
class Ply:
    """A move with its stage; `fen` and `history` are those after it."""

    number: int
    by: Mover
    index: int
    uci: str
    san: str
    fen: str
    history: bytes
    signature: bytes | None = None
    stage: Stage | None = None
    at: dict[str, float] = field(default_factory=dict)
    statement: Statement | None = None
    job: int | None = None
    queue_position: int | None = None
    wait_seconds: float | None = None
    prove_seconds: float | None = None
    cpu_seconds: float | None = None
    proof: bytes | None = None
    payee: int | None = None
    tx: str | None = None
    gas: int | None = None
    block: int | None = None
    reason: str | None = None

    @property
    def color(self) -> Color:
        return "black" if self.number % 2 else "white"

    def advance(self, stage: Stage, now: float) -> None:
        """Go to `stage`.  Raises IllegalTransition, and then nothing changed."""
        self.stage = step(self.by, self.stage, stage)
        self.at[stage] = now

    def rewind(self) -> None:
        """Be as before it was sent: the chain has lost the block that held it."""
        self.stage = "proposed" if self.by == "player" else "proved"
        self.at = {k: t for k, t in self.at.items() if k not in ("submitted", "verified")}
        self.tx = self.gas = self.block = None

    def record(self) -> MoveRecord:
        assert self.stage is not None
        return MoveRecord(
            ply=self.number,
            color=self.color,
            by=self.by,
            index=self.index,
            uci=self.uci,
            san=self.san,
            fen=self.fen,
            history=hex_of(self.history),
            stage=self.stage,
            at=dict(self.at),
            queue_position=self.queue_position,
            wait_seconds=self.wait_seconds,
            prove_seconds=self.prove_seconds,
            cpu_seconds=self.cpu_seconds,
            proof=None if self.proof is None else hex_of(self.proof),
            payee=None if self.payee is None else f"0x{self.payee:040x}",
            tx=self.tx,
            gas=self.gas,
            block=self.block,
            reason=self.reason,
        )


class Line:
    """All plies of a game, verified ones first; `first` is the number of the first.

    Raises IllegalStart where no game can begin.
    """

    def __init__(self, game_id: bytes, start: Start = USUAL) -> None:
        self.id = game_id
        self.first = start.first_ply
        self.game = Game(start)
        self.start_fen = self.game.board.fen()
        self.plies: list[Ply] = []

    @property
    def next(self) -> int:
        """The number of the next ply."""
        return self.first + len(self.plies)

    @property
    def landed(self) -> int:
        """The number of the first ply that the chain does not hold."""
        return next((p.number for p in self.plies if p.stage != "verified"), self.next)

    @property
    def history(self) -> bytes:
        """The history hash after the last ply."""
        return self.plies[-1].history if self.plies else self.id

    @property
    def lowest(self) -> Ply | None:
        """The lowest ply that the chain does not hold."""
        return self.at(self.landed)

    @property
    def pending(self) -> list[Ply]:
        """The plies that the chain does not hold."""
        return self.plies[self.landed - self.first :]

    @property
    def fen(self) -> str:
        """The position after the last ply."""
        return self.game.board.fen()

    def at(self, number: int) -> Ply | None:
        """Ply `number`, if there is one."""
        return self.plies[number - self.first] if self.first <= number < self.next else None

    def is_legal(self, index: int) -> bool:
        return bool(self.game.mask >> index & 1)

    def push(self, by: Mover, index: int, now: float) -> Ply:
        """Play `index` as proposed.  Raises IllegalIndex, and then nothing changed."""
        number, before, board = self.next, self.history, self.game.board.copy(stack=False)
        move = self.game.play(index)
        ply = Ply(
            number=number,
            by=by,
            index=index,
            uci=move.uci(),
            san=board.san(move),
            fen=self.game.board.fen(),
            history=next_history(before, index),
        )
        ply.advance("proposed", now)
        self.plies.append(ply)
        return ply

    def drop(self, number: int) -> list[Ply]:
        """Take ply `number` and all later ones back; returns them."""
        kept = max(0, number - self.first)
        dropped = self.plies[kept:]
        del self.plies[kept:]
        self.game = Game(self.game.start)
        for ply in self.plies:
            self.game.play(ply.index)
        return dropped


def hex_of(raw: bytes) -> str:
    return "0x" + raw.hex()
