import random
from collections.abc import Iterator

import chess
import pytest

from engine.encoding import START, Position, decode, encode_board, encode_context
from engine.errors import InvalidPosition


def positions(games: int, seed: int) -> Iterator[chess.Board]:
    rng = random.Random(seed)
    for _ in range(games):
        board = chess.Board()
        while not board.is_game_over() and board.ply() < 160:
            yield board
            board.push(rng.choice(list(board.legal_moves)))


def test_start_is_the_usual_position() -> None:
    assert Position.of(chess.Board()) == START


def test_words_read_back_as_the_board() -> None:
    for board in positions(20, seed=2):
        again = decode(Position.of(board), board.turn, fullmove=board.fullmove_number)
        assert again.board_fen() == board.board_fen()
        assert set(again.legal_moves) == set(board.legal_moves)
        assert again.clean_castling_rights() == board.clean_castling_rights()
        assert again.halfmove_clock == board.halfmove_clock


def test_black_sees_the_mirrored_board() -> None:
    for board in positions(5, seed=3):
        assert Position.of(board) == Position.of(board.mirror())


def test_context_fields_stand_where_drawn() -> None:
    board = chess.Board("r3k3/8/8/3pP3/8/8/8/4K2R w Kq d6 0 1")
    assert encode_context(board) == 0b1001 | 4 << 4
    board = chess.Board("r3k3/8/8/8/8/8/8/4K2R b Kq - 37 60")
    assert encode_context(board, repetitions=1) == 0b0110 | 1 << 8 | 37 << 10
    assert encode_context(board, repetitions=7) >> 8 & 3 == 2
    board.halfmove_clock = 300
    assert encode_context(board) >> 10 == 255


@pytest.mark.parametrize(
    "fen",
    [
        "4k3/8/8/3p4/8/8/8/4K3 w - d6 0 1",  # no pawn can take
        "8/8/8/K2pP2q/8/8/8/4k3 w - d6 0 1",  # taking would bare the king along the rank
    ],
)
def test_en_passant_counts_only_if_legal(fen: str) -> None:
    assert encode_context(chess.Board(fen)) >> 4 & 15 == 0


@pytest.mark.parametrize(
    "position",
    [
        Position(board=13, context=0),
        Position(board=0, context=9 << 4),
        Position(board=0, context=1 << 18),
        Position(board=0, context=1 << 20),
        Position(board=1 << 256, context=0),
    ],
)
def test_decode_fails_if_no_board_encodes_so(position: Position) -> None:
    with pytest.raises(InvalidPosition):
        decode(position, chess.WHITE)


def test_board_word_counts_every_piece() -> None:
    word = encode_board(chess.Board())
    assert [word >> 4 * square & 15 for square in range(16)] == [4, 2, 3, 5, 6, 3, 2, 4] + [1] * 8
    assert word >> 4 * 60 & 15 == 12
