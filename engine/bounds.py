"""How far the values of a net can go, over every board word with nibbles 0..12 and all dice.

Static and sound: each value is bounded from the bounds of what it is summed over.  Two facts make
them narrow: a square holds one piece or none, so the twelve piece planes of a square give their
largest weight or 0; and a move's two squares differ, so the piece on the first is free of what
stands on the second.

Everything is computed in float64.  The range of every feature is widened to hold 0, so that sums
only grow as they are made: a sum below 2^53 was exact all the way, and one that was rounded is far
beyond MAX_VALUE and refused.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.blocks import Floats, cut, product
from engine.errors import InvalidNet
from engine.net_file import INPUT_PLANES, PIECES, Head, IntArray, NetParts
from engine.noise import COINS
from engine.policy_map import FROM_SQUARE, MOVERS, POLICY_SIZE, TO_SQUARE, TYPE
from engine.sight import sight_limits, step_squares

Pair = tuple[IntArray, IntArray]

PIECE_PLANES: Final = 12
MAX_VALUE: Final = 2**48
"""No sum, product or logit may reach this: int64 cannot overflow below it, and a float64 sum is
exact, whatever the order of its terms."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """What no value can exceed, both ends included, all int64."""

    pre_lo: list[IntArray]  # per layer (outputs, 64), the sums x
    pre_hi: list[IntArray]
    gate_lo: list[IntArray | None]  # per layer (outputs, 64), the sums g; None without a gate
    gate_hi: list[IntArray | None]
    act_lo: list[IntArray]  # per layer (outputs, 64)
    act_hi: list[IntArray]
    logit_lo: IntArray  # (1858,), the noise included
    logit_hi: IntArray

    @property
    def logit_span(self) -> int:
        """The most by which any two logits, legal or not, can differ."""
        return int(self.logit_hi.max() - self.logit_lo.min())


@dataclass(frozen=True, eq=False)
class Range:
    """A low and a high end, arrays of one shape."""

    lo: Floats
    hi: Floats

    def at(self, squares: IntArray) -> "Range":
        """The columns of some squares."""
        return Range(self.lo[:, squares], self.hi[:, squares])

    def __add__(self, other: "Range") -> "Range":
        return Range(self.lo + other.lo, self.hi + other.hi)

    def __mul__(self, other: "Range") -> "Range":
        corners = [a * b for a in (self.lo, self.hi) for b in (other.lo, other.hi)]
        return Range(np.minimum.reduce(corners), np.maximum.reduce(corners))

    def integers(self, where: str) -> Pair:
        """Both ends as int64.  Raises InvalidNet if one could reach MAX_VALUE."""
        if max(-self.lo.min(), self.hi.max()) >= MAX_VALUE:
            raise InvalidNet(f"values of {where} could reach 2^48")
        return self.lo.astype(np.int64), self.hi.astype(np.int64)


def static_bounds(net: NetParts) -> Bounds:
    """Raises InvalidNet for a net one of whose values could reach MAX_VALUE."""
    features = _input_ranges(sight=net.sight)
    sums: list[Pair] = []
    gates: list[Pair | None] = []
    acts: list[Pair] = []
    for k, layer in enumerate(net.layers):
        x = _sums(layer.taps, layer.weights, layer.bias, features)
        sums.append(x.integers(f"layer {k}"))
        if layer.gate is None:
            gates.append(None)
            y = Range(np.zeros_like(x.lo), np.maximum(x.hi, 0) // 2**layer.shift)
        else:
            g = _sums(layer.taps, layer.gate.weights, layer.gate.bias, features)
            gates.append(g.integers(f"the gates of layer {k}"))
            y = x * g
        acts.append(y.integers(f"layer {k}"))
        features = _stacked(features, Range(np.minimum(y.lo, 0), np.maximum(y.hi, 0)))
    noise = np.full(POLICY_SIZE, float(COINS * net.noise))
    logits = _logits(net.head, features) + Range(-noise, noise)
    logit_lo, logit_hi = logits.integers("the head")
    return Bounds(
        pre_lo=[lo for lo, _ in sums],
        pre_hi=[hi for _, hi in sums],
        gate_lo=[pair and pair[0] for pair in gates],
        gate_hi=[pair and pair[1] for pair in gates],
        act_lo=[lo for lo, _ in acts],
        act_hi=[hi for _, hi in acts],
        logit_lo=logit_lo,
        logit_hi=logit_hi,
    )


def _input_ranges(*, sight: bool) -> Range:
    """The input planes, (13 or 31, 65): the last column is off the board, where all is 0."""
    hi = np.ones((INPUT_PLANES, 64))
    lo = np.zeros((INPUT_PLANES, 64))
    lo[PIECE_PLANES] = 1
    if sight:
        hi = np.concatenate([hi, sight_limits()])
        lo = np.concatenate([lo, np.zeros(sight_limits().shape)])
    return Range(_padded(lo), _padded(hi))


def _stacked(below: Range, above: Range) -> Range:
    return Range(
        np.concatenate([below.lo, _padded(above.lo)]),
        np.concatenate([below.hi, _padded(above.hi)]),
    )


def _padded(values: Floats) -> Floats:
    """(n, 65): a column of zeros for the square OFF_BOARD."""
    padded: Floats = np.pad(values, ((0, 0), (0, 1)))
    return padded


def _sums(
    taps: tuple[tuple[int, int], ...], weights: IntArray, bias: IntArray, features: Range
) -> Range:
    """A layer's sums (outputs, 64) over its inputs (inputs, 65)."""
    start = np.repeat(bias[:, None].astype(np.float64), 64, axis=1)
    total = Range(start, start)
    for t, seen in enumerate(step_squares(taps)):
        total += _terms(weights[:, :, t], features.at(seen))
    return total


