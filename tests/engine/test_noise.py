"""The table of the noise and what dice make of it."""

import hashlib
import random

import numpy as np
import pytest

from engine.errors import InvalidDice
from engine.noise import COINS, DICE_BITS, dice_noise, noise_places, noise_signs
from engine.policy_map import POLICY_SIZE
from tests.engine.naive import naive_coins

ALL_ONES = (1 << DICE_BITS) - 1
TABLE_SHA256 = "4c00f904e51d0964b633c733c8b1e599f342e0474fefae5da38ba54aefadee9e"


def test_the_table_is_pinned() -> None:
    """It is part of every proof of a net with noise: another table is another circuit."""
    table = np.stack([noise_places(), noise_signs()]).astype("<i8")
    assert hashlib.sha256(table.tobytes()).hexdigest() == TABLE_SHA256


def test_the_table_is_as_it_is_described() -> None:
    rows = zip(noise_places().tolist(), noise_signs().tolist(), strict=True)
    assert [list(zip(*row, strict=True)) for row in rows] == naive_coins()


def test_every_index_has_sixteen_different_places() -> None:
    assert noise_places().shape == noise_signs().shape == (POLICY_SIZE, COINS)
    assert all(len(set(row)) == COINS for row in noise_places().tolist())
    assert noise_places().min() == 0
    assert noise_places().max() == DICE_BITS - 1


def test_the_table_is_balanced() -> None:
    """Signs, places, and the noise that two indices share are what fair draws would give."""
    signs, draws = noise_signs(), POLICY_SIZE * COINS
    assert set(signs.ravel().tolist()) == {-1, 1}
    assert abs(signs.sum()) < 4 * draws**0.5
    uses = np.bincount(noise_places().ravel(), minlength=DICE_BITS)
    expected = draws / DICE_BITS
    assert (abs(uses - expected) < 5 * expected**0.5).all()
    coins = np.zeros((POLICY_SIZE, DICE_BITS), dtype=np.int64)
    np.put_along_axis(coins, noise_places(), signs, axis=1)
    assert (coins @ coins.T)[~np.eye(POLICY_SIZE, dtype=bool)].max() < COINS  # no two are alike


def test_turned_dice_turn_the_noise() -> None:
    rng = random.Random(1)
    for dice in [0, ALL_ONES, *(rng.getrandbits(DICE_BITS) for _ in range(20))]:
        assert (dice_noise(dice ^ ALL_ONES) == -dice_noise(dice)).all()
    assert (dice_noise(0) == -noise_signs().sum(axis=1)).all()


def test_one_bit_moves_the_indices_that_listen_to_it() -> None:
    for place in (0, 7, 64, 127):
        moved = dice_noise(1 << place) - dice_noise(0)
        listening = (noise_places() == place) * noise_signs()
        assert (moved == 2 * listening.sum(axis=1)).all()
        assert listening.any()


def test_fair_dice_make_noise_of_mean_0_and_deviation_4() -> None:
    rng = random.Random(2)
    noise = np.stack([dice_noise(rng.getrandbits(DICE_BITS)) for _ in range(2000)])
    assert abs(noise).max() <= COINS
    assert abs(noise.mean(axis=0)).max() < 5 * 4 / 2000**0.5
    assert abs(noise.std() - 4) < 0.1


@pytest.mark.parametrize("dice", [-1, 1 << DICE_BITS, 1 << 5000])
def test_dice_of_more_bits_are_refused(dice: int) -> None:
    with pytest.raises(InvalidDice, match="128 bits") as caught:
        dice_noise(dice)
    assert caught.value.dice == dice
    assert len(str(caught.value)) < 120
