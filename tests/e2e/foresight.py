"""Finds a short game to its end against a bot whose every reply is known in advance.

The nets are public and the first bots ignore their dice, so a scripted player can compute each
reply.  It plays greedily for material, mates when the reply allows it, and tries seeds until a
game is short enough.
"""

import random
from functools import cache
from typing import Final

import chess

from engine.encoding import Position
from engine.net import NetSpec
from engine.player import choose
from engine.policy_map import index_move, legal_mask

_VALUE: Final = (0, 1, 3, 3, 5, 9, 0)
_MATES: Final = 1e6
_THREATENS_MATE: Final = 500.0


class Foresight:
    """A player of one colour who knows what the bot will answer."""

    def __init__(self, net: NetSpec, color: chess.Color) -> None:
        self._net = net
        self._color = color

    def shortest_game(self, *, max_plies: int, seeds: int) -> list[chess.Move]:
        """The moves of a finished game of at most `max_plies`, the first of `seeds` tries."""
        for seed in range(seeds):
            board = self._game(random.Random(seed), max_plies)
            if board.is_game_over():
                return board.move_stack
        raise AssertionError(f"no game ended within {max_plies} plies in {seeds} tries")

    def _game(self, rng: random.Random, max_plies: int) -> chess.Board:
        board = chess.Board()
        while not board.is_game_over() and board.ply() < max_plies:
            board.push(self._best(board, rng) if board.turn == self._color else self._reply(board))
        return board

    def _reply(self, board: chess.Board) -> chess.Move:
        return _reply(self._net, board.fen())

    def _best(self, board: chess.Board, rng: random.Random) -> chess.Move:
        return max(board.legal_moves, key=lambda move: self._value(board, move, rng))

    def _value(self, board: chess.Board, move: chess.Move, rng: random.Random) -> float:
        board = board.copy(stack=False)
        board.push(move)
        if board.is_checkmate():
            return _MATES
        if board.is_game_over():
            return -1e3
        board.push(self._reply(board))
        if board.is_checkmate():
            return -_MATES
        value = self._material(board) + rng.random() * 2 + board.legal_moves.count() / 20
        return value + _THREATENS_MATE * _has_mate(board)

    def _material(self, board: chess.Board) -> int:
        return sum(
            _VALUE[piece.piece_type] * (1 if piece.color == self._color else -1)
            for piece in board.piece_map().values()
        )


def _has_mate(board: chess.Board) -> bool:
    for move in filter(board.gives_check, board.legal_moves):
        after = board.copy(stack=False)
        after.push(move)
        if after.is_checkmate():
            return True
    return False


@cache
def _reply(net: NetSpec, fen: str) -> chess.Move:
    board = chess.Board(fen)
    return index_move(board, choose(net, Position.of(board), legal_mask(board)))
