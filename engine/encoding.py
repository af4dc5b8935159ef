"""A position as two integers, seen by its mover.

When Black is to move the board is turned: ranks flipped and colours swapped.

    board word, 256 bits: four bits a square, here those of the usual start in hexadecimal

           h g f e d c b a
        8  a 8 9 c b 9 8 a  bits 224..255    own        P 1  N 2  B 3  R 4  Q 5  K 6
        7  7 7 7 7 7 7 7 7  bits 192..223    their      P 7  N 8  B 9  R a  Q b  K c
        6  0 0 0 0 0 0 0 0  bits 160..191    empty      0
        5  0 0 0 0 0 0 0 0  bits 128..159    never      d e f
        4  0 0 0 0 0 0 0 0  bits  96..127
        3  0 0 0 0 0 0 0 0  bits  64..95     square s   bits 4s..4s+3
        2  1 1 1 1 1 1 1 1  bits  32..63                (a1 = 0, b1 = 1, .. h8 = 63)
        1  4 2 3 6 5 3 2 4  bits   0..31

    context word, 20 bits:

         19     18 17          10 9       8 7      4   3     2     1     0
        +---------+--------------+---------+--------+-----+-----+-----+-----+
        |  zero   |  halfmoves   | earlier |  file  |their|their| own | own |
        |         |              |         |        |O-O-O| O-O |O-O-O| O-O |
        +---------+--------------+---------+--------+-----+-----+-----+-----+

        halfmoves   plies since the last capture or pawn move, at most 255
        earlier     occurrences of this position before in the game, 2 for two or more
        file        a = 1 .. h = 8 of a pawn that can legally be taken in passing, else 0
        the rest    rights to castle
"""

from dataclasses import dataclass
from typing import Final

import chess

from engine.errors import InvalidPosition

ENCODING_VERSION: Final = 1
CONTEXT_BITS: Final = 20
EARLIER_BITS: Final = (8, 9)
"""The places of `earlier` in the context word."""
MOST_EARLIER: Final = 3
"""What they can hold; no game makes it more than 2."""
_RIGHTS: Final = (
    (chess.WHITE, chess.H1),
    (chess.WHITE, chess.A1),
    (chess.BLACK, chess.H8),
    (chess.BLACK, chess.A8),
)


@dataclass(frozen=True)
class Position:
    """A position as its mover sees it, in the words drawn above."""

    board: int
    context: int

    @classmethod
    def of(cls, board: chess.Board, *, repetitions: int = 0) -> "Position":
        """Encode `board`, which occurred `repetitions` times before in its game."""
        return cls(encode_board(board), encode_context(board, repetitions=repetitions))

    @property
    def earlier(self) -> int:
        """How often the position was there before in its game: 0, 1, or 2 for more."""
        return self.context >> EARLIER_BITS[0] & MOST_EARLIER

    @property
    def key(self) -> tuple[int, int]:
        """What makes two positions of one mover the same: board, castling, en passant."""
        return self.board, self.context & 0xFF


START: Final = Position(
    board=0xA89CB98A_77777777_00000000_00000000_00000000_00000000_11111111_42365324,
    context=0b1111,
)


def encode_board(board: chess.Board) -> int:
    """The board word of `board`, turned to its mover."""
    flip = 0 if board.turn == chess.WHITE else 56
    word = 0
    for square, piece in board.piece_map().items():
        code = piece.piece_type + (0 if piece.color == board.turn else 6)
        word |= code << 4 * (square ^ flip)
    return word


def encode_context(board: chess.Board, *, repetitions: int = 0) -> int:
    """The context word of `board`, turned to its mover."""
    flip = 0 if board.turn == chess.WHITE else 56
    rights = board.clean_castling_rights()
    context = 0
    for bit, (_, corner) in enumerate(_RIGHTS):
        context |= bool(rights & chess.BB_SQUARES[corner ^ flip]) << bit
    if board.ep_square is not None and board.has_legal_en_passant():
        context |= (chess.square_file(board.ep_square) + 1) << 4
    context |= min(repetitions, 2) << 8
    return context | min(board.halfmove_clock, 255) << 10


def decode(position: Position, turn: chess.Color, *, fullmove: int = 1) -> chess.Board:
    """The board that `position` encodes with `turn` to move.

    Raises InvalidPosition for a word that no board encodes to.
    """
    flip = 0 if turn == chess.WHITE else 56
    board = chess.Board(None)
    for square in chess.SQUARES:
        code = position.board >> 4 * square & 15
        if code > 12:
            raise InvalidPosition(f"piece code {code} on {chess.square_name(square)}")
        if code:
            color = turn if code <= 6 else not turn
            board.set_piece_at(square ^ flip, chess.Piece((code - 1) % 6 + 1, color))
    board.turn = turn
    board.castling_rights = sum(
        chess.BB_SQUARES[corner ^ flip]
        for bit, (_, corner) in enumerate(_RIGHTS)
        if position.context >> bit & 1
    )
    file = position.context >> 4 & 15
    if file > 8 or position.context >> CONTEXT_BITS - 2 or position.board >> 256:
        raise InvalidPosition(f"context word {position.context:#x}")
    if file:
        board.ep_square = chess.square(file - 1, 5) ^ flip
    board.halfmove_clock = position.context >> 10 & 255
    board.fullmove_number = fullmove
    return board
