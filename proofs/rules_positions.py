"""Positions to compare move generators on, the same ones for the same seed.

Games rarely reach what rules are got wrong for, so half of them are thrown together: several
pins at once, double checks, kings and rooks at home under fire, pawns about to pass each other,
pawns about to promote, and next to nothing on the board.
"""

import random
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Final

import chess

from engine.policy_map import index_move
from proofs.corpus import games

_MINORS: Final = (chess.KNIGHT, chess.BISHOP)
_SLIDERS: Final = (chess.BISHOP, chess.ROOK, chess.QUEEN)
_LINES: Final = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))


def positions(count: int, seed: int) -> list[chess.Board]:
    """`count` different positions: half thrown together, a quarter each of random and real games.

    The side to move may be mated in them but is never the one to be taken.
    """
    rng = random.Random(seed)
    thrown = count // 2
    random_games = (count - thrown) // 2
    found: dict[tuple[str, int], chess.Board] = {}
    for source, upto in (
        (_thrown(rng), thrown),
        (_random_games(rng), thrown + random_games),
        (_real_games(rng), count),
    ):
        while len(found) < upto:
            board = next(source)
            found.setdefault((board.epd(), board.halfmove_clock), board)
    return list(found.values())


def _thrown(rng: random.Random) -> Iterator[chess.Board]:
    makers: tuple[Callable[[random.Random], chess.Board], ...]
    makers = (
        _scattered,
        _pinned,
        _pinned,
        _castling,
        _passing,
        _passing,
        _promoting,
        _bare,
        _cornered,
        _cornered,
    )
    for make in cycle(makers):
        board = make(rng)
        if _is_playable(board):
            yield board


def _random_games(rng: random.Random) -> Iterator[chess.Board]:
    """Every eighth position or so of random games."""
    while True:
        board = chess.Board()
        while not board.is_game_over():
            board.push(rng.choice(list(board.legal_moves)))
            if rng.random() < 1 / 8:
                yield board.copy(stack=False)


def _real_games(rng: random.Random) -> Iterator[chess.Board]:
    """Positions of real games, and what a few random moves make of them."""
    while True:
        board = chess.Board()
        for index in rng.choice(games()):
            if rng.random() < 1 / 8:
                yield board.copy(stack=False)
                yield _strayed(rng, board)
            board.push(index_move(board, index))


def _strayed(rng: random.Random, board: chess.Board) -> chess.Board:
    """Up to six moves on, captures and checks preferred."""
    board = board.copy(stack=False)
    for _ in range(rng.randint(1, 6)):
        moves = list(board.legal_moves)
        sharp = [move for move in moves if board.is_capture(move) or board.gives_check(move)]
        if moves:
            board.push(rng.choice(sharp if sharp and rng.random() < 0.5 else moves))
    return board.copy(stack=False)


def _is_playable(board: chess.Board) -> bool:
    wanted = ~(chess.STATUS_TOO_MANY_CHECKERS | chess.STATUS_IMPOSSIBLE_CHECK)
    material = (
        chess.STATUS_TOO_MANY_WHITE_PIECES
        | chess.STATUS_TOO_MANY_BLACK_PIECES
        | chess.STATUS_TOO_MANY_WHITE_PAWNS
        | chess.STATUS_TOO_MANY_BLACK_PAWNS
    )
    return not board.status() & wanted & ~material


def _place(rng: random.Random, board: chess.Board, piece: chess.Piece) -> None:
    free = chess.SquareSet(~board.occupied)
    if piece.piece_type == chess.PAWN:
        free &= ~chess.BB_BACKRANKS
    board.set_piece_at(rng.choice(list(free)), piece)


def _scatter(rng: random.Random, board: chess.Board, types: tuple[int, ...], count: int) -> None:
    for _ in range(count):
        _place(rng, board, chess.Piece(rng.choice(types), rng.random() < 0.5))


def _king(color: chess.Color) -> chess.Piece:
    return chess.Piece(chess.KING, color)


def _kings(rng: random.Random) -> chess.Board:
    board = chess.Board(None)
    board.turn = rng.random() < 0.5
    board.halfmove_clock = rng.choice((0, 1, 99, 149, 254, 255, 300))
    _place(rng, board, _king(chess.WHITE))
    _place(rng, board, _king(chess.BLACK))
    return board


def _scattered(rng: random.Random) -> chess.Board:
    board = _kings(rng)
    _scatter(rng, board, (*_SLIDERS, *_MINORS, chess.PAWN), rng.randrange(1, 24))
    return board


def _pinned(rng: random.Random) -> chess.Board:
    """Own pieces between the king and enemy sliders, with plenty to take beside them."""
    board = _kings(rng)
    king = board.king(board.turn)
    assert king is not None
    for line in rng.sample(_LINES, 3):
        squares = _squares_along(king, line, board)
        if len(squares) < 2:
            continue
        near, far = sorted(rng.sample(range(len(squares)), 2))
        own = rng.choice((*_SLIDERS, *_MINORS, chess.PAWN, chess.PAWN, chess.PAWN))
        _put(board, squares[near], chess.Piece(own, board.turn))
        _put(board, squares[far], chess.Piece(rng.choice(_SLIDERS), not board.turn))
    for _ in range(rng.randrange(3, 12)):
        type_ = rng.choice((*_MINORS, chess.ROOK, chess.PAWN))
        _place(rng, board, chess.Piece(type_, not board.turn))
    return board


