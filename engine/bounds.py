"""How far the values of a net can go, over every board word with nibbles 0..12 and all dice.

Static and sound: each value is bounded from the bounds of what it is summed over.  Three facts
make them narrow: a square holds one piece or none, so the twelve piece planes of a square give
their largest weight or 0; a line shows a square one piece at most (`engine.sight`); and a move's
two squares differ, so the piece on the first is free of what stands on the second.

Everything is computed in float64, and so is the net itself.  The range of every layer's outputs is
widened to hold 0, so that all parts of a sum, in whatever order it is made, lie within its bounds,
but for what planes and biases may cancel, less than 2^33.  So a sum whose bounds are below
MAX_VALUE is exact, and one that had to be rounded is far beyond.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.blocks import Floats, cut, product
from engine.encoding import MOST_EARLIER
from engine.errors import InvalidNet
from engine.net_file import INPUT_PLANES, PIECES, Head, IntArray, NetParts, input_plane_count
from engine.noise import COINS
from engine.policy_map import FROM_SQUARE, MOVERS, POLICY_SIZE, TO_SQUARE, TYPE
from engine.sight import sight_range, step_squares

Pair = tuple[IntArray, IntArray]

PIECE_PLANES: Final = 12
MAX_VALUE: Final = 2**48
"""No sum, product or logit may reach this: far below what int64 and float64 (2^53) hold exactly."""


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

    def __add__(self, other: "Range") -> "Range":
        return Range(self.lo + other.lo, self.hi + other.hi)

    def __mul__(self, other: "Range") -> "Range":
        corners = [a * b for a in (self.lo, self.hi) for b in (other.lo, other.hi)]
        return Range(np.minimum.reduce(corners), np.maximum.reduce(corners))

    def at(self, rows: IntArray | slice, columns: IntArray) -> "Range":
        return Range(self.lo[rows, columns], self.hi[rows, columns])

    def integers(self, where: str) -> Pair:
        """Both ends as int64.  Raises InvalidNet if one could reach MAX_VALUE."""
        if max(-self.lo.min(), self.hi.max()) >= MAX_VALUE:
            raise InvalidNet(f"values of {where} could reach 2^48")
        return self.lo.astype(np.int64), self.hi.astype(np.int64)


def static_bounds(net: NetParts) -> Bounds:
    """Raises InvalidNet for a net one of whose values could reach MAX_VALUE."""
    features = _Features(sight=net.sight)
    sums: list[Pair] = []
    gates: list[Pair | None] = []
    acts: list[Pair] = []
    for k, layer in enumerate(net.layers):
        x = features.sums(layer.taps, layer.weights, layer.bias)
        sums.append(x.integers(f"layer {k}"))
        if layer.gate is None:
            gates.append(None)
            y = Range(np.zeros_like(x.lo), np.maximum(x.hi, 0) // 2**layer.shift)
        else:
            g = features.sums(layer.taps, layer.gate.weights, layer.gate.bias)
            gates.append(g.integers(f"the gates of layer {k}"))
            y = x * g
        acts.append(y.integers(f"layer {k}"))
        features.add(y)
    loudest = net.noise + MOST_EARLIER * net.repeat_noise
    noise = np.full(POLICY_SIZE, float(COINS * loudest))
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


class _Features:
    """What is known of the features so far, and of sums over them."""

    def __init__(self, *, sight: bool) -> None:
        self._planes = input_plane_count(sight=sight)
        self._above = Range(np.zeros((0, 64)), np.zeros((0, 64)))  # of the layers

    def add(self, outputs: Range) -> None:
        """The outputs (n, 64) of one more layer."""
        self._above = Range(
            np.concatenate([self._above.lo, np.minimum(outputs.lo, 0)]),
            np.concatenate([self._above.hi, np.maximum(outputs.hi, 0)]),
        )

    def sums(self, taps: tuple[tuple[int, int], ...], weights: IntArray, bias: IntArray) -> Range:
        """A layer's, (outputs, 64)."""
        start = np.repeat(bias[:, None].astype(np.float64), 64, axis=1)
        total = Range(start, start)
        for t, squares in enumerate(step_squares(taps)):
            total += self.terms(weights[:, :, t]).at(slice(None), squares)
        return total

    def terms(self, weights: IntArray) -> Range:
        """Weights (n, features) times the features of each square, (n, 65): 0 at OFF_BOARD."""
        pieces, ones = weights[:, :PIECE_PLANES], weights[:, PIECE_PLANES]
        lo, hi = self._above_terms(weights[:, self._planes :])
        lo += (ones + np.minimum(pieces.min(axis=1), 0))[:, None]
        hi += (ones + np.maximum(pieces.max(axis=1), 0))[:, None]
        if self._planes > INPUT_PLANES:
            least, most = sight_range(weights[:, INPUT_PLANES : self._planes])
            lo, hi = lo + least, hi + most
        return Range(np.pad(lo, ((0, 0), (0, 1))), np.pad(hi, ((0, 0), (0, 1))))

    def _above_terms(self, weights: IntArray) -> tuple[Floats, Floats]:
        # Both ends in one product each: up on the one end, down on the other.
        ends = cut(np.concatenate([np.maximum(weights, 0), np.minimum(weights, 0)], axis=1))
        lo, hi = self._above.lo, self._above.hi
        return (
            product(ends, np.concatenate([lo, hi]), rows=len(weights)),
            product(ends, np.concatenate([hi, lo]), rows=len(weights)),
        )


def _logits(head: Head, features: _Features) -> Range:
    """(1858,): every piece that may stand on the from-square in turn, and none."""
    behind = head.from_weights.copy()
    behind[:, :PIECE_PLANES] = 0
    start = features.terms(behind).at(TYPE, FROM_SQUARE)
    empty = features.terms(head.to_weights).at(TYPE, TO_SQUARE)
    los, his = [empty.lo], [empty.hi]
    for code in range(PIECE_PLANES):
        reached = empty
        if code < PIECES:
            rows = head.to_weights + head.piece_weights[code]
            moved, can = features.terms(rows).at(TYPE, TO_SQUARE), MOVERS[:, code]
            reached = Range(np.where(can, moved.lo, empty.lo), np.where(can, moved.hi, empty.hi))
        standing = head.from_weights[TYPE, code]
        los.append(reached.lo + standing)
        his.append(reached.hi + standing)
    end = Range(np.minimum.reduce(los), np.maximum.reduce(his))
    bias = head.bias.astype(np.float64)
    return start + end + Range(bias, bias)
