"""A few whole games of Stockfish against itself, for measuring what moves cost.

`games.txt` holds one game a line, its moves in UCI notation; `python -m proofs.corpus` wrote it and
writes it again, move for move, with Stockfish 15.1.  Openings are drawn from the six best moves, so
that the games differ; later the first two moves are drawn from, so that games are won and lost.
Each game goes on until the rules end it or LONGEST plies are played.
"""

import random
import sys
from functools import cache
from pathlib import Path
from typing import Final

import chess

from engine.game import ONGOING, Game
from engine.policy_map import move_index
from engine.train.stockfish import Scored, Stockfish

FILE: Final = Path(__file__).with_name("games.txt")
GAMES: Final = 8
LONGEST: Final = 240

_NODES: Final = 1500
_OPENING_PLIES: Final = 8
_SLACK: Final = (70, 25)  # centipawns that a drawn move may lose in the opening, and later


@cache
def games() -> tuple[tuple[int, ...], ...]:
    """The games as policy indices from the usual position."""
    lines = FILE.read_text(encoding="ascii").splitlines()
    return tuple(_indices(line) for line in lines)


def _indices(line: str) -> tuple[int, ...]:
    board, indices = chess.Board(), []
    for word in line.split():
        move = chess.Move.from_uci(word)
        indices.append(move_index(board, move))
        board.push(move)
    return tuple(indices)


def make_games(count: int, *, seed: int = 1, stockfish: str | None = None) -> list[str]:
    """`count` new games, a line each.  Raises StockfishMissing."""
    with Stockfish(nodes=_NODES, lines=6, path=stockfish) as engine:
        return [_play(engine, random.Random(f"{seed}/{number}")) for number in range(count)]


def _play(engine: Stockfish, chance: random.Random) -> str:
    engine.new_game()
    game = Game()
    while game.outcome() == ONGOING and game.ply < LONGEST:
        move = _choose(engine.best_moves(game.board), game.ply, chance)
        game.play(move_index(game.board, move))
    return " ".join(move.uci() for move in game.board.move_stack)


def _choose(best: list[Scored], ply: int, chance: random.Random) -> chess.Move:
    opening = ply < _OPENING_PLIES
    drawn = best if opening else best[:2]
    slack = _SLACK[0] if opening else _SLACK[1]
    return chance.choice([s for s in drawn if s.score >= best[0].score - slack]).move


if __name__ == "__main__":
    sys.stdout.write("\n".join(make_games(GAMES)) + "\n")
