import hashlib
import random

import chess
import pytest

from engine.errors import IllegalIndex
from engine.policy_map import (
    MOVE_TYPE,
    MOVE_TYPES,
    MOVERS,
    MOVES,
    POLICY_SIZE,
    index_move,
    legal_mask,
    move_index,
    movers,
    uci,
)
from tests.engine.boards import legal_boards
from tests.engine.naive import naive_movers

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


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("e2e4", "PRQ"),
        ("e3e5", "RQ"),
        ("e2e3", "PRQK"),
        ("e2d3", "PBQK"),
        ("e2d1", "BQK"),
        ("e2f4", "N"),
        ("a1h8", "BQ"),
        ("a7a8", "PRQK"),  # the knight's promotion as well
        ("a7b8", "PBQK"),
        ("a7a8q", "P"),
        ("g7h8b", "P"),
        ("e1h1", "RQ"),  # castling: the king is not among them
        ("e1e2", "PRQK"),
        ("e1e3", "RQ"),
    ],
)
def test_movers_of_some_moves(name: str, pieces: str) -> None:
    index = next(i for i in range(POLICY_SIZE) if uci(i) == name)
    assert movers(index) == set(pieces)
    assert MOVERS[index].tolist() == [piece in pieces for piece in "PNBRQK"]


def test_movers_are_geometry() -> None:
    assert MOVERS.shape == (POLICY_SIZE, 6)
    for index in range(POLICY_SIZE):
        assert movers(index) == set(naive_movers(index))


ODD_BOARDS = [
    "1n1b1r2/P1P1P1P1/8/4k3/8/8/3K4/8 w - - 0 50",
    "8/3k4/8/8/4K3/8/p1p1p1p1/1N1B1R2 b - - 0 50",
    "rnbqkbnr/ppp1p1pp/8/3pPp2/8/8/PPPP1PPP/RNBQKBNR w KQkq f6 0 3",
    "r3k2r/pppq1ppp/2n5/8/3Pp3/2N5/PPPQ1PPP/R3K2R b KQkq d3 0 12",
    "QQQQ3k/8/QQQQ4/8/8/8/8/K7 w - - 0 1",
]


def test_the_piece_that_moves_is_among_the_movers() -> None:
    """Of every legal move, in thousands of positions, but for castling."""
    boards = legal_boards(3000, seed=9) + [chess.Board(fen) for fen in ODD_BOARDS]
    kinds: set[str | int | None] = set()
    for board in boards:
        for move in board.legal_moves:
            piece = board.piece_type_at(move.from_square)
            assert piece is not None
            if board.is_castling(move):
                kinds.add("castling")
                continue
            assert MOVERS[move_index(board, move), piece - 1]
            kinds.add("en passant" if board.is_en_passant(move) else move.promotion)
    assert kinds == {"castling", "en passant", None, 2, 3, 4, 5}
