"""What dice do to a net that plays at a temperature: noise on every logit.

    noise_i = A * sum over k = 0..15 of sign(i, k) * (2 * bit place(i, k) of the dice - 1)

A is the net's own, `noise`, and more by `repeat_noise` for each time that the position was there
before (0 to 2); the 16 places of each index are different, and places and signs come from one
table that every net shares, drawn once from SHAKE-256 of TABLE_SEED.  One byte is one draw: its
low seven bits are the place, its top bit is set for the sign -1; indices are filled in order, and
a draw whose place the index already has is passed over.  Fair dice make each noise_i a sum of 16
fair coins: mean 0, standard deviation 4 A, at most 16 A.
"""

import hashlib
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidDice
from engine.policy_map import POLICY_SIZE

IntArray = NDArray[np.int64]

DICE_BITS: Final = 128
COINS: Final = 16
"""Bits of the dice that one logit listens to."""
TABLE_SEED: Final = b"checkproof/dice-noise/1"

_STREAM_BYTES: Final = 2 * COINS * POLICY_SIZE  # about one draw in 17 is passed over


@cache
def noise_places() -> IntArray:
    """(1858, 16): the bits of the dice, 0 the lowest, that each index listens to."""
    return _frozen(_table() & 127)


@cache
def noise_signs() -> IntArray:
    """(1858, 16): +1 or -1."""
    return _frozen(1 - 2 * (_table() >> 7))


def dice_noise(dice: int) -> IntArray:
    """(1858,): the noise of every index for A = 1.  Raises InvalidDice beyond 128 bits."""
    if not 0 <= dice < 1 << DICE_BITS:
        raise InvalidDice(dice)
    packed = np.frombuffer(dice.to_bytes(DICE_BITS // 8, "little"), dtype=np.uint8)
    coins = 2 * np.unpackbits(packed, bitorder="little").astype(np.int64) - 1
    noise: IntArray = (noise_signs() * coins[noise_places()]).sum(axis=1)
    return noise


@cache
def _table() -> IntArray:
    """(1858, 16): the draws that count."""
    draws = iter(hashlib.shake_256(TABLE_SEED).digest(_STREAM_BYTES))
    rows = []
    for _ in range(POLICY_SIZE):
        row: dict[int, int] = {}  # place -> draw, in the order drawn
        while len(row) < COINS:
            draw = next(draws)
            row.setdefault(draw & 127, draw)
        rows.append(list(row.values()))
    return np.array(rows, dtype=np.int64)


def _frozen(table: IntArray) -> IntArray:
    table.flags.writeable = False
    return table
