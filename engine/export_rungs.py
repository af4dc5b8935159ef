"""The lower rungs of the ladder: movers so simple that every net should beat them, and matches."""

import random
from collections.abc import Callable
from typing import Final

import chess

from engine.encoding import Position
from engine.export import piece_codes
from engine.game import ONGOING, Game, Result
from engine.net_file import IntArray
from engine.player import LONGEST_MATCH_GAME, Mover, Score, legal_indices
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


def play_matches(player: Mover, opponent: Mover, *, games: int, seed: int = 0) -> Score:
    """The player's score in games from random openings, each played with both colours."""
    results = [
        _play(player, opponent, opening=f"{seed}/{i // 2}", colour=i % 2 == 0) for i in range(games)
    ]
    return Score(results.count(1), results.count(0), results.count(-1))


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


def _play(player: Mover, opponent: Mover, *, opening: str, colour: chess.Color) -> int:
    """1, 0 or -1 for the player, who has `colour`."""
    game = _opened(random.Random(opening))
    while game.outcome() == ONGOING and game.ply < LONGEST_MATCH_GAME:
        mover = player if game.turn == colour else opponent
        game.play(mover(game.position, game.mask))
    result = game.outcome().result
    if result in (Result.ONGOING, Result.DRAW):
        return 0
    return 1 if (result == Result.WHITE_WINS) == (colour == chess.WHITE) else -1


def _opened(rng: random.Random) -> Game:
    """A game after four to eight random plies that did not end it."""
    while True:
        game = Game()
        for _ in range(rng.randint(4, 8)):
            if game.outcome() == ONGOING:
                game.play(int(rng.choice(legal_indices(game.mask))))
        if game.outcome() == ONGOING:
            return game
