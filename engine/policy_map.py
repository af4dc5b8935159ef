"""The 1858 moves a net can name, in Lc0's order.

A policy index names a move as its mover sees it: when Black is to move the board is turned
(ranks flipped, colours swapped), so that every mover plays up the board.

    0..1791     from-to pairs a queen or a knight could travel, by from-square, then by to-square,
                both counted a1, b1, .. h1, a2, .. h8
    1792..1857  promotions to queen, rook and bishop: by from-file a..h on the seventh rank,
                then by to-file, then q, r, b

A bare from-to of a pawn onto the last rank is the *knight* promotion.  Castling is the king
taking his own rook (e1h1, e1a1).

Source of the order: `kMoveStrs` in Lc0's src/neural/encoder.cc.
"""

from typing import Final

import chess
import numpy as np
from numpy.typing import NDArray

from engine.errors import IllegalIndex

POLICY_SIZE: Final = 1858
MOVE_TYPES: Final = 73

_PROMOTIONS: Final = (chess.QUEEN, chess.ROOK, chess.BISHOP)
_KNIGHT_STEPS: Final = ((1, 2), (2, 1), (2, -1), (1, -2), (-1, -2), (-2, -1), (-2, 1), (-1, 2))
_QUEEN_DIRECTIONS: Final = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))


def _step(from_square: int, to_square: int) -> tuple[int, int]:
    """Files and ranks travelled, each in -7..7."""
    return (
        chess.square_file(to_square) - chess.square_file(from_square),
        chess.square_rank(to_square) - chess.square_rank(from_square),
    )


def _is_policy_step(step: tuple[int, int]) -> bool:
    files, ranks = step
    if step in _KNIGHT_STEPS:
        return True
    return step != (0, 0) and (files == 0 or ranks == 0 or abs(files) == abs(ranks))


def _all_moves() -> tuple[chess.Move, ...]:
    plain = [
        chess.Move(a, b)
        for a in chess.SQUARES
        for b in chess.SQUARES
        if _is_policy_step(_step(a, b))
    ]
    promotions = [
        chess.Move(chess.square(file, 6), chess.square(to_file, 7), piece)
        for file in range(8)
        for to_file in range(max(0, file - 1), min(7, file + 1) + 1)
        for piece in _PROMOTIONS
    ]
    return tuple(plain + promotions)


def _step_types() -> dict[tuple[int, int], int]:
    """Types 0..55 are queen steps (direction major, then distance 1..7), 56..63 knight steps."""
    types = {
        (files * distance, ranks * distance): 7 * direction + distance - 1
        for direction, (files, ranks) in enumerate(_QUEEN_DIRECTIONS)
        for distance in range(1, 8)
    }
    return types | {step: 56 + i for i, step in enumerate(_KNIGHT_STEPS)}


_STEP_TYPE: Final = _step_types()


def _move_type(move: chess.Move) -> int:
    """Types 64..72 are promotions: q, r, b each for the file steps -1, 0, 1."""
    if move.promotion is None:
        return _STEP_TYPE[_step(move.from_square, move.to_square)]
    file_step = _step(move.from_square, move.to_square)[0]
    return 64 + 3 * _PROMOTIONS.index(move.promotion) + file_step + 1


MOVES: Final = _all_moves()
"""The mover-relative move of each index; castling reads as king takes rook."""

MOVE_TYPE: Final = tuple(_move_type(move) for move in MOVES)
"""The type (0..72) of each index: its displacement, or its promotion."""

FROM_SQUARE: Final[NDArray[np.int64]] = np.array([move.from_square for move in MOVES])
TO_SQUARE: Final[NDArray[np.int64]] = np.array([move.to_square for move in MOVES])
TYPE: Final[NDArray[np.int64]] = np.array(MOVE_TYPE)
"""The same as arrays (1858,)."""

_PIECES: Final = "PNBRQK"


def movers(index: int) -> frozenset[str]:
    """The pieces, of P N B R Q K, whose way of moving leads from one square to the other.

    Of any legal move the piece that moves is among them, save that of castling: its index is a
    rook's step, where the king counts only if the rook is next to him.
    """
    move = MOVES[index]
    files, ranks = _step(move.from_square, move.to_square)
    if move.promotion is not None:
        return frozenset("P")
    if (files, ranks) in _KNIGHT_STEPS:
        return frozenset("N")
    straight = files == 0 or ranks == 0
    found = set("RQ" if straight else "BQ")
    if max(abs(files), abs(ranks)) == 1:
        found.add("K")
    first_double = (files, ranks) == (0, 2) and chess.square_rank(move.from_square) == 1
    if (ranks == 1 and abs(files) <= 1) or first_double:
        found.add("P")
    return frozenset(found)


MOVERS: Final[NDArray[np.bool_]] = np.array(
    [[piece in movers(index) for piece in _PIECES] for index in range(POLICY_SIZE)]
)
"""(1858, 6): whether P, N, B, R, Q, K are among an index's movers."""

_INDEX: Final = {move: index for index, move in enumerate(MOVES)}


def uci(index: int) -> str:
    """The mover-relative name of an index in Lc0's table, such as `e2e4` or `a7a8q`."""
    return MOVES[index].uci()


def move_index(board: chess.Board, move: chess.Move) -> int:
    """The policy index of `move` for the side to move on `board`."""
    to_square = _castling_rook(board, move) if board.is_castling(move) else move.to_square
    promotion = None if move.promotion == chess.KNIGHT else move.promotion
    flip = 0 if board.turn == chess.WHITE else 56
    return _INDEX[chess.Move(move.from_square ^ flip, to_square ^ flip, promotion)]


def index_move(board: chess.Board, index: int) -> chess.Move:
    """The legal move that `index` names on `board`.  Raises IllegalIndex if there is none."""
    if not 0 <= index < POLICY_SIZE:
        raise IllegalIndex(index, board.fen())
    move = _absolute(board, MOVES[index])
    if not board.is_legal(move):
        raise IllegalIndex(index, board.fen())
    return move


def legal_mask(board: chess.Board) -> int:
    """The legal moves as 1858 bits: bit i is set if index i is legal."""
    mask = 0
    for move in board.legal_moves:
        mask |= 1 << move_index(board, move)
    return mask


def _absolute(board: chess.Board, relative: chess.Move) -> chess.Move:
    flip = 0 if board.turn == chess.WHITE else 56
    from_square, to_square = relative.from_square ^ flip, relative.to_square ^ flip
    piece = board.piece_type_at(from_square)
    target = board.piece_at(to_square)
    if piece == chess.KING and target == chess.Piece(chess.ROOK, board.turn):
        file = 6 if to_square > from_square else 2
        return chess.Move(from_square, chess.square(file, chess.square_rank(to_square)))
    if piece == chess.KING and abs(_step(from_square, to_square)[0]) > 1:
        return chess.Move.null()  # e1g1 is a rook's step in this table, never a king's
    promotion = relative.promotion
    if piece == chess.PAWN and promotion is None and chess.square_rank(to_square) in (0, 7):
        promotion = chess.KNIGHT
    return chess.Move(from_square, to_square, promotion)


def _castling_rook(board: chess.Board, move: chess.Move) -> int:
    file = 7 if board.is_kingside_castling(move) else 0
    return chess.square(file, chess.square_rank(move.from_square))
