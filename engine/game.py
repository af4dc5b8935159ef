"""One game replayed: the board, how often each position occurred, and how it ended.

The order of decisions after a move is the contract's: checkmate, stalemate, insufficient
material, seventy-five moves, fivefold repetition.
"""

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import chess

from engine.encoding import Position
from engine.policy_map import index_move, legal_mask
from engine.start import USUAL, Start


class Result(IntEnum):
    ONGOING = 0
    WHITE_WINS = 1
    BLACK_WINS = 2
    DRAW = 3
    ABORTED = 4

    def __str__(self) -> str:
        return ("*", "1-0", "0-1", "1/2-1/2", "*")[self]


class Reason(IntEnum):
    NONE = 0
    CHECKMATE = 1
    STALEMATE = 2
    INSUFFICIENT_MATERIAL = 3
    SEVENTY_FIVE_MOVES = 4
    FIVEFOLD_REPETITION = 5
    FIFTY_MOVES_CLAIM = 6
    THREEFOLD_CLAIM = 7
    RESIGNATION = 8
    TIMEOUT = 9
    ABORTED = 10

    def __str__(self) -> str:
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True)
class Outcome:
    result: Result
    reason: Reason


ONGOING = Outcome(Result.ONGOING, Reason.NONE)
ABORTED = Outcome(Result.ABORTED, Reason.ABORTED)
ABORT_PLIES: Final = 2
"""So many plies must not have been played for an abort."""


class Game:
    """A game from its start, moved on by policy indices.  Raises IllegalStart."""

    def __init__(self, start: Start = USUAL) -> None:
        self.start = start
        self.board = start.to_board()
        self._seen: Counter[tuple[chess.Color, int, int]] = Counter()
        self._count()

    @property
    def ply(self) -> int:
        """The ply to be played; the first is the start's first_ply."""
        return self.board.ply()

    @property
    def played(self) -> int:
        """How many plies were played."""
        return self.ply - self.start.first_ply

    @property
    def turn(self) -> chess.Color:
        return self.board.turn

    @property
    def position(self) -> Position:
        """The position as its mover sees it, with its repetitions."""
        return Position.of(self.board, repetitions=self.repetitions)

    @property
    def repetitions(self) -> int:
        """How often this position occurred before in this game."""
        return self._seen[self._key()] - 1

    @property
    def mask(self) -> int:
        """The legal moves, one bit a policy index."""
        return legal_mask(self.board)

    def play(self, index: int) -> chess.Move:
        """Play the move that `index` names.  Raises IllegalIndex, and then changes nothing."""
        move = index_move(self.board, index)
        self.board.push(move)
        self._count()
        return move

    def outcome(self) -> Outcome:
        """How the game stands by the rules that need no claim."""
        if not any(self.board.legal_moves):
            return self._no_moves()
        if self.board.is_insufficient_material():
            return Outcome(Result.DRAW, Reason.INSUFFICIENT_MATERIAL)
        if self.board.halfmove_clock >= 150:
            return Outcome(Result.DRAW, Reason.SEVENTY_FIVE_MOVES)
        if self.repetitions >= 4:
            return Outcome(Result.DRAW, Reason.FIVEFOLD_REPETITION)
        return ONGOING

    def claim(self) -> Outcome:
        """What a draw claim at this position brings: a draw, or ONGOING if there is none."""
        if self.repetitions >= 2:
            return Outcome(Result.DRAW, Reason.THREEFOLD_CLAIM)
        if self.board.halfmove_clock >= 100:
            return Outcome(Result.DRAW, Reason.FIFTY_MOVES_CLAIM)
        return ONGOING

    def _no_moves(self) -> Outcome:
        if not self.board.is_check():
            return Outcome(Result.DRAW, Reason.STALEMATE)
        won = Result.BLACK_WINS if self.board.turn == chess.WHITE else Result.WHITE_WINS
        return Outcome(won, Reason.CHECKMATE)

    def _key(self) -> tuple[chess.Color, int, int]:
        return (self.board.turn, *Position.of(self.board).key)

    def _count(self) -> None:
        self._seen[self._key()] += 1
