"""The contract for nets: what outputs mean, and that the exported file computes the same."""

import chess
import numpy as np
import pytest

from engine.encoding import Position
from engine.errors import InvalidNet, InvalidPosition, NoLegalMove
from engine.export import Heads, piece_codes
from engine.export_rungs import greedy_mover
from engine.player import play_matches, random_mover
from engine.policy_map import index_move, legal_mask, move_index

PLAIN = Heads(by_piece=False)
BY_PIECE = Heads(by_piece=True)


def best(heads: Heads, outputs: dict[int, int], fen: str) -> str:
    board = chess.Board(fen)
    values = np.zeros(heads.outputs, dtype=np.int64)
    for place, value in outputs.items():
        values[place] = value
    position = Position.of(board)
    index = heads.choose(values, position.board, legal_mask(board))
    return board.san(index_move(board, index))


def test_heads_have_the_outputs_drawn() -> None:
    assert PLAIN.outputs == 131
    assert BY_PIECE.outputs == 451
    for count in (130, 448, 1858):
        with pytest.raises(InvalidNet, match="131 or 451"):
            Heads.of(count)


def test_a_logit_is_from_plus_to() -> None:
    outputs = {chess.E2: 3, 64 + chess.E4: 2, 64 + chess.F3: 4}
    assert best(PLAIN, outputs, chess.STARTING_FEN) == "e4"
    assert best(PLAIN, {**outputs, chess.G1: 2}, chess.STARTING_FEN) == "Nf3"


def test_black_sees_the_board_turned() -> None:
    board = chess.Board()
    board.push_san("e4")
    assert best(PLAIN, {chess.E2: 1, 64 + chess.E4: 1}, board.fen()) == "e5"


def test_rows_by_piece_are_the_movers() -> None:
    knights = 64 * (1 + chess.KNIGHT - 1)
    assert best(BY_PIECE, {knights + chess.F3: 1}, chess.STARTING_FEN) == "Nf3"
    pawns = 64
    assert best(BY_PIECE, {pawns + chess.F3: 1}, chess.STARTING_FEN) == "f3"


@pytest.mark.parametrize(("place", "san"), [(0, "a8=Q"), (1, "a8=R"), (2, "a8=B")])
def test_promotions_have_outputs_of_their_own(place: int, san: str) -> None:
    fen = "8/P6k/8/8/8/8/8/K7 w - - 0 1"
    for heads in (PLAIN, BY_PIECE):
        assert best(heads, {chess.A7: 5, heads.outputs - 3 + place: 1}, fen) == san
        assert best(heads, {chess.A7: 5, **{heads.outputs - k: -1 for k in (1, 2, 3)}}, fen) == (
            "a8=N"
        )


def test_ties_go_to_the_lowest_index() -> None:
    board = chess.Board()
    first = min(move_index(board, move) for move in board.legal_moves)
    assert best(PLAIN, {}, board.fen()) == board.san(index_move(board, first))


def test_no_legal_move_is_an_error() -> None:
    with pytest.raises(NoLegalMove):
        PLAIN.choose(np.zeros(131, dtype=np.int64), 0, 0)


def test_piece_codes_are_the_nibbles() -> None:
    codes = piece_codes(Position.of(chess.Board()).board)
    assert codes[:8].tolist() == [4, 2, 3, 5, 6, 3, 2, 4]
    assert codes[56:].tolist() == [10, 8, 9, 11, 12, 9, 8, 10]
    with pytest.raises(InvalidPosition):
        piece_codes(13)


@pytest.mark.parametrize(
    ("fen", "san"),
    [
        ("6k1/8/8/3q1r2/4P3/8/8/K7 w - - 0 1", "exd5"),
        ("6k1/P7/8/3r4/4P3/8/8/K7 w - - 0 1", "a8=Q+"),
        ("6k1/8/8/3pP3/8/8/8/K7 w - d6 0 1", "exd6"),
        ("6k1/8/8/8/3n4/8/5p2/K5B1 w - - 0 1", "Bxf2"),
    ],
)
def test_the_greedy_mover_wins_most_material(fen: str, san: str) -> None:
    board = chess.Board(fen)
    index = greedy_mover(1)(Position.of(board), legal_mask(board))
    assert board.san(index_move(board, index)) == san


def test_matches_are_the_same_every_time() -> None:
    scores = [play_matches(greedy_mover(2), random_mover(3), games=2) for _ in range(2)]
    assert scores[0] == scores[1]
