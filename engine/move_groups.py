"""Policy indices that can never be legal together, put into groups.

A position's legal moves are few among 1858, and many pairs of indices exclude each other whatever
the position.  For a legal index i, the move from square a to square b:

    an own piece stands on a
    no own piece stands on b, castling apart (e1h1 and e1a1: the king takes his own rook)
    every square strictly between a and b is empty, if the step is a straight or diagonal line
    the piece on a is one that can travel so: one of the index's `MOVERS`, or the king who castles

So i and j exclude each other if one of them needs an own piece where the other needs none, or if
they leave from one square and no piece can travel both ways.  `exclusions` is that relation,
`groups` a cover of all indices by cliques of it: in no position are two members of a group legal.
Only completeness rests on this, that an honest move has a proof: the circuit checks for itself
that a group holds one legal move at most (proofs/circuit.py).
"""

from __future__ import annotations

from functools import cache
from typing import Final

import chess
import numpy as np
from numpy.typing import NDArray

from engine.policy_map import FROM_SQUARE, MOVERS, POLICY_SIZE, TO_SQUARE

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_KING: Final = 5  # in MOVERS
_ROUNDS: Final = 40
_CASTLING: Final = frozenset({(chess.E1, chess.H1), (chess.E1, chess.A1)})


@cache
def groups() -> tuple[Ints, ...]:
    """The groups, each sorted; every index lies in exactly one.

    Iterated greedy colouring (Culberson and Luo, 1996) of the complement: put one index after the
    other into the first group that it fits, again and again.  The groups of the last round come
    one after the other, so there are never more of them than before, and in another order, so that
    there may be fewer.  The first round takes indices that exclude few others first.
    """
    excludes = exclusions()
    found = [[i] for i in np.argsort(excludes.sum(axis=1), kind="stable").tolist()]
    for number in range(_ROUNDS):
        found = _covered(_reordered(found, number), excludes)
    return tuple(
        np.array(sorted(members), dtype=np.int64) for members in sorted(map(sorted, found))
    )


def _reordered(found: list[list[int]], number: int) -> list[list[int]]:
    """Backwards in odd rounds, in steps of 2 to 8 in even ones: any order that mixes will do."""
    if number % 2:
        return found[::-1]
    step = number % 7 + 2
    return [members for first in range(step) for members in found[first::step]]


def _covered(found: list[list[int]], excludes: Flags) -> list[list[int]]:
    """Groups by first fit, the indices taken in the order given."""
    fits = np.ones((len(found), POLICY_SIZE), dtype=np.bool_)  # which group could take which index
    cover: list[list[int]] = [[] for _ in found]
    for members in found:
        for index in members:
            group = int(np.argmax(fits[:, index]))
            cover[group].append(index)
            fits[group] &= excludes[index]
    return [members for members in cover if members]


@cache
def group_of() -> Ints:
    """The number of each index's group, (1858,)."""
    number = np.zeros(POLICY_SIZE, dtype=np.int64)
    for k, members in enumerate(groups()):
        number[members] = k
    number.flags.writeable = False
    return number


def exclusions() -> Flags:
    """Which pairs of indices can never be legal in one position, (1858, 1858), symmetric."""
    leaves = np.arange(64) == FROM_SQUARE[:, None]
    not_own = _without_own_piece()
    castling = [pair in _CASTLING for pair in zip(FROM_SQUARE, TO_SQUARE, strict=True)]
    travels = MOVERS.astype(np.float32)
    travels[castling, _KING] = 1
    blocked = leaves.astype(np.float32) @ not_own.T.astype(np.float32) > 0
    same_square = FROM_SQUARE[:, None] == FROM_SQUARE
    no_piece_for_both = travels @ travels.T == 0
    excludes: Flags = blocked | blocked.T | (same_square & no_piece_for_both)
    return excludes


def _without_own_piece() -> Flags:
    """(1858, 64): the squares where a legal index leaves no room for an own piece."""
    squares = np.zeros((POLICY_SIZE, 64), dtype=np.bool_)
    for i, (a, b) in enumerate(zip(FROM_SQUARE.tolist(), TO_SQUARE.tolist(), strict=True)):
        squares[i, list(chess.SquareSet.between(a, b))] = True
        squares[i, b] = (a, b) not in _CASTLING
    return squares
