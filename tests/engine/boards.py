"""Board words for tests: from games, by chance, and at the extremes."""

import random

import chess

from engine.encoding import encode_board


def game_boards(count: int, seed: int = 0) -> list[int]:
    """Board words from random games."""
    return [encode_board(board) for board in legal_boards(count, seed)]


def legal_boards(count: int, seed: int = 0) -> list[chess.Board]:
    """Positions of random games, either side to move."""
    rng = random.Random(seed)
    found: list[chess.Board] = []
    board = chess.Board()
    while len(found) < count:
        found.append(board.copy(stack=False))
        board.push(rng.choice(list(board.legal_moves)))
        if board.is_game_over() or board.ply() > 120:
            board = chess.Board()
    return found


def word_of(codes: list[int]) -> int:
    """The board word of 64 codes, a1 first."""
    return sum(code << 4 * square for square, code in enumerate(codes))


def wild_boards(count: int, seed: int = 0) -> list[int]:
    """Words that no game reaches: any pieces anywhere, from crowded to nearly empty, and boards
    of one piece alone."""
    rng = random.Random(seed)
    words = [word_of([code] * 64) for code in range(13)]
    while len(words) < count:
        pieces = rng.choice([range(1, 13), (6, 12), (1, 7), (5, 12), (2, 6, 12)])
        empty = rng.random()
        words.append(
            word_of([0 if rng.random() < empty else rng.choice(pieces) for _ in range(64)])
        )
    return words[:count]
