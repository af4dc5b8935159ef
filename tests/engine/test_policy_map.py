import hashlib
import random

import chess
import pytest

from engine.errors import IllegalIndex
from engine.policy_map import (
    MOVE_TYPE,
    MOVE_TYPES,
    MOVES,
    POLICY_SIZE,
    index_move,
    legal_mask,
    move_index,
    uci,
)

# Of the 1858 names of `kMoveStrs` in Lc0's src/neural/encoder.cc, one a line.
LC0_TABLE_SHA256 = "eb2483cf8f53bb000dd6ca437c4ecd383b391bb5fee468b6c30f7f167fb591c5"


def test_table_is_lc0s() -> None:
    text = "".join(uci(index) + "\n" for index in range(POLICY_SIZE))
    assert hashlib.sha256(text.encode()).hexdigest() == LC0_TABLE_SHA256


def test_every_legal_move_has_its_own_index() -> None:
    rng = random.Random(1)
    for _ in range(20):
        board = chess.Board()
        while not board.is_game_over() and board.ply() < 200:
            indices = [move_index(board, move) for move in board.legal_moves]
            assert len(set(indices)) == len(indices)
            assert legal_mask(board) == sum(1 << index for index in indices)
            assert [index_move(board, index) for index in indices] == list(board.legal_moves)
            board.push(rng.choice(list(board.legal_moves)))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(
    ("fen", "move", "name"),
    [
        ("r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1", "e1g1", "e1h1"),
        ("r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1", "e1c1", "e1a1"),
        ("8/P6k/8/8/8/8/8/K7 w - - 0 1", "a7a8n", "a7a8"),
        ("8/P6k/8/8/8/8/8/K7 w - - 0 1", "a7a8q", "a7a8q"),
        ("8/Q6k/8/8/8/8/8/K7 w - - 0 1", "a7a8", "a7a8"),
        ("4k3/8/8/3pP3/8/8/8/4K3 w - d6 0 1", "e5d6", "e5d6"),
    ],
)
def test_names_of_the_special_moves(fen: str, move: str, name: str, mirrored: bool) -> None:
    board, played = chess.Board(fen), chess.Move.from_uci(move)
    if mirrored:
        board = board.mirror()
        played = chess.Move(played.from_square ^ 56, played.to_square ^ 56, played.promotion)
    index = move_index(board, played)
    assert uci(index) == name
    assert index_move(board, index) == played


@pytest.mark.parametrize("index", [-1, POLICY_SIZE, 2**256, 0])
def test_index_move_fails_if_not_legal(index: int) -> None:
    with pytest.raises(IllegalIndex) as caught:
        index_move(chess.Board(), index)
    assert caught.value.index == index


def test_castling_has_one_index_only() -> None:
    board = chess.Board("4k3/8/8/8/8/8/8/4K2R w K - 0 1")
    two_steps = next(i for i in range(POLICY_SIZE) if uci(i) == "e1g1")
    with pytest.raises(IllegalIndex):
        index_move(board, two_steps)


def test_move_types_are_displacements_and_promotions() -> None:
    assert set(MOVE_TYPE) == set(range(MOVE_TYPES))
    steps: dict[int, set[tuple[int, int, int | None]]] = {}
    for move, kind in zip(MOVES, MOVE_TYPE, strict=True):
        files = chess.square_file(move.to_square) - chess.square_file(move.from_square)
        ranks = chess.square_rank(move.to_square) - chess.square_rank(move.from_square)
        steps.setdefault(kind, set()).add((files, ranks, move.promotion))
    assert all(len(found) == 1 for found in steps.values())
