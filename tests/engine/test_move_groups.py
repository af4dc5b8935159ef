import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import chess
import numpy as np
import pytest

from engine.move_groups import exclusions, group_of, groups
from engine.player import legal_indices
from engine.policy_map import MOVES, POLICY_SIZE, index_move, legal_mask
from proofs.corpus import games
from tests.proofs.positions import CORNERS

PERFT = Path(__file__).parents[1] / "golden" / "perft.epd"
INDEX = {move.uci(): index for index, move in enumerate(MOVES)}


def test_the_groups_never_change() -> None:
    """Every circuit, and so every key, rests on them."""
    text = "\n".join(" ".join(map(str, members)) for members in groups())
    assert hashlib.sha256(text.encode()).hexdigest() == (
        "19f61c2c4f81db1ca3b3474bdc10927d151696363d66d2f0cb8b6a7e76940910"
    )
    assert len(groups()) == 338


def test_each_index_is_in_one_group() -> None:
    assert sorted(np.concatenate(groups()).tolist()) == list(range(POLICY_SIZE))
    for number, members in enumerate(groups()):
        assert (group_of()[members] == number).all()
        assert len(members) > 1


def test_members_of_a_group_exclude_each_other() -> None:
    excludes = exclusions()
    assert np.array_equal(excludes, excludes.T)
    for members in groups():
        assert np.array_equal(excludes[np.ix_(members, members)], ~np.eye(len(members), dtype=bool))


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ("e2e4", "e4e5", True),  # an own piece on e4
        ("a1a8", "a4b5", True),  # a4 is in the way
        ("b1c3", "c3d5", True),
        ("e1h1", "h1h5", False),  # castling goes to an own rook
        ("e1a1", "a1a5", False),
        ("e1h1", "f1e2", True),
        ("e1a1", "b1c3", True),
        ("e1b1", "b1c3", True),
        ("e2e4", "e2e3", False),  # a pawn can do both
        ("e2e4", "e2d3", False),
        ("e3e5", "e3d4", False),  # a queen can do both
        ("e2f4", "e2e4", True),  # a knight does not go straight
        ("a7a8q", "a7a8", False),  # a pawn promotes to a knight by the bare pair
        ("a7a8q", "a7b8r", False),
        ("a7a8q", "a7b6", True),  # no pawn goes back
        ("a7a8q", "a7c8", True),
        ("e1h1", "e1d2", False),  # the king can do both
        ("e1g1", "e1d2", False),  # a queen can do both
        ("a2a3", "h2h3", False),
        ("a1h8", "a1a8", False),
    ],
)
def test_known_pairs(first: str, second: str, verdict: bool) -> None:
    assert exclusions()[INDEX[first], INDEX[second]] == verdict


def test_only_unlike_moves_of_a_square_exclude_each_other() -> None:
    """From one square, by every piece alone on the board: what it can do together is no clique."""
    excludes = exclusions()
    for piece in chess.PIECE_TYPES:
        for square in chess.SQUARES:
            board = chess.Board(None)
            board.set_piece_at(square, chess.Piece(piece, chess.WHITE))
            legal = legal_indices(legal_mask(board))
            assert not excludes[np.ix_(legal, legal)].any()


def random_games(count: int, seed: int) -> Iterator[chess.Board]:
    rng = random.Random(seed)
    for _ in range(count):
        board = chess.Board()
        while not board.is_game_over() and board.ply() < 200:
            yield board
            board.push(rng.choice(list(board.legal_moves)))


def crowded_boards(count: int, seed: int) -> Iterator[chess.Board]:
    """Many pieces of any kind anywhere, kings and castling rooks at home in half of them."""
    rng = random.Random(seed)
    for _ in range(count):
        board = chess.Board(None)
        home = rng.random() < 0.5
        for square in rng.sample(chess.SQUARES, rng.randint(2, 40)):
            kinds = "PNBRQpnbrq" if 8 <= square < 56 else "NBRQnbrq"
            board.set_piece_at(square, chess.Piece.from_symbol(rng.choice(kinds)))
        squares = [chess.E1, chess.E8] if home else rng.sample(chess.SQUARES, 2)
        for square, symbol in zip(squares, "Kk", strict=True):
            board.set_piece_at(square, chess.Piece.from_symbol(symbol))
        if home:
            for square, symbol in zip(
                (chess.A1, chess.H1, chess.A8, chess.H8), "RRrr", strict=True
            ):
                board.set_piece_at(square, chess.Piece.from_symbol(symbol))
            board.castling_rights = chess.BB_CORNERS
        board.turn = rng.random() < 0.5
        yield board


def known_boards() -> Iterator[chess.Board]:
    for fen in CORNERS.values():
        yield chess.Board(fen)
    for line in PERFT.read_text(encoding="ascii").splitlines():
        fen = line.partition(";")[0].strip()
        if fen and not fen.startswith("#"):
            yield chess.Board(fen)
    for game in games():
        board = chess.Board()
        for index in game:
            yield board
            board.push(index_move(board, index))


BOARDS = {
    "random games": lambda: random_games(40, 1),
    "crowded": lambda: crowded_boards(3_000, 2),
    "known": known_boards,
}


@pytest.mark.parametrize("kind", BOARDS)
def test_no_two_legal_moves_exclude_each_other(kind: str) -> None:
    excludes, number, count, castlings = exclusions(), group_of(), 0, 0
    for board in BOARDS[kind]():
        legal = legal_indices(legal_mask(board))
        assert not excludes[np.ix_(legal, legal)].any(), board.fen()
        assert len(set(number[legal].tolist())) == len(legal), board.fen()
        count += 1
        castlings += any(board.is_castling(move) for move in board.legal_moves)
    assert count > 1_000
    assert castlings > 10
