"""Which values of a net its circuit has wires for, and how many bits each of its runs of bits has.

Decided by the net alone: by its static bounds, and by which weights are 0.  proofs/circuit.py
makes constraints by this and proofs/witness.py fills in values; `engine.train.cost` counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.bounds import Bounds
from engine.move_groups import groups
from engine.net import NetSpec
from engine.net_file import INPUT_PLANES, Layer
from engine.policy_map import MOVERS, POLICY_SIZE, TO_SQUARE
from engine.sight import KNIGHT_SQUARES, OFF_BOARD, RAY_SQUARES, SIGHT_PLANES

Ints = NDArray[np.int64]

BLOCK: Final = 32
"""Moves in a block: the circuit picks a block by index >> 5, then an entry by index & 31."""
BLOCKS: Final = -(-POLICY_SIZE // BLOCK)

EVERY_LINE: Final = tuple(range(8))
_STRAIGHT: Final = (0, 2, 4, 6)
_DIAGONAL: Final = (1, 3, 5, 7)
_UP: Final = (1, 7)
_DOWN: Final = (3, 5)
KNIGHT, NEAR, LINE = "a knight's step away", "a neighbour", "the first piece on a line"
_KING: Final = 6
_THEIRS: Final = 6

SIGHT: Final = (
    *(
        plane
        for side, pawns in ((0, _DOWN), (_THEIRS, _UP))
        for plane in (
            (NEAR, side + 1, pawns),
            (KNIGHT, side + 2, EVERY_LINE),
            (LINE, side + 3, _DIAGONAL),
            (LINE, side + 4, _STRAIGHT),
            (LINE, side + 5, EVERY_LINE),
            (NEAR, side + _KING, EVERY_LINE),
        )
    ),
    (LINE, _KING, _DIAGONAL),
    (LINE, _KING, _STRAIGHT),
    (LINE, _THEIRS + _KING, _DIAGONAL),
    (LINE, _THEIRS + _KING, _STRAIGHT),
    (KNIGHT, _THEIRS + _KING, EVERY_LINE),
    (NEAR, _THEIRS + _KING, _UP),
)
"""What each plane of `engine.sight` counts: pieces of which code, found where, in which of the
eight directions (lines, or knight's steps)."""


_PAIRING: Final = (2, 3, 4, 0, 5, 1)
"""B R Q P K N: so bishops or rooks share products with queens, pawns with kings."""


@dataclass(frozen=True, eq=False)
class SightWiring:
    """The sight planes that a weight reads, and the wires that they need."""

    read: Ints  # planes 0..17
    summed: Ints  # those of them that get a wire a square
    codes: Ints  # (n,) per "seen" wire the code of the piece,
    lines: Ints  # (n,) the direction
    squares: Ints  # (n,) and the square that is seen from there


@dataclass(frozen=True, eq=False)
class LayerWiring:
    """A layer's rows (output * 64 + square) that can be other than 0, so that have wires."""

    rows: Ints
    widths: Ints  # bits of each row's sum; none in a gate layer
    shift: int
    gate: bool


@dataclass(frozen=True, eq=False)
class PieceWiring:
    """The head's products of own pieces on from-squares and sums T_p(square), see `reach`.

    One product serves one piece or two of an index; -1 stands for no second piece.
    """

    reach: Ints  # piece * 64 + square: which sums are needed
    pairs: Ints  # (m, 2) places in `reach`, of two pieces and one square
    index: Ints  # (n,) per product its index, ascending,
    first: Ints  # (n,) place in `reach` of the first piece
    second: Ints  # (n,) and of the second,
    pair: Ints  # (n,) place in `pairs`
    last: Ints  # products that are the last of their index: these force its logit


@dataclass(frozen=True, eq=False)
class Wiring:
    """Everything about a net's circuit but its weights and the wires' numbers."""

    sight: SightWiring
    layers: tuple[LayerWiring, ...]
    pieces: PieceWiring
    compare_widths: Ints  # by group of engine/move_groups.py
    block_compare_widths: Ints  # (32,)


def wiring_of(net: NetSpec) -> Wiring:
    """The wiring of a net's circuit."""
    bounds = net.bounds()
    layers = tuple(_layer(layer, bounds, k) for k, layer in enumerate(net.layers))
    return Wiring(_sight(net), layers, _pieces(net), *_compare_widths(bounds))


def _sight(net: NetSpec) -> SightWiring:
    read = _planes_read(net) if net.sight else np.zeros(0, dtype=np.int64)
    summed = [p for p in read.tolist() if SIGHT[p][0] != NEAR or len(SIGHT[p][2]) > 2]
    seen = {(code, line) for p in read for kind, code, lines in [SIGHT[p]] if kind == LINE
            for line in lines}  # fmt: skip
    wires = [
        (code, line, square)
        for code, line in sorted(seen)
        for square in np.flatnonzero(RAY_SQUARES[line, 1] != OFF_BOARD)
    ]
    codes, lines, squares = np.array(wires, dtype=np.int64).reshape(-1, 3).T
    return SightWiring(read, np.array(summed, dtype=np.int64), codes, lines, squares)


def _planes_read(net: NetSpec) -> Ints:
    """The sight planes that some weight other than 0 reads."""
    head = net.head
    weights = [w.T for w in (head.from_weights, head.to_weights, head.piece_weights)]
    for layer in net.layers:
        parts = [layer.weights] if layer.gate is None else [layer.weights, layer.gate.weights]
        weights += [w.swapaxes(0, 1).reshape(w.shape[1], -1) for w in parts]
    planes = slice(INPUT_PLANES, INPUT_PLANES + SIGHT_PLANES)
    read = np.any([w[planes].any(axis=1) for w in weights], axis=0)
    return np.flatnonzero(read)


def _layer(layer: Layer, bounds: Bounds, k: int) -> LayerWiring:
    if layer.gate is not None:
        rows = np.flatnonzero((bounds.act_lo[k] != 0) | (bounds.act_hi[k] != 0))
        return LayerWiring(rows, np.zeros(0, dtype=np.int64), 0, gate=True)
    lo, hi = bounds.pre_lo[k].ravel(), bounds.pre_hi[k].ravel()
    rows = np.flatnonzero(hi >> layer.shift > 0)  # elsewhere max(x, 0) >> shift is always 0
    # -2^(w-1) <= lo and hi < 2^(w-1)
    magnitude = np.maximum(bit_length(np.maximum(-lo - 1, 0)), bit_length(hi))
    return LayerWiring(rows, 1 + magnitude[rows], layer.shift, gate=False)


def _pieces(net: NetSpec) -> PieceWiring:
    able = MOVERS & net.head.piece_weights.any(axis=1)
    products = []
    for i, square in enumerate(TO_SQUARE.tolist()):
        sums = [64 * piece + square for piece in _PAIRING if able[i, piece]]
        sums += [-1] * (len(sums) % 2)
        products += [(i, *sums[k : k + 2]) for k in range(0, len(sums), 2)]
    index, first, second = np.array(products, dtype=np.int64).reshape(-1, 3).T
    reach = np.setdiff1d(np.concatenate([first, second]), -1)
    first = np.searchsorted(reach, first)
    second = np.where(second < 0, -1, np.searchsorted(reach, second))
    both = np.flatnonzero(second >= 0)
    pairs, number = np.unique(np.stack([first, second])[:, both], axis=1, return_inverse=True)
    pair = np.full(len(index), -1, dtype=np.int64)
    pair[both] = number.ravel()
    last = np.flatnonzero(np.diff(index, append=POLICY_SIZE))
    return PieceWiring(reach, pairs.T, index, first, second, pair, last)


def _compare_widths(bounds: Bounds) -> tuple[Ints, Ints]:
    """Bits of best - logit for each group, and for each entry of whichever block is chosen."""
    below = bounds.logit_hi.max() - bounds.logit_lo  # the most that logit_i can lie below best
    by_group = np.array([below[members].max() for members in groups()], dtype=np.int64)
    padded = np.zeros(BLOCKS * BLOCK, dtype=np.int64)
    padded[:POLICY_SIZE] = below
    by_entry = padded.reshape(BLOCKS, BLOCK).max(axis=0)
    return np.maximum(bit_length(by_group), 1), np.maximum(bit_length(by_entry), 1)


def bit_length(values: Ints) -> Ints:
    """Bits of each value, negative ones read as 0."""
    return np.array([max(int(v), 0).bit_length() for v in values], dtype=np.int64)


def sight_squares(kind: str) -> Ints:
    """(8, 64): the squares where a plane of that kind looks for pieces, OFF_BOARD for none."""
    return KNIGHT_SQUARES if kind == KNIGHT else RAY_SQUARES[:, 0]
