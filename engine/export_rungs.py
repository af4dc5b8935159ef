"""The lower rungs of the ladder: movers so simple that every net should beat them."""

import random
from collections.abc import Callable
from typing import Final

import chess

from engine.encoding import Position
from engine.export import piece_codes
from engine.net_file import IntArray
from engine.player import Mover, legal_indices
from engine.policy_map import MOVES

VALUES: Final = {chess.PAWN: 1, chess.KNIGHT: 3, chess.BISHOP: 3, chess.ROOK: 5, chess.QUEEN: 9}
_THEIRS: Final = 7  # the first of their piece codes


def greedy_mover(seed: int | str) -> Mover:
    """A player that wins as much material at once as it can, and else moves at random."""
    rng = random.Random(seed)

    def move(position: Position, mask: int) -> int:
        codes = piece_codes(position.board)
        legal = [int(index) for index in legal_indices(mask)]
        gains = [_gain(codes, index) for index in legal]
        best = max(gains)
        return rng.choice([i for i, gain in zip(legal, gains, strict=True) if gain == best])

    return move


def outputs_mover(
    outputs: Callable[[int], IntArray], choose: Callable[[IntArray, int, int], int]
) -> Mover:
    """A player that takes the best legal move by a net's public outputs for a board word."""

    def move(position: Position, mask: int) -> int:
        return choose(outputs(position.board), position.board, mask)

    return move


def _gain(codes: IntArray, index: int) -> int:
    """Material won by a legal move: what it takes, and what a pawn becomes."""
    move = MOVES[index]
    taken = int(codes[move.to_square]) - _THEIRS + 1
    gain = VALUES.get(taken, 0) if taken > 0 else 0
    pawn = codes[move.from_square] == chess.PAWN
    if pawn and chess.square_rank(move.to_square) == 7:
        return gain + VALUES[move.promotion or chess.KNIGHT] - VALUES[chess.PAWN]
    sideways = chess.square_file(move.from_square) != chess.square_file(move.to_square)
    en_passant = pawn and sideways and codes[move.to_square] == 0
    return gain + VALUES[chess.PAWN] if en_passant else gain