def _squares_along(start: chess.Square, line: tuple[int, int], board: chess.Board) -> list[int]:
    """The empty squares from `start` to the edge or the first piece."""
    found = []
    file, rank = chess.square_file(start), chess.square_rank(start)
    while 0 <= (file := file + line[0]) < 8 and 0 <= (rank := rank + line[1]) < 8:
        if board.piece_type_at(chess.square(file, rank)):
            break
        found.append(chess.square(file, rank))
    return found


def _put(board: chess.Board, square: chess.Square, piece: chess.Piece) -> None:
    if piece.piece_type != chess.PAWN or not chess.BB_SQUARES[square] & chess.BB_BACKRANKS:
        board.set_piece_at(square, piece)


def _castling(rng: random.Random) -> chess.Board:
    board = chess.Board("r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1")
    board.turn = rng.random() < 0.5
    for square in (chess.A1, chess.H1, chess.A8, chess.H8):
        if rng.random() < 0.2:
            board.remove_piece_at(square)
    board.castling_rights = board.clean_castling_rights()
    if rng.random() < 0.2:
        board.castling_rights &= rng.choice((chess.BB_A1 | chess.BB_H8, chess.BB_H1 | chess.BB_A8))
    _scatter(rng, board, (*_SLIDERS, *_MINORS, chess.PAWN), rng.randrange(1, 7))
    return board


def _passing(rng: random.Random) -> chess.Board:
    """A pawn at home that others could take in passing, their king on a line that opens."""
    board = chess.Board(None)
    board.turn = rng.random() < 0.5
    home, passed = (1, 3) if board.turn == chess.WHITE else (6, 4)
    file = rng.randrange(8)
    takers = [f for f in (file - 1, file + 1) if 0 <= f < 8]
    for taker in rng.sample(takers, rng.randint(1, len(takers))):
        board.set_piece_at(chess.square(taker, passed), chess.Piece(chess.PAWN, not board.turn))
    board.set_piece_at(chess.square(file, home), chess.Piece(chess.PAWN, board.turn))
    # The taker is pinned, on the rank that both pawns leave or elsewhere, or the push gives check.
    through = chess.square(rng.choice(takers), passed)
    if rng.random() < 0.2:
        through = chess.square(file, home)
    line = rng.choice((*_LINES, (1, 0), (-1, 0)))
    before = _squares_along(through, line, board)
    behind = _squares_along(through, (-line[0], -line[1]), board)
    if not before or not behind:
        return board
    board.set_piece_at(rng.choice(before), _king(not board.turn))
    board.set_piece_at(rng.choice(behind), chess.Piece(rng.choice(_SLIDERS), board.turn))
    _place(rng, board, _king(board.turn))
    _scatter(rng, board, (*_SLIDERS, *_MINORS), rng.choice((0, 0, 1, 2)))
    # Half of them after the push, with the capture to be made or refused.
    pushes = [move for move in board.legal_moves if _is_double(board, move)]
    if _is_playable(board) and pushes and rng.random() < 0.5:
        board.push(rng.choice(pushes))
    return board.copy(stack=False)


def _is_double(board: chess.Board, move: chess.Move) -> bool:
    is_pawn = board.piece_type_at(move.from_square) == chess.PAWN
    return is_pawn and abs(move.from_square - move.to_square) == 16


def _promoting(rng: random.Random) -> chess.Board:
    board = _kings(rng)
    for _ in range(rng.randrange(1, 6)):
        square = chess.square(rng.randrange(8), 6 if board.turn == chess.WHITE else 1)
        if not board.piece_type_at(square):
            board.set_piece_at(square, chess.Piece(chess.PAWN, board.turn))
    _scatter(rng, board, (*_SLIDERS, *_MINORS), rng.randrange(0, 10))
    return board


def _cornered(rng: random.Random) -> chess.Board:
    """A king alone at the edge: mates and stalemates."""
    board = _kings(rng)
    board.clear_board()
    board.set_piece_at(rng.choice(list(chess.SquareSet(chess.BB_BACKRANKS))), _king(board.turn))
    _place(rng, board, _king(not board.turn))
    for _ in range(rng.randrange(1, 4)):
        _place(rng, board, chess.Piece(rng.choice(_SLIDERS[1:]), not board.turn))
    return board


def _bare(rng: random.Random) -> chess.Board:
    board = _kings(rng)
    _scatter(rng, board, _MINORS, rng.randrange(0, 4))
    if rng.random() < 0.2:
        _scatter(rng, board, (chess.PAWN, chess.ROOK, chess.QUEEN), 1)
    return board
