"""Where a game begins, as two words that an opening is signed with.

    board     256 bits, the board word of engine/encoding.py
    context    24 bits:  | 3 zero bits | 1 bit: Black moves first | 20 bits: context word |

Both are seen by the side that moves first; both zero are the usual position.  Earlier moves count
for nothing: no position has occurred before, and the first move has number 1, whatever a FEN says.

A game may begin where play could go on from: what python-chess's `Board.status` asks; no side with
more pieces than its missing pawns account for; a pawn that can be taken in passing really came
through just now, and the mover was not in check before; and the game is not over.
"""

from dataclasses import dataclass
from typing import Final, Self

import chess

from engine.encoding import CONTEXT_BITS, Position, decode
from engine.errors import IllegalStart, InvalidPosition

_BLACK_FIRST: Final = 1 << CONTEXT_BITS
_CONTEXT: Final = _BLACK_FIRST - 1
_MAX_HALFMOVES: Final = 149  # a game of 150 is over
_USUAL_SET: Final = ((chess.KNIGHT, 2), (chess.ROOK, 2), (chess.QUEEN, 1))
_BISHOP_SQUARES: Final = (chess.BB_LIGHT_SQUARES, chess.BB_DARK_SQUARES)


@dataclass(frozen=True)
class Start:
    """The two words drawn above; not every pair is one that a game can begin at (`to_board`)."""

    board: int = 0
    context: int = 0

    @classmethod
    def of(cls, board: chess.Board) -> Self:
        """The start at `board`, whose earlier moves are forgotten.  Raises IllegalStart."""
        problem = _problem(board)
        if problem is not None:
            raise IllegalStart(problem)
        if board.epd(en_passant="legal") == _USUAL_EPD and not board.halfmove_clock:
            return cls()
        position = Position.of(board)
        return cls(position.board, position.context | _BLACK_FIRST * (not board.turn))

    @classmethod
    def from_fen(cls, fen: str) -> Self:
        """The start at a FEN.  Raises IllegalStart."""
        try:
            return cls.of(chess.Board(fen))
        except ValueError as error:
            raise IllegalStart(f"no FEN: {error}") from error

    @property
    def is_usual(self) -> bool:
        return not self.board and not self.context

    @property
    def first_ply(self) -> int:
        """0, or 1 if Black moves first: White's plies are the even ones."""
        return self.context >> CONTEXT_BITS & 1

    def to_board(self) -> chess.Board:
        """The position.  Raises IllegalStart where no game can begin."""
        if self.is_usual:
            return chess.Board()
        if self.context >> CONTEXT_BITS > 1:
            raise IllegalStart(f"context word {self.context:#x}")
        position = Position(self.board, self.context & _CONTEXT)
        try:
            board = decode(position, chess.BLACK if self.first_ply else chess.WHITE)
        except InvalidPosition as error:
            raise IllegalStart(str(error)) from error
        problem = _problem(board)
        if problem is None and Position.of(board) != position:
            problem = "its words are not those that the position is written with"
        if problem is not None:
            raise IllegalStart(problem)
        return board


USUAL: Final = Start()
_USUAL_EPD: Final = chess.Board().epd()


def _problem(board: chess.Board) -> str | None:
    """Why no game can begin at a position, None if one can."""
    status = board.status()
    if status:
        flags = (flag.name or "" for flag in chess.Status if flag & status)
        return ", ".join(name.lower().replace("_", " ") for name in flags)
    if any(
        _promoted(board, color) > 8 - _count(board, chess.PAWN, color) for color in chess.COLORS
    ):
        return "more promoted pieces than pawns are missing"
    if board.has_legal_en_passant() and (problem := _en_passant_problem(board)) is not None:
        return problem
    if not any(board.legal_moves) or board.is_insufficient_material():
        return "the game would be over before it begins"
    if board.halfmove_clock > _MAX_HALFMOVES:
        return f"{board.halfmove_clock} halfmoves without a capture or a pawn's move"
    return None


def _count(board: chess.Board, piece: chess.PieceType, color: chess.Color) -> int:
    return board.pieces_mask(piece, color).bit_count()


def _promoted(board: chess.Board, color: chess.Color) -> int:
    """How many pieces of `color` can only be promoted pawns."""
    beyond = [_count(board, piece, color) - usual for piece, usual in _USUAL_SET]
    bishops = board.pieces_mask(chess.BISHOP, color)
    beyond += [(bishops & squares).bit_count() - 1 for squares in _BISHOP_SQUARES]
    return sum(max(0, n) for n in beyond)


def _en_passant_problem(board: chess.Board) -> str | None:
    if board.halfmove_clock:
        return "a pawn has just moved, and the halfmove clock is not zero"
    assert board.ep_square is not None
    up = 8 if board.turn == chess.WHITE else -8
    before = board.copy(stack=False)
    pawn = before.remove_piece_at(board.ep_square - up)
    before.set_piece_at(board.ep_square + up, pawn)
    return "in check before the last move was played" if before.is_check() else None
