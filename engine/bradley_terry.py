"""Ratings of several players from all their games at once.

A player of rating a takes from one of rating b the share 1 / (1 + 10^((b - a) / 400)) of the
points (R. A. Bradley and M. E. Terry, Biometrika 39, 1952, in Elo's units); a draw is half a point.
One player's rating is given.  The fit is the mode under Jeffreys' prior (D. Firth, Biometrika 80,
1993), which hardly moves it where there are many games, and keeps it finite for a player who won or
lost them all.

Errors are 95 % intervals of the inverse Fisher information.  They count a draw as if it varied like
a decided game, so they are rather too wide than too narrow.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.errors import NoFit

ELO: Final = 400 / math.log(10)
"""Elo points for one natural unit of log odds."""
SIGMAS: Final = 1.96
_LONGEST_STEP: Final = 2.0  # natural units: far starts overshoot
_CLOSE: Final = 1e-9
_ROUNDS: Final = 500

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Pairing:
    """What `a` took from `b`."""

    a: str
    b: str
    wins: int
    draws: int
    losses: int

    @property
    def games(self) -> int:
        return self.wins + self.draws + self.losses

    @property
    def points(self) -> float:
        return self.wins + self.draws / 2


@dataclass(frozen=True)
class Rating:
    """Elo, and half the width of its 95 % interval."""

    elo: float
    plus_minus: float


def fit(pairings: Sequence[Pairing], *, anchor: str, elo: float) -> dict[str, Rating]:
    """The ratings of all whom games connect with `anchor`, whose own is `elo`; none if it has none.

    Raises NoFit.
    """
    known = _connected(pairings, anchor)
    used = [pairing for pairing in pairings if pairing.games and pairing.a in known]
    names = sorted(known - {anchor})
    if not names:
        return {}
    design = _design(used, names)
    games = np.array([pairing.games for pairing in used], dtype=np.float64)
    points = np.array([pairing.points for pairing in used])
    theta, covariance = _mode(design, games, points)
    errors = SIGMAS * ELO * np.sqrt(np.diag(covariance))
    ratings = {
        name: Rating(elo + ELO * float(theta[i]), float(errors[i])) for i, name in enumerate(names)
    }
    return ratings | {anchor: Rating(elo, 0.0)}


def _mode(design: Floats, games: Floats, points: Floats) -> tuple[Floats, Floats]:
    """Fisher scoring on Firth's score: (players,) log odds and their (players, players) covariance.

    Each pairing is counted as if `leverage` more games had been drawn in it.
    """
    theta = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        expected = 1 / (1 + np.exp(-design @ theta))
        weight = games * expected * (1 - expected)
        covariance = np.linalg.inv(design.T @ (weight[:, None] * design))
        leverage = weight * np.einsum("ki,ij,kj->k", design, covariance, design)
        score = design.T @ (points + leverage / 2 - (games + leverage) * expected)
        step = covariance @ score
        theta = theta + step * min(1.0, _LONGEST_STEP / max(_CLOSE, float(np.abs(step).max())))
        if np.abs(step).max() < _CLOSE:
            return theta, covariance
    raise NoFit(_ROUNDS)


def _design(pairings: Sequence[Pairing], names: Sequence[str]) -> Floats:
    """(pairings, players): 1 for the first player, -1 for the second, nothing for the anchor."""
    column = {name: i for i, name in enumerate(names)}
    design = np.zeros((len(pairings), len(names)))
    for row, pairing in enumerate(pairings):
        for name, sign in ((pairing.a, 1.0), (pairing.b, -1.0)):
            if name in column:
                design[row, column[name]] += sign
    return design


def _connected(pairings: Sequence[Pairing], anchor: str) -> set[str]:
    found, grew = {anchor}, True
    while grew:
        near = {
            name
            for pairing in pairings
            if pairing.games and {pairing.a, pairing.b} & found
            for name in (pairing.a, pairing.b)
        }
        grew = not near <= found
        found |= near
    return found
