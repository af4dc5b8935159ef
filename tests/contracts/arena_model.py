"""What an arena should do, in Python: who may do what when, and how the game then stands.

Every question that the contract is asked is first asked here.  A model names the error that the
contract must refuse with, or takes the step and says how the game must stand afterwards.
"""

from dataclasses import dataclass, field
from typing import Any

import chess

from engine.game import ABORT_PLIES, ABORTED, ONGOING, Outcome, Reason, Result
from proofs.clock import GRACE_SECONDS, Clock
from proofs.signing import side_player
from tests.contracts.scene import Live, Scene


@dataclass
class Model:
    """One game that goes on or is over."""

    live: Live
    opened_at: int
    clock: Clock = field(init=False)
    last_move_at: int = field(init=False)
    grace_until: int = 0
    outcome: Outcome = ONGOING

    def __post_init__(self) -> None:
        self.clock = Clock(self.live.opening, self.opened_at)
        self.last_move_at = self.opened_at

    @property
    def scene(self) -> Scene:
        return self.live.scene

    @property
    def mover(self) -> bytes:
        return self.live.opening.white if self.live.ply % 2 == 0 else self.live.opening.black

    @property
    def player_moves(self) -> bool:
        """Whether it is a player's turn."""
        return side_player(self.mover) is not None

    @property
    def has_player(self) -> bool:
        sides = (self.live.opening.white, self.live.opening.black)
        return any(side_player(side) is not None for side in sides)

    def state(self) -> dict[str, Any]:
        """What the contract must tell of the game, but for what no move changes."""
        white, black = self.clock.left
        return {
            "board": self.live.game.position.board,
            "context": self.live.game.position.context,
            "firstPly": self.live.game.start.first_ply,
            "ply": self.live.ply,
            "result": int(self.outcome.result),
            "reason": int(self.outcome.reason),
            "lastMoveAt": self.last_move_at,
            "whiteClock": white,
            "blackClock": black,
            "graceUntil": self.grace_until,
            "history": "0x" + self.live.history.hex(),
        }

    # ---- refusals: the error's name, or None ----

    def refuses(self) -> str | None:
        return None if self.outcome == ONGOING else "GameOver"

    def refuses_abort(self) -> str | None:
        if self.outcome != ONGOING:
            return "GameOver"
        if self.live.game.played >= ABORT_PLIES:
            return "TooLateToAbort"
        return None if self.has_player else "BadSignature"

    def refuses_at(self, now: int, ply: int) -> str | None:
        """Of a move or a draw claim for a ply."""
        if self.outcome != ONGOING:
            return "GameOver"
        if ply != self.live.ply:
            return "StalePly"
        return "GraceOver" if self.grace_until and now > self.grace_until else None

    def refuses_timeout(self, now: int) -> str | None:
        if self.outcome != ONGOING:
            return "GameOver"
        if self.grace_until:
            return "GraceRunning" if now <= self.grace_until else None
        return "TimeLeft" if now < self.clock.runs_out_at(self.live.ply) else None

    def refuses_draw(self, now: int) -> str | None:
        error = self.refuses_at(now, self.live.ply)
        if error is None and not self.has_player:
            return "BadSignature"
        if error is None and self.live.game.claim() == ONGOING:
            return "NothingToClaim"
        return error

    # ---- steps that were not refused ----

    def move(self, index: int, now: int) -> None:
        self.clock.move(self.live.ply, now)
        self.last_move_at, self.grace_until = now, 0
        self.live.follow(index)
        self.outcome = self.live.game.outcome()

    def claim_timeout(self, now: int) -> None:
        if not self.grace_until:
            self.grace_until = now + GRACE_SECONDS
            return
        turn = self.live.game.turn
        other = Result.BLACK_WINS if turn == chess.WHITE else Result.WHITE_WINS
        hopeless = self.live.game.board.has_insufficient_material(not turn)
        self.outcome = Outcome(Result.DRAW if hopeless else other, Reason.TIMEOUT)

    def claim_draw(self) -> None:
        self.outcome = self.live.game.claim()

    def abort(self) -> None:
        self.outcome = ABORTED

    def resign(self) -> None:
        white = side_player(self.live.opening.white) is not None
        result = Result.BLACK_WINS if white else Result.WHITE_WINS
        self.outcome = Outcome(result, Reason.RESIGNATION)
