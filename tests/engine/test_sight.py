"""The planes of sight, against python-chess and against pieces that walk."""

import chess
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.encoding import encode_board
from engine.net import input_planes
from engine.sight import (
    KNIGHT_SQUARES,
    OFF_BOARD,
    RAY_SQUARES,
    SIGHT_PLANES,
    IntArray,
    between,
    sight_limits,
    sight_planes,
    sight_range,
)
from tests.engine.boards import legal_boards, wild_boards, word_of
from tests.engine.naive import naive_codes, naive_sight


def sight_of(word: int) -> IntArray:
    return sight_planes(input_planes(word))


def chess_sight(board: chess.Board) -> list[list[int]]:
    """The planes of a legal position as python-chess sees it, White to move."""
    return [
        *_attackers(board, chess.WHITE),
        *_attackers(board, chess.BLACK),
        *(_as_if(board, chess.WHITE, piece) for piece in (chess.BISHOP, chess.ROOK)),
        *(_as_if(board, chess.BLACK, piece) for piece in (chess.BISHOP, chess.ROOK)),
        _as_if(board, chess.BLACK, chess.KNIGHT),
        [len(_pawn_attacks(s) & board.pieces(chess.KING, chess.BLACK)) for s in chess.SQUARES],
    ]


def _attackers(board: chess.Board, side: chess.Color) -> list[list[int]]:
    return [
        [len(board.attackers(side, s) & board.pieces(kind, side)) for s in chess.SQUARES]
        for kind in chess.PIECE_TYPES
    ]


def _as_if(board: chess.Board, side: chess.Color, piece: chess.PieceType) -> list[int]:
    """What the king of `side` would attack if he were another piece."""
    other, king = board.copy(stack=False), board.king(side)
    assert king is not None
    other.set_piece_at(king, chess.Piece(piece, side))
    return [int(square in other.attacks(king)) for square in chess.SQUARES]


def _pawn_attacks(square: chess.Square) -> chess.SquareSet:
    return chess.SquareSet(chess.BB_PAWN_ATTACKS[chess.WHITE][square])


def test_sight_is_python_chesss() -> None:
    for board in legal_boards(120, seed=3):
        seen = board if board.turn == chess.WHITE else board.mirror()
        assert sight_of(encode_board(board)).tolist() == chess_sight(seen)


def test_sight_is_what_pieces_reach_by_walking_on_any_board() -> None:
    for word in wild_boards(200):
        assert sight_of(word).tolist() == naive_sight(naive_codes(word))


@given(st.lists(st.integers(0, 12), min_size=64, max_size=64))
@settings(max_examples=60)
def test_sight_is_what_pieces_reach_by_walking(codes: list[int]) -> None:
    assert sight_of(word_of(codes)).tolist() == naive_sight(codes)


def test_the_planes_are_whole_numbers() -> None:
    planes = sight_of(0)
    assert planes.shape == (SIGHT_PLANES, 64)
    assert planes.dtype == np.int64
    assert not planes.any()


def test_a_piece_in_the_way_is_seen_and_not_looked_through() -> None:
    rook, pawn, their_king = chess.A1, chess.A4, chess.A7
    codes = [0] * 64
    codes[rook], codes[pawn], codes[their_king] = 4, 1, 12
    rooks, their_lines = sight_of(word_of(codes))[[3, 15]]
    assert rooks[[chess.A2, chess.A3, chess.A4]].tolist() == [1, 1, 1]
    assert not rooks[[rook, chess.A5, chess.A6, chess.A7]].any()
    assert their_lines[[chess.A4, chess.A5, chess.A6, chess.A8]].tolist() == [1, 1, 1, 1]
    assert not their_lines[[chess.A1, chess.A2, chess.A3, chess.A7]].any()


@pytest.mark.parametrize("square", [chess.A1, chess.E1, chess.H3, chess.D5, chess.B8, chess.H8])
def test_limits_are_attained(square: int) -> None:
    """A board of one piece alone, but for the square itself, counts as much as can be."""
    for plane, code in enumerate([*range(1, 13), 6, 6, 12, 12, 12, 12]):
        codes = [code] * 64
        assert sight_of(word_of(codes))[plane, square] == sight_limits()[plane, square]


def test_limits_hold() -> None:
    for word in wild_boards(100, seed=1):
        assert (sight_of(word) <= sight_limits()).all()
    assert sight_limits().max(axis=1).tolist() == [2, 8, 4, 4, 8, 8] * 2 + [4, 4, 4, 4, 8, 2]


def test_the_range_of_a_sum_of_counts_is_attained() -> None:
    """By the board that shows each line and each knight's step its best piece, near or far."""
    weights = np.random.default_rng(4).integers(-20, 21, size=(8, SIGHT_PLANES))
    least, most = sight_range(weights)
    for square in (chess.A1, chess.D4, chess.G3, chess.E8):
        for row in range(len(weights)):
            high = sight_of(_best_board(weights[row], square))[:, square]
            low = sight_of(_best_board(-weights[row], square))[:, square]
            assert weights[row] @ high == most[row, square]
            assert weights[row] @ low == least[row, square]


def _best_board(weights: IntArray, square: int) -> int:
    word = 0
    ways = [*RAY_SQUARES[:, :2, square].tolist(), *KNIGHT_SQUARES[:, square, None].tolist()]
    for way in ways:
        places = [code << 4 * at for at in way if at != OFF_BOARD for code in range(13)]
        word |= max(places, key=lambda one: int(weights @ sight_of(one)[:, square]), default=0)
    return word


@given(st.lists(st.integers(0, 12), min_size=64, max_size=64), st.integers(0, 1000))
@settings(max_examples=40)
def test_no_sum_of_counts_leaves_its_range(codes: list[int], seed: int) -> None:
    weights = np.random.default_rng(seed).integers(-20, 21, size=(5, SIGHT_PLANES))
    least, most = sight_range(weights)
    sums = weights @ sight_of(word_of(codes))
    assert (least <= sums).all()
    assert (sums <= most).all()


def test_tables_are_geometry() -> None:
    assert RAY_SQUARES[0, :, chess.A6].tolist() == [chess.A7, chess.A8] + [OFF_BOARD] * 5
    assert RAY_SQUARES[1, :3, chess.F6].tolist() == [chess.G7, chess.H8, OFF_BOARD]
    for square in chess.SQUARES:
        on_board = [int(s) for s in KNIGHT_SQUARES[:, square] if s != OFF_BOARD]
        assert set(on_board) == set(chess.SquareSet(chess.BB_KNIGHT_ATTACKS[square]))


def test_between_is_python_chesss() -> None:
    for a in chess.SQUARES:
        for b in chess.SQUARES:
            assert set(between(a, b)) == set(chess.SquareSet.between(a, b))
    assert between(chess.A1, chess.D4) == (chess.B2, chess.C3)
