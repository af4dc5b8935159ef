"""Positions for circuit tests: corners of the rules, and thousands from games."""

import random
from collections.abc import Iterator
from itertools import islice

import chess

from engine.encoding import Position
from engine.game import ONGOING, Game
from engine.net import NetSpec
from engine.player import choose, legal_indices
from engine.policy_map import legal_mask
from proofs.statement import Statement

CORNERS = {
    "start": chess.STARTING_FEN,
    "black to move": "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1",
    "castling both ways": "r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 4 20",
    "castling for Black": "r3k2r/pppq1ppp/2n5/8/8/2N5/PPPQ1PPP/R3K2R b KQkq - 9 12",
    "en passant": "rnbqkbnr/ppp1p1pp/8/3pPp2/8/8/PPPP1PPP/RNBQKBNR w KQkq f6 0 3",
    "en passant for Black": "rnbqkbnr/pppp1ppp/8/8/3Pp3/8/PPP1PPPP/RNBQKBNR b KQkq d3 0 3",
    "promotions": "1n1b1r2/P1P1P1P1/8/4k3/8/8/3K4/8 w - - 0 50",
    "promotions for Black": "8/3k4/8/8/4K3/8/p1p1p1p1/1N1B1R2 b - - 0 50",
    "only promotions": "8/P6k/8/8/8/8/5n2/7K w - - 0 60",
    "in check": "4k3/8/8/8/8/5n2/8/4K2R w K - 0 1",
    "one legal move": "7k/8/8/8/8/8/1r6/K7 w - - 0 1",
    "king and pawn": "8/8/4k3/8/4K3/4P3/8/8 w - - 12 80",
    "bare kings and a rook": "8/8/8/4k3/8/8/R7/K7 b - - 99 120",
    "many queens": "QQQQ3k/8/QQQQ4/8/8/8/8/K7 w - - 0 1",
    "clock past its bits": "8/8/4k3/8/4K3/4P3/8/8 w - - 300 300",
}


def statement_of(
    net: NetSpec, board: chess.Board, *, payee: int = 7, dice: int = 9, repetitions: int = 0
) -> Statement:
    """The net's own move on `board`."""
    position, mask = Position.of(board, repetitions=repetitions), legal_mask(board)
    return Statement.of(position, mask, choose(net, position, mask, dice), payee=payee, dice=dice)


def corner_statements(net: NetSpec) -> dict[str, Statement]:
    """The net's move in every corner, payee and dice different in each; as if the position had been
    there before, up to twice."""
    rng = random.Random(1)
    return {
        name: statement_of(
            net,
            chess.Board(fen),
            payee=rng.getrandbits(160),
            dice=rng.getrandbits(128),
            repetitions=k % 3,
        )
        for k, (name, fen) in enumerate(CORNERS.items())
    }


def game_statements(net: NetSpec, count: int, *, seed: int = 0) -> list[Statement]:
    """The net's move in every position of games, both sides, until `count` are found."""
    return list(islice(_game_statements(net, seed), count))


def _game_statements(net: NetSpec, seed: int) -> Iterator[Statement]:
    rng = random.Random(seed)
    while True:
        game = Game()
        while game.outcome() == ONGOING and game.ply < 160:
            position, mask = game.position, game.mask
            payee, dice = rng.getrandbits(160), rng.getrandbits(128)
            index = choose(net, position, mask, dice)
            yield Statement.of(position, mask, index, payee=payee, dice=dice)
            # half of the moves by chance: games that differ, and end in all sorts of places
            game.play(index if rng.random() < 0.5 else int(rng.choice(legal_indices(mask))))
