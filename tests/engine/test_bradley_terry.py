"""Ratings from games: against closed forms, and against games drawn from known ratings."""

import math
from itertools import combinations

import numpy as np
import pytest

from engine.bradley_terry import ELO, Pairing, Rating, fit

TRUE = {"a": 700.0, "b": 850.0, "c": 1100.0, "d": 1350.0, "e": 1500.0}
MEETINGS = list(combinations(TRUE, 2))


def share(a: str, b: str) -> float:
    """The points that `a` takes from `b`."""
    return 1 / (1 + 10 ** ((TRUE[b] - TRUE[a]) / 400))


def drawn(rng: np.random.Generator, games: int) -> list[Pairing]:
    """Games of all with all, decided by `TRUE`."""
    won = {(a, b): int(rng.binomial(games, share(a, b))) for a, b in MEETINGS}
    return [Pairing(a, b, wins, 0, games - wins) for (a, b), wins in won.items()]


@pytest.mark.parametrize(("wins", "draws", "losses"), [(30, 0, 10), (20, 20, 0), (0, 0, 40)])
def test_twoPlayers_meetTheClosedForm(wins: int, draws: int, losses: int) -> None:
    """Jeffreys' prior on one share is half a game won and half a game lost."""
    ratings = fit([Pairing("x", "y", wins, draws, losses)], anchor="y", elo=1350)
    points = wins + draws / 2
    odds = (points + 0.5) / (40 - points + 0.5)
    assert ratings["x"].elo == pytest.approx(1350 + 400 * math.log10(odds), abs=1e-6)
    expected = odds / (1 + odds)
    error = 1.96 * ELO / math.sqrt(40 * expected * (1 - expected))
    assert ratings["x"].plus_minus == pytest.approx(error, abs=1e-6)
    assert ratings["y"] == Rating(1350, 0)


def test_points_thatFitExactly_giveTheRatingsBack() -> None:
    games = 10_000_000
    won = {(a, b): round(games * share(a, b)) for a, b in MEETINGS}
    pairings = [Pairing(a, b, wins, 0, games - wins) for (a, b), wins in won.items()]
    ratings = fit(pairings, anchor="d", elo=1350)
    assert {name: round(rating.elo, 2) for name, rating in ratings.items()} == TRUE


def test_intervals_holdTheTrueRatings_asOftenAsTheySay() -> None:
    rng, inside, asked = np.random.default_rng(5), 0, 0
    for _ in range(200):
        ratings = fit(drawn(rng, 60), anchor="d", elo=1350)
        for name in set(TRUE) - {"d"}:
            asked += 1
            inside += abs(ratings[name].elo - TRUE[name]) <= ratings[name].plus_minus
    assert 0.92 < inside / asked < 0.98


def test_aPairing_saysTheSameFromBothSides() -> None:
    there = fit([Pairing("x", "y", 7, 5, 2)], anchor="y", elo=0)
    back = fit([Pairing("y", "x", 2, 5, 7)], anchor="y", elo=0)
    assert there["x"].elo == pytest.approx(back["x"].elo)
    assert there["x"].plus_minus == pytest.approx(back["x"].plus_minus)


def test_aPlayerBetweenTwo_isMeasuredThroughBoth() -> None:
    """The anchor is only met by the neighbour: errors grow along the chain."""
    chain = [Pairing("x", "y", 30, 0, 70), Pairing("y", "z", 30, 0, 70)]
    ratings = fit(chain, anchor="z", elo=1350)
    assert ratings["x"].elo < ratings["y"].elo < 1350
    assert ratings["x"].plus_minus > ratings["y"].plus_minus * 1.3


def test_aPlayerWhoLostAll_hasAFiniteRating() -> None:
    games = [Pairing("x", "y", 0, 0, 200), Pairing("y", "z", 0, 0, 200)]
    ratings = fit(games, anchor="z", elo=1350)
    assert -2000 < ratings["x"].elo < ratings["y"].elo < 1350
    assert ratings["x"].plus_minus > 300


def test_whoeverIsNotConnectedWithTheAnchor_getsNoRating() -> None:
    games = [Pairing("x", "y", 3, 0, 1), Pairing("v", "w", 3, 0, 1), Pairing("w", "x", 0, 0, 0)]
    assert fit(games, anchor="y", elo=1350).keys() == {"x", "y"}
    assert fit(games, anchor="nobody", elo=1350) == {}
    assert fit([], anchor="y", elo=1350) == {}
