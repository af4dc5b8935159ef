"""Who plays: a net, or chance; and matches between them."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import chess
import numpy as np

from engine.encoding import Position
from engine.errors import NoLegalMove
from engine.game import ONGOING, Game, Result
from engine.net import NetSpec
from engine.noise import DICE_BITS
from engine.policy_map import POLICY_SIZE

Mover = Callable[[Position, int], int]
"""Picks a policy index for a position and the mask of its legal moves."""

LONGEST_MATCH_GAME: Final = 600
"""Plies after which a match game counts as a draw; the 75-move rule ends nearly all before."""


def choose(net: NetSpec, position: Position, mask: int, dice: int = 0) -> int:
    """The legal index with the highest logit, the lowest index among equals.

    The dice change nothing for a net without noise.
    Raises NoLegalMove if `mask` is empty, InvalidDice if there is noise and dice past 128 bits.
    """
    legal = legal_indices(mask)
    if len(legal) == 0:
        raise NoLegalMove()
    logits = net.forward(position.board, dice, earlier=position.earlier).logits
    return int(legal[np.argmax(logits[legal])])  # argmax returns the first of equals


def legal_indices(mask: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The set bits of a legal mask, ascending."""
    packed = np.frombuffer(mask.to_bytes((POLICY_SIZE + 7) // 8, "little"), dtype=np.uint8)
    return np.flatnonzero(np.unpackbits(packed, bitorder="little"))


def net_mover(net: NetSpec, seed: int | str | None = None) -> Mover:
    """The net as a player; each move has new dice, drawn from `seed`, or from chance if None."""
    rng = random.Random(seed)

    def move(position: Position, mask: int) -> int:
        return choose(net, position, mask, rng.getrandbits(DICE_BITS))

    return move


def random_mover(seed: int | str) -> Mover:
    """A player that picks any legal move with equal chance."""
    rng = random.Random(seed)

    def move(position: Position, mask: int) -> int:  # noqa: ARG001
        return int(rng.choice(legal_indices(mask)))

    return move


@dataclass(frozen=True)
class Score:
    """What a match brought the net."""

    wins: int
    draws: int
    losses: int

    @property
    def points(self) -> float:
        return self.wins + self.draws / 2

    def __str__(self) -> str:
        games = self.wins + self.draws + self.losses
        return f"{self.points:g} of {games} (+{self.wins} ={self.draws} -{self.losses})"


def play_match(net: NetSpec, opponent: Mover, *, games: int, seed: int = 0) -> Score:
    """The net's score in `games` games from random openings, each played with both colours."""
    return play_matches(net_mover(net, f"{seed}/dice"), opponent, games=games, seed=seed)


def play_matches(player: Mover, opponent: Mover, *, games: int, seed: int = 0) -> Score:
    """The same for any player."""
    results = [
        _play_game(player, opponent, opening=f"{seed}/{i // 2}", colour=i % 2 == 0)
        for i in range(games)
    ]
    return Score(results.count(1), results.count(0), results.count(-1))


def _play_game(player: Mover, opponent: Mover, *, opening: str, colour: chess.Color) -> int:
    """1, 0 or -1 for the player, who has `colour`."""
    game = opened(opening)
    while game.outcome() == ONGOING and game.ply < LONGEST_MATCH_GAME:
        mover = player if game.turn == colour else opponent
        game.play(mover(game.position, game.mask))
    result = game.outcome().result
    if result in (Result.ONGOING, Result.DRAW):
        return 0
    return 1 if (result == Result.WHITE_WINS) == (colour == chess.WHITE) else -1


def opened(seed: str) -> Game:
    """A game after four to eight random plies that did not end it."""
    rng = random.Random(seed)
    while True:
        game = Game()
        for _ in range(rng.randint(4, 8)):
            if game.outcome() == ONGOING:
                game.play(int(rng.choice(legal_indices(game.mask))))
        if game.outcome() == ONGOING:
            return game
