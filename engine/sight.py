"""Who sees which square: 18 planes of small counts, from the board word alone.

A piece slides from its square over empty squares, up to and including the first occupied one, of
either colour.  `own` is the mover's; his pawns take one rank up, theirs one rank down.

    plane   counts, for a square s                                              at most
    13..18  own P, N, B, R, Q, K that attack s                                  2 8 4 4 8 8
    19..24  their P, N, B, R, Q, K that attack s                                2 8 4 4 8 8
    25, 26  own kings that see s as a bishop, as a rook would                   4 4
    27, 28  their kings that do                                                 4 4
    29      their kings a knight's step from s                                  8
    30      their kings that an own pawn on s would attack                      2

The counts mean the same on every board, also on one with many kings or with pawns on the last
rank; near the edge fewer steps stay on the board, and `sight_limits` knows how many.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

SIGHT_PLANES: Final = 18
OFF_BOARD: Final = 64
"""The square that a step beyond the edge reaches; nothing stands there."""

DIRECTIONS: Final = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
"""(files, ranks) of the eight lines: even places are a rook's, odd places a bishop's."""
KNIGHT_STEPS: Final = ((1, 2), (2, 1), (2, -1), (1, -2), (-1, -2), (-2, -1), (-2, 1), (-1, 2))

_OWN: Final = dict(zip("PNBRQK", range(1, 7), strict=True))
_THEIR: Final = dict(zip("PNBRQK", range(7, 13), strict=True))
_DIAGONAL: Final = (1, 3, 5, 7)
_STRAIGHT: Final = (0, 2, 4, 6)
_UP: Final = (1, 7)  # the two diagonals towards the eighth rank
_DOWN: Final = (3, 5)


def step_squares(steps: tuple[tuple[int, int], ...]) -> IntArray:
    """(steps, 64): where each step leads from each square, OFF_BOARD beyond the edge."""
    files, ranks = np.arange(64) % 8, np.arange(64) // 8
    each = np.array(steps, dtype=np.int64).reshape(-1, 2)
    to_files = files + each[:, :1]
    to_ranks = ranks + each[:, 1:]
    on_board = (to_files >= 0) & (to_files < 8) & (to_ranks >= 0) & (to_ranks < 8)
    squares: IntArray = np.where(on_board, to_files + 8 * to_ranks, OFF_BOARD)
    return squares


RAY_SQUARES: Final[IntArray] = np.stack(
    [step_squares(tuple((n * f, n * r) for n in range(1, 8))) for f, r in DIRECTIONS]
)
"""(8, 7, 64): the squares of each line from each square, nearest first."""
KNIGHT_SQUARES: Final[IntArray] = step_squares(KNIGHT_STEPS)
"""(8, 64): the squares a knight's step away."""


def between(a: int, b: int) -> tuple[int, ...]:
    """The squares strictly between two squares of one line, from `a` on; none for others."""
    for line in RAY_SQUARES[:, :, a].tolist():
        if b in line:
            return tuple(line[: line.index(b)])
    return ()


def sight_planes(planes: IntArray) -> IntArray:
    """The 18 planes (18, 64) over the 13 input planes (13, 64) of `engine.net`."""
    codes = np.zeros(OFF_BOARD + 1, dtype=np.int64)
    codes[:64] = np.arange(1, 13) @ planes[:12]
    lines = codes[RAY_SQUARES]  # (8, 7, 64)
    nearest = (lines != 0).argmax(axis=1)  # 0 as well for an empty line, whose codes are all 0
    first = np.take_along_axis(lines, nearest[:, None], axis=1)[:, 0]
    near, knights = lines[:, 0], codes[KNIGHT_SQUARES]
    return np.stack(_counts(first, near, knights))


def _counts(first: IntArray, near: IntArray, knights: IntArray) -> list[IntArray]:
    """The planes, from the codes (8, 64) of the first piece on each line, of each neighbour and
    of each knight's step."""

    def count(codes: IntArray, code: int, lines: tuple[int, ...] = tuple(range(8))) -> IntArray:
        found: IntArray = (codes[list(lines)] == code).sum(axis=0)
        return found

    def attacks(side: dict[str, int], pawns: tuple[int, ...]) -> list[IntArray]:
        return [
            count(near, side["P"], pawns),
            count(knights, side["N"]),
            count(first, side["B"], _DIAGONAL),
            count(first, side["R"], _STRAIGHT),
            count(first, side["Q"]),
            count(near, side["K"]),
        ]

    own, their = _OWN["K"], _THEIR["K"]
    return [
        *attacks(_OWN, _DOWN),  # an own pawn that attacks s stands one rank below it
        *attacks(_THEIR, _UP),
        count(first, own, _DIAGONAL),
        count(first, own, _STRAIGHT),
        count(first, their, _DIAGONAL),
        count(first, their, _STRAIGHT),
        count(knights, their),
        count(near, their, _UP),
    ]


def sight_range(weights: IntArray) -> tuple[IntArray, IntArray]:
    """The least and the most (n, 64) of weights (n, 18) times the counts at each square.

    No board goes beyond, and some board gets there: each line and each knight's step shows a
    square one piece at most, whatever the others show.
    """
    near, far, knight = _seen_pieces()
    beside, beyond = (RAY_SQUARES[:, k] != OFF_BOARD for k in (0, 1))  # (8, 64)
    steps = (KNIGHT_SQUARES != OFF_BOARD).sum(axis=0)

    def most(signed: IntArray) -> IntArray:
        by_near, by_far, by_knight = (
            np.tensordot(signed, table, axes=(1, -1)).max(axis=-1) for table in (near, far, knight)
        )
        either = np.maximum(by_near, by_far)  # (n, 8)
        lines = by_near @ (beside & ~beyond) + either @ (beside & beyond)
        total: IntArray = lines + by_knight[:, None] * steps
        return total

    return -most(-weights), most(weights)


@cache
def sight_limits() -> IntArray:
    """(18, 64): what each count reaches at most, over all boards."""
    limits = sight_range(np.eye(SIGHT_PLANES, dtype=np.int64))[1]
    limits.flags.writeable = False
    return limits


@cache
def _seen_pieces() -> tuple[IntArray, IntArray, IntArray]:
    """The counts (.., 18) that one piece of each code makes by itself at a square.

    It stands next to the square on a line (8, 13, ..), further away on it (8, 13, ..), or a
    knight's step away (13, ..); code 0 is no piece.
    """
    middle = 27  # d4, from where every step stays on the board

    def by_code(square: int) -> list[IntArray]:
        found = []
        for code in range(13):
            planes = np.zeros((13, 64), dtype=np.int64)
            planes[code - 1, square] = code > 0
            found.append(sight_planes(planes)[:, middle])
        return found

    near, far = (
        np.array([by_code(int(line[k])) for line in RAY_SQUARES[:, :, middle]]) for k in (0, 1)
    )
    return near, far, np.array(by_code(int(KNIGHT_SQUARES[0, middle])))