def _logits(head: Head, features: Range) -> Range:
    """(1858,): every piece that may stand on the from-square in turn, and none."""
    seen = features.at(np.arange(64))
    behind = head.from_weights.copy()
    behind[:, :PIECE_PLANES] = 0
    left = _terms(behind, seen)
    start = Range(left.lo[TYPE, FROM_SQUARE], left.hi[TYPE, FROM_SQUARE])
    empty = _reached(head.to_weights, seen)
    los, his = [empty.lo], [empty.hi]
    for code in range(PIECE_PLANES):
        reached = empty
        if code < PIECES:
            moved = _reached(head.to_weights + head.piece_weights[code], seen)
            can = MOVERS[:, code]
            reached = Range(np.where(can, moved.lo, empty.lo), np.where(can, moved.hi, empty.hi))
        standing = head.from_weights[TYPE, code]
        los.append(reached.lo + standing)
        his.append(reached.hi + standing)
    end = Range(np.minimum.reduce(los), np.maximum.reduce(his))
    return start + end + Range(head.bias.astype(float), head.bias.astype(float))


def _reached(weights: IntArray, features: Range) -> Range:
    """(1858,): weights (73, features) at the to-square of every index."""
    ends = _terms(weights, features)
    return Range(ends.lo[TYPE, TO_SQUARE], ends.hi[TYPE, TO_SQUARE])


def _terms(weights: IntArray, features: Range) -> Range:
    """Weights (outputs, inputs) times features (inputs, n).

    The piece planes give their largest (smallest) weight or 0.  Off the board all is 0.
    """
    pieces, rest = weights[:, :PIECE_PLANES], weights[:, PIECE_PLANES:].astype(np.float64)
    on_board = features.hi[PIECE_PLANES]
    smallest = np.minimum(pieces.min(axis=1), 0)[:, None] * on_board
    largest = np.maximum(pieces.max(axis=1), 0)[:, None] * on_board
    # Both ends in one product: up on the one end, down on the other.
    ends = np.concatenate([np.maximum(rest, 0), np.minimum(rest, 0)], axis=1)
    lo, hi = features.lo[PIECE_PLANES:], features.hi[PIECE_PLANES:]
    low = _product(ends, np.concatenate([lo, hi]))
    high = _product(ends, np.concatenate([hi, lo]))
    return Range(smallest + low, largest + high)


def _product(matrix: Floats, values: Floats) -> Floats:
    return product(cut(matrix), values, rows=len(matrix))
